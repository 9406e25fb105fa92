import type { Chosen, Experiment } from "../../shared/experiment.ts";
import { attackKeys } from "../../shared/runs.ts";
import type { Analysis, Attack, Bound, DatasetSpec, Detector, Explanation } from "../define/index.ts";
import type { LoadedPlugin } from "../plugins/load.ts";
import { bind, find } from "../registry.ts";
import { type ResolvedArm, resolveArms } from "./arms.ts";
import { refuseAccidents } from "./expectations.ts";
import { resolveAnalyses } from "./resolveAnalyses.ts";
import { refuseWithoutSource, sourcesOf } from "./stages/knowledge.ts";

export type ResolvedAttack = Bound<Attack> & {
  readonly key: string;
  /** What it is to know of defences: nothing, everything, or once each. */
  readonly knowledge: "static" | "adaptive" | "both";
};
/** Attacks that analyses need beside those of the experiment, each once. */
export type FurtherAttack = ResolvedAttack & { readonly images: number; readonly wrongOnly?: true };
export type ResolvedDetector = Bound<Detector> & {
  readonly key: string;
  /** Share of clean images that its threshold may flag. */
  readonly falsePositiveRate: number;
  /** Attacked images that count: all those of images that are classified correctly, or the ones that fool the model. */
  readonly positives: "all" | "successful";
};
/** `further`: keys of the attacks it asked for. */
export type ResolvedAnalysis = Bound<Analysis> & { readonly further: readonly string[] };
export type ResolvedExplanation = Bound<Explanation> & { readonly images: number };

/** An experiment with every default filled in and every path absolute. */
export interface ResolvedExperiment {
  readonly name: string;
  readonly seed: number;
  readonly dataset: Bound<DatasetSpec> & { readonly train: number | null; readonly test: number | null };
  /** The experiment's own model and defence first (named after its defences), then those of `compare`. */
  readonly arms: readonly ResolvedArm[];
  /** Name of the arm that static images are shown to for comparison; true for one that the run makes itself, false for none. */
  readonly control: string | boolean;
  readonly attacks: readonly ResolvedAttack[];
  readonly detectors: readonly ResolvedDetector[];
  readonly explanations: readonly ResolvedExplanation[];
  readonly analyses: readonly ResolvedAnalysis[];
  readonly further: readonly FurtherAttack[];
  readonly expect: NonNullable<Experiment["expect"]>;
  /** Those that were loaded for it. */
  readonly plugins: readonly LoadedPlugin[];
}

/** Checks ids and parameters against the registries. @throws UNKNOWN_ID, PARAMETER_INVALID, EXPERIMENT_INVALID */
export function resolveExperiment(
  experiment: Experiment,
  options: { readonly directory: string; readonly name: string; readonly plugins?: readonly LoadedPlugin[] },
): ResolvedExperiment {
  const { directory } = options;
  const { kind, train, test, ...given } = experiment.dataset;
  const dataset = bind("dataset", { kind, ...given }, { directory });
  const arms = resolveArms(experiment, directory);
  const control = experiment.control ?? true;
  const attacks = resolveAttacks(experiment.attacks ?? [], directory);
  const detectors = resolveDetectors(experiment.detectors ?? [], directory);
  const analyses = resolveAnalyses(experiment.analyses ?? [], { dataset: dataset.id, arms, attacks, detectors });
  const known = { arms: arms.map(({ name }) => name), attacks, detectors: detectors.map(({ id }) => id) };
  refuseAccidents(experiment.expect ?? [], known);
  const { undefended } = sourcesOf({ arms, attacks, further: analyses.further, control });
  refuseWithoutSource([...attacks, ...analyses.further], undefended !== null);
  return {
    name: experiment.name ?? options.name,
    seed: experiment.seed ?? 1,
    dataset: { ...dataset, train: train ?? null, test: test ?? null },
    arms,
    control,
    attacks,
    detectors,
    explanations: (experiment.explanations ?? []).map((chosen) => resolveExplanation(chosen, directory)),
    ...analyses,
    expect: experiment.expect ?? [],
    plugins: options.plugins ?? [],
  };
}

function resolveAttacks(chosen: readonly Chosen[], directory: string): ResolvedAttack[] {
  const keys = attackKeys(chosen.map((attack) => attack.kind));
  return chosen.map(({ knowledge, ...attack }, i) => {
    const known = knowledge === "static" || knowledge === "adaptive" ? knowledge : "both";
    return { ...bind("attack", attack, { directory }), key: keys[i] as string, knowledge: known };
  });
}

/** `samples` counts images only where it is no parameter of the explanation. */
function resolveExplanation({ images, ...chosen }: Chosen, directory: string): ResolvedExplanation {
  const { samples, ...others } = chosen;
  const isOwn = "samples" in find("explanation", chosen.kind).params.properties;
  const wanted = images ?? (isOwn ? undefined : samples);
  return { ...bind("explanation", isOwn ? chosen : (others as Chosen), { directory }), images: typeof wanted === "number" ? wanted : 4 };
}

function resolveDetectors(chosen: readonly Chosen[], directory: string): ResolvedDetector[] {
  const keys = attackKeys(chosen.map((detector) => detector.kind));
  return chosen.map(({ falsePositiveRate, positives, ...detector }, i) => ({
    ...bind("detector", detector, { directory }),
    key: keys[i] as string,
    falsePositiveRate: typeof falsePositiveRate === "number" ? falsePositiveRate : 0.05,
    positives: positives === "successful" ? "successful" : "all",
  }));
}
