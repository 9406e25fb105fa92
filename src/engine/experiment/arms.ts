import path from "node:path";
import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import {
  bareName,
  type ChosenDefense,
  defaultTrain,
  type Experiment,
  type ExperimentArm,
  firstArmName,
  type TrainSettings,
} from "../../shared/experiment.ts";
import { type Choice, combinedDefense } from "../../shared/results.ts";
import { slug } from "../../shared/runs.ts";
import {
  type Bound,
  documented,
  type InferenceDefense,
  isInference,
  isTraining,
  labelOf,
  type ModelSpec,
  type TrainingDefense,
} from "../define/index.ts";
import { readContract } from "../importers/contract.ts";
import { contractFile, locateModel } from "../importers/locate.ts";
import { bind } from "../registry.ts";

export type ResolvedModel = Bound<ModelSpec> | ResolvedFile;
export interface ResolvedFile {
  readonly file: string;
  readonly input: InputContract | null;
  /** Trained further also where no training defence asks for it. */
  readonly fineTune: boolean;
}

/** A network with defences: those of its training stack, those in front are met by an image in this order. */
export interface ResolvedArm {
  /** Place in the experiment; −1 for an arm that only static images are made against and that no report shows. */
  readonly index: number;
  readonly name: string;
  /** Of initial weights and training. */
  readonly seed: number;
  readonly model: ResolvedModel;
  /** The defences that a model file was trained with elsewhere, as its contract says; they stay. */
  readonly carried: readonly Choice[];
  /** Without `standard`, which changes nothing. */
  readonly training: readonly Bound<TrainingDefense>[];
  readonly front: readonly Bound<InferenceDefense>[];
  readonly train: TrainSettings;
}

/** The defences of an arm as JSON, those of its training first; none for an undefended arm. */
export const defensesOf = ({ carried, training, front }: Pick<ResolvedArm, "carried" | "training" | "front">): Choice[] => [
  ...carried,
  ...[...training, ...front].map(documented),
];

/** What reports call an arm's defence. */
export const defenseOf = (arm: ResolvedArm): Choice => combinedDefense(defensesOf(arm)) ?? { id: "standard", params: {} };

export const isUndefended = (arm: ResolvedArm): boolean => defensesOf(arm).length === 0;

/**
 * The experiment's own arm, then those of `compare`, every default filled in.
 * @throws UNKNOWN_ID, PARAMETER_INVALID, EXPERIMENT_INVALID for two arms of one name
 */
export function resolveArms(experiment: Experiment, directory: string): ResolvedArm[] {
  const { defense } = experiment;
  const isFineTuned = (model: ExperimentArm["model"]): boolean => model !== undefined && "file" in model && model["fineTune"] === true;
  const ids = listOf(defense).map(({ kind }) => kind);
  const name = experiment.arm ?? firstArmName(ids, isFineTuned(experiment.model));
  const first: ExperimentArm = { name, ...(defense ? { defense } : {}) };
  const arms = [first, ...(experiment.compare ?? [])].map((arm, index): ResolvedArm => {
    const train = { ...defaultTrain, ...experiment.train, ...arm.train };
    const quickAttack = train.quickAttack && documented(bind("attack", train.quickAttack, { directory }));
    const defenses = resolveDefenses(arm.defense, directory);
    return {
      index,
      name: arm.name ?? nameOf(defenses, isFineTuned(arm.model ?? experiment.model)),
      seed: arm.seed ?? experiment.seed ?? 1,
      model: resolveModel(arm.model ?? experiment.model, directory),
      carried: [],
      ...defenses,
      train: { ...train, quickAttack: quickAttack ? { kind: quickAttack.id, ...quickAttack.params } : null },
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

/** Whether the experiment names its own arm (`arm`), and does not leave that to the defences. */
export const hasOwnName = (first: ResolvedArm): boolean => {
  const isFineTuned = "file" in first.model && first.model.fineTune;
  return (
    first.name !==
    firstArmName(
      defensesOf(first).map(({ id }) => id),
      isFineTuned,
    )
  );
};

/** What an arm is called that has no name of its own. */
const nameOf = ({ training, front }: Pick<ResolvedArm, "training" | "front">, isFineTuned: boolean): string =>
  [...training, ...front].map((defense) => labelOf(defense)).join(" + ") || bareName(isFineTuned);

const listOf = (defense: ChosenDefense | undefined) => (defense === undefined ? [] : [defense].flat());

function resolveDefenses(defense: ChosenDefense | undefined, directory: string): Pick<ResolvedArm, "training" | "front"> {
  const bound = listOf(defense).map((chosen) => bind("defense", chosen, { directory }));
  return { training: bound.filter(isTraining).filter(({ id }) => id !== "standard"), front: bound.filter(isInference) };
}

function resolveModel(model: Experiment["model"], directory: string): ResolvedModel {
  if ("file" in model && typeof model.file === "string") {
    const input = "input" in model && model.input ? (model.input as InputContract) : null;
    return { file: path.resolve(directory, model.file), input, fineTune: model["fineTune"] === true };
  }
  return bind("model", model as Exclude<Experiment["model"], { file: string }>, { directory });
}

/** The arms with what the contracts of their model files say: a file that is taken as it is may be defended already. */
export const withCarried = (arms: readonly ResolvedArm[]): Promise<ResolvedArm[]> =>
  Promise.all(
    arms.map(async (arm) => {
      if (!("file" in arm.model) || arm.model.fineTune || arm.training.length > 0) return arm;
      const file = await locateModel(arm.model.file).catch(() => null); // told when it is opened
      const { defense = [] } = file === null ? {} : await readContract(contractFile(file));
      return { ...arm, carried: [defense].flat().filter(({ id }) => id !== "standard") };
    }),
  );
