import path from "node:path";
import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import {
  type Chosen,
  defaultTrain,
  type Experiment,
  type ExperimentArm,
  firstArmName,
  type TrainSettings,
} from "../../shared/experiment.ts";
import type { Choice } from "../../shared/results.ts";
import { attackKeys, slug } from "../../shared/runs.ts";
import { documented, resolveParams } from "../define/index.ts";
import { bind, find, type RegistryKind } from "../registry.ts";
import { refuseWithoutSource } from "./prepareArm.ts";
import { resolveAnalyses } from "./resolveAnalyses.ts";
import { isUndefended } from "./undefended.ts";

export type ResolvedModel = Choice | { readonly file: string; readonly input: InputContract | null };
export interface ResolvedArm {
  readonly index: number;
  readonly name: string;
  readonly model: ResolvedModel;
  readonly defense: Choice;
  readonly train: TrainSettings;
}
export type ResolvedAttack = Choice & { readonly key: string };
/** Attacks that analyses need beside those of the experiment, each once. */
export type FurtherAttack = ResolvedAttack & { readonly images: number };
/** `further`: keys of the attacks it asked for. */
export type ResolvedAnalysis = Choice & { readonly further: readonly string[] };
export type ResolvedExplanation = Choice & { readonly samples: number };

/** An experiment with every default filled in and every path absolute. */
export interface ResolvedExperiment {
  readonly name: string;
  readonly seed: number;
  readonly dataset: Choice & { readonly train: number | null; readonly test: number | null };
  /** The experiment's own model and defence first (named after the defence), then those of `compare`. */
  readonly arms: readonly ResolvedArm[];
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
  const { kind, train, test, ...given } = experiment.dataset;
  const dataset = resolveChoice("dataset", { kind, ...absolutePath(given, options.directory) });
  const arms = resolveArms(experiment, options.directory);
  const chosen = experiment.attacks ?? [];
  const keys = attackKeys(chosen.map((attack) => attack.kind));
  const attacks = chosen.map((attack, i) => ({ ...documented(bind("attack", attack, options)), key: keys[i] as string }));
  const analyses = resolveAnalyses(experiment.analyses ?? [], { dataset: dataset.id, arms, attacks });
  refuseWithoutSource([...attacks, ...analyses.further], arms.some(isUndefended));
  return {
    name: experiment.name ?? options.name,
    seed: experiment.seed ?? 1,
    dataset: { ...dataset, train: train ?? null, test: test ?? null },
    arms,
    attacks,
    explanations: (experiment.explanations ?? []).map(({ samples, ...rest }) => ({
      ...resolveChoice("explanation", rest as Chosen),
      samples: typeof samples === "number" ? samples : 4,
    })),
    ...analyses,
    expect: experiment.expect ?? [],
  };
}

/** A registry choice as an experiment writes it → id and all its parameters. */
export function resolveChoice(kind: RegistryKind, chosen: Chosen): Choice {
  const { kind: id, ...given } = chosen;
  return { id, params: resolveParams(find(kind, id).params, given, id) };
}

function resolveArms(experiment: Experiment, directory: string): ResolvedArm[] {
  const defense: Chosen = experiment.defense ?? { kind: "standard" };
  const first: ExperimentArm = { name: firstArmName(defense.kind) };
  const arms = [first, ...(experiment.compare ?? [])].map((arm, index): ResolvedArm => {
    const model = resolveModel(arm.model ?? experiment.model, directory);
    const train = { ...defaultTrain, ...experiment.train, ...arm.train };
    const quickAttack = train.quickAttack;
    const filled = quickAttack ? resolveChoice("attack", quickAttack) : null;
    return {
      index,
      name: arm.name,
      model,
      defense: resolveChoice("defense", index === 0 ? defense : (arm.defense ?? { kind: "standard" })),
      train: { ...train, quickAttack: filled ? { kind: filled.id, ...filled.params } : null },
    };
  });
  const names = new Set<string>();
  for (const { name } of arms) {
    if (names.has(slug(name)))
      throw new BulwarkError("EXPERIMENT_INVALID", `Two arms are called "${name}".`, 'Give each entry of "compare" a name of its own.');
    names.add(slug(name));
  }
  return arms;
}

function resolveModel(model: Experiment["model"], directory: string): ResolvedModel {
  if ("file" in model && typeof model.file === "string") {
    const input = "input" in model && model.input ? (model.input as InputContract) : null;
    return { file: path.resolve(directory, model.file), input };
  }
  return resolveChoice("model", model as Chosen);
}

function absolutePath(params: Readonly<Record<string, unknown>>, directory: string): Record<string, unknown> {
  const file = params["path"];
  return typeof file === "string" && file !== "" ? { ...params, path: path.resolve(directory, file) } : { ...params };
}

/** What the contract names but this version does not have is an error: nothing asked for is left out silently. */
function refuseWhatIsMissing(experiment: Experiment): void {
  for (const key of ["detectors", "plugins"] as const) {
    if (experiment[key]?.length)
      throw new BulwarkError("EXPERIMENT_INVALID", `This version has no ${key} yet.`, `Remove "${key}" from the experiment.`);
  }
}
