import { BulwarkError } from "../../shared/errors.ts";
import type { Chosen, Experiment } from "../../shared/experiment.ts";
import { attackKeys } from "../../shared/runs.ts";
import type { Analysis, Attack, Bound, DatasetSpec, Explanation } from "../define/index.ts";
import { bind } from "../registry.ts";
import { type ResolvedArm, resolveArms } from "./arms.ts";
import { refuseAccidents } from "./expectations.ts";
import { staticSources } from "./networks.ts";
import { refuseWithoutSource } from "./prepareArm.ts";
import { resolveAnalyses } from "./resolveAnalyses.ts";

export type ResolvedAttack = Bound<Attack> & { readonly key: string };
/** Attacks that analyses need beside those of the experiment, each once. */
export type FurtherAttack = ResolvedAttack & { readonly images: number };
/** `further`: keys of the attacks it asked for. */
export type ResolvedAnalysis = Bound<Analysis> & { readonly further: readonly string[] };
export type ResolvedExplanation = Bound<Explanation> & { readonly samples: number };

/** An experiment with every default filled in and every path absolute. */
export interface ResolvedExperiment {
  readonly name: string;
  readonly seed: number;
  readonly dataset: Bound<DatasetSpec> & { readonly train: number | null; readonly test: number | null };
  /** The experiment's own model and defence first (named after its defences), then those of `compare`. */
  readonly arms: readonly ResolvedArm[];
  /** Name of the arm that static images are shown to for comparison. */
  readonly control: string | null;
  readonly attacks: readonly ResolvedAttack[];
  readonly explanations: readonly ResolvedExplanation[];
  readonly analyses: readonly ResolvedAnalysis[];
  readonly further: readonly FurtherAttack[];
  readonly expect: NonNullable<Experiment["expect"]>;
}

/** Checks ids and parameters against the registries. @throws UNKNOWN_ID, PARAMETER_INVALID, EXPERIMENT_INVALID */
export function resolveExperiment(
  experiment: Experiment,
  options: { readonly directory: string; readonly name: string },
): ResolvedExperiment {
  refuseWhatIsMissing(experiment);
  const { directory } = options;
  const { kind, train, test, ...given } = experiment.dataset;
  const dataset = bind("dataset", { kind, ...given }, { directory });
  const arms = resolveArms(experiment, directory);
  const control = experiment.control ?? null;
  const sources = staticSources(arms, control);
  const chosen = experiment.attacks ?? [];
  const keys = attackKeys(chosen.map((attack) => attack.kind));
  const attacks = chosen.map((attack, i) => ({ ...bind("attack", attack, { directory }), key: keys[i] as string }));
  const analyses = resolveAnalyses(experiment.analyses ?? [], { dataset: dataset.id, arms, attacks });
  const known = { arms: arms.map(({ name }) => name), attacks, detectors: (experiment.detectors ?? []).map(({ kind: id }) => id) };
  refuseAccidents(experiment.expect ?? [], known);
  refuseWithoutSource([...attacks, ...analyses.further], sources.undefended !== null);
  return {
    name: experiment.name ?? options.name,
    seed: experiment.seed ?? 1,
    dataset: { ...dataset, train: train ?? null, test: test ?? null },
    arms,
    control,
    attacks,
    explanations: (experiment.explanations ?? []).map(({ samples, ...rest }) => ({
      ...bind("explanation", rest as Chosen, { directory }),
      samples: typeof samples === "number" ? samples : 4,
    })),
    ...analyses,
    expect: experiment.expect ?? [],
  };
}

/** What the contract names but this version does not have is an error: nothing asked for is left out silently. */
function refuseWhatIsMissing(experiment: Experiment): void {
  for (const key of ["detectors", "plugins"] as const) {
    if (experiment[key]?.length)
      throw new BulwarkError("EXPERIMENT_INVALID", `This version has no ${key} yet.`, `Remove "${key}" from the experiment.`);
  }
}
