import { BulwarkError } from "../../shared/errors.ts";
import { armModelFolder } from "../../shared/runs.ts";
import { checkDefenses } from "../classifier/checkDefenses.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { defended } from "../classifier/defended.ts";
import type { ModelFacts } from "../define/index.ts";
import { checkShape } from "../evaluation/dataset.ts";
import { exists } from "../io/files.ts";
import { type OpenedModel, type OpenOptions, openModel } from "../session/openModel.ts";
import type { ResolvedArm } from "./arms.ts";
import type { RunEnvironment } from "./environment.ts";
import { isTrained, ownerOf } from "./networks.ts";
import { readTraining, type TrainingRecord, trainArm } from "./trainArm.ts";

export interface OpenArm {
  readonly classifier: Classifier;
  readonly outputs: OpenedModel["outputs"];
  readonly training: (TrainingRecord & { readonly reused: boolean }) | null;
  readonly modelHash: string;
}

/** Trains an arm if that is asked for and needed, and opens it; null where there is no model for it to evaluate. */
export async function openArm(arm: ResolvedArm, env: RunEnvironment): Promise<OpenArm | null> {
  if (trains(arm, env)) {
    const owner = ownerOf(arm, env.experiment.arms);
    const training = await trainArm(owner, env);
    return open(arm, env.store.file(armModelFolder(owner.index, owner.name)), ownNames(env), training, env);
  }
  const found = await findModel(arm, env);
  if (found === null) {
    env.emit({ kind: "warning", message: `There is no trained model for ${arm.name}: it is left out of the evaluation.` });
    return null;
  }
  const training = isTrained(arm) ? await readTraining(found.path) : null;
  return open(arm, found.path, found.options, training ? { ...training, reused: true } : null, env);
}

/** The run makes the arm's model itself. */
export const trains = (arm: ResolvedArm, { mode }: Pick<RunEnvironment, "mode">): boolean => mode !== "evaluate" && isTrained(arm);

/** Size and classes of a model that the run does not make itself; null where there is none. @throws IMAGE_SIZE, and what opening throws */
export async function factsOfModel(arm: ResolvedArm, env: RunEnvironment): Promise<ModelFacts | null> {
  const found = await findModel(arm, env);
  if (found === null) return null;
  const { classifier } = await openModel(found.path, found.options);
  try {
    checkShape(classifier, env.data.dataset.inputShape, found.path);
    return { inputShape: classifier.inputShape, classes: classifier.classes };
  } finally {
    classifier.dispose();
  }
}

const ownNames = ({ data }: RunEnvironment): OpenOptions => ({ classNames: data.dataset.classNames });

/** A model file that is taken as it is, or what an earlier run trained. */
async function findModel(arm: ResolvedArm, env: RunEnvironment): Promise<{ readonly path: string; readonly options: OpenOptions } | null> {
  if ("file" in arm.model && !isTrained(arm)) return { path: arm.model.file, options: { contract: arm.model.input ?? undefined } };
  const folder = await trainedFolder(ownerOf(arm, env.experiment.arms), env);
  return folder === null ? null : { path: folder, options: ownNames(env) };
}

/** Where `evaluate` finds the model of an arm: the one named for the first, else folders of the named run, else this run's own. */
async function trainedFolder(arm: ResolvedArm, env: RunEnvironment): Promise<string | null> {
  const own = env.store.file(armModelFolder(arm.index, arm.name));
  if (env.modelPath === null) {
    if (await exists(own)) return own;
    if (arm.index > 0) return null;
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `There is no trained model in ${env.store.directory}.`,
      "Train it with `bulwark train`, or name one with --model.",
    );
  }
  if (arm.index === 0) return env.modelPath;
  const beside = `${env.modelPath}/${armModelFolder(arm.index, arm.name)}`;
  return (await exists(beside)) ? beside : null;
}

async function open(
  arm: ResolvedArm,
  path: string,
  options: OpenOptions,
  training: OpenArm["training"],
  env: RunEnvironment,
): Promise<OpenArm> {
  const { classifier: network, outputs, sha256 } = await openModel(path, options);
  checkShape(network, env.data.dataset.inputShape, path);
  const classifier = defended(network, arm.front, { random: (i) => env.ctx.rng.stream(`defense/${i}`) });
  await checkDefenses(classifier.front ?? [], classifier.inputShape);
  return { outputs, classifier, training, modelHash: sha256 };
}
