import { BulwarkError } from "../../../shared/errors.ts";
import type { Choice } from "../../../shared/results.ts";
import { armModelFolder } from "../../../shared/runs.ts";
import type { Classifier } from "../../classifier.ts";
import { resolveParams } from "../../define.ts";
import { exists } from "../../io/files.ts";
import { find } from "../../registry.ts";
import { type OpenOptions, openModel } from "../openModel.ts";
import type { RunEnvironment } from "./environment.ts";
import type { ResolvedArm } from "./resolve.ts";
import { readTraining, type TrainingRecord, trainArm } from "./trainArm.ts";
import { isTrained } from "./trainee.ts";

export interface OpenArm {
  readonly classifier: Classifier;
  readonly training: (TrainingRecord & { readonly reused: boolean }) | null;
  readonly modelHash: string;
}

/** Trains an arm if that is asked for and needed, and opens it; null where there is no model for it to evaluate. */
export async function openArm(arm: ResolvedArm, env: RunEnvironment): Promise<OpenArm | null> {
  if ("file" in arm.model && !isTrained(arm)) return open(arm, arm.model.file, { contract: arm.model.input ?? undefined }, null, env);
  const own = { classNames: env.data.dataset.classNames };
  if (env.mode !== "evaluate") {
    const training = await trainArm(arm, env);
    return open(arm, env.store.file(armModelFolder(arm.index, arm.name)), own, training, env);
  }
  const folder = await trainedFolder(arm, env);
  if (folder === null) {
    env.emit({ kind: "warning", message: `There is no trained model for ${arm.name}: it is left out of the evaluation.` });
    return null;
  }
  const training = await readTraining(folder);
  return open(arm, folder, own, training ? { ...training, reused: true } : null, env);
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
  const { classifier, sha256 } = await openModel(path, options);
  checkShape(classifier, env.data.dataset.inputShape, path);
  return { classifier: wrapped(classifier, arm.defense, env), training, modelHash: sha256 };
}

/** An inference defence stands in front of the model. */
function wrapped(classifier: Classifier, defense: Choice, env: RunEnvironment): Classifier {
  const entry = find("defense", defense.id);
  return entry.kind === "inference" ? entry.wrap(classifier, resolveParams(entry.params, defense.params, entry.id), env.ctx) : classifier;
}

/** @throws IMAGE_SIZE when the data are not what the model takes. */
export function checkShape(classifier: Classifier, data: readonly [number, number, number], model: string): void {
  if (classifier.inputShape.every((side, i) => side === data[i])) return;
  throw new BulwarkError(
    "IMAGE_SIZE",
    `The model ${model} takes images of ${classifier.inputShape.join("×")}, the data set has ${data.join("×")}.`,
    "Choose a data set of that size, or set the data set's size.",
  );
}
