import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { RunEventBody } from "../../shared/events.ts";
import { exists } from "../io/files.ts";
import type { ResolvedArm, ResolvedFile } from "./arms.ts";
import type { RunMode } from "./environment.ts";
import { isTrained, ownerOf, type StaticSources } from "./networks.ts";
import { type ModelPlace, ownFolder } from "./openNetworks.ts";
import type { ResolvedExperiment } from "./resolve.ts";

/** What decides where the model of an arm is. */
export interface LocateFacts {
  readonly experiment: Pick<ResolvedExperiment, "arms">;
  readonly mode: RunMode;
  /** For `evaluate`: where the trained models are, when not in the run's folder. */
  readonly modelPath: string | null;
  /** Run folder. */
  readonly directory: string;
}

/** The run makes the arm's network itself. */
export const trains = (arm: ResolvedArm, mode: RunMode): boolean => mode !== "evaluate" && isTrained(arm);

/**
 * Where the network of every arm is or will be; without those of which there is none, which is said.
 * @throws FILE_NOT_FOUND where even the first arm has none
 */
export async function locateModels(
  o: LocateFacts,
  sources: StaticSources,
  emit: (event: RunEventBody) => void,
): Promise<Map<ResolvedArm, ModelPlace>> {
  const places = new Map<ResolvedArm, ModelPlace>();
  for (const arm of [...o.experiment.arms, ...sources.unlisted]) {
    const place = await modelPlace(arm, o);
    if (place) places.set(arm, place);
    else emit({ kind: "warning", message: `There is no trained model for ${arm.name}: it is left out of the evaluation.` });
  }
  return places;
}

export const fileOf = ({ file, input }: ResolvedFile): ModelPlace => ({ path: file, options: { contract: input ?? undefined } });

/** Where the network of an arm is or will be; null where there is none. @throws FILE_NOT_FOUND where even the first arm has none */
export async function modelPlace(arm: ResolvedArm, o: LocateFacts): Promise<ModelPlace | null> {
  if ("file" in arm.model && !isTrained(arm)) return fileOf(arm.model);
  const owner = ownerOf(arm, o.experiment.arms);
  if (trains(arm, o.mode)) return { path: path.join(o.directory, ownFolder(owner)), options: {} };
  const folder = await trainedFolder(owner, o);
  return folder === null ? null : { path: folder, options: {} };
}

/** Where `evaluate` finds the network of an arm: the model named for the first, else folders of the named run, else this run's own. */
async function trainedFolder(owner: ResolvedArm, { directory, modelPath }: LocateFacts): Promise<string | null> {
  if (modelPath === null) {
    const own = path.join(directory, ownFolder(owner));
    if (await exists(own)) return own;
    if (owner.index !== 0) return null;
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `There is no trained model in ${directory}.`,
      "Train it with `bulwark train`, or name one with --model.",
    );
  }
  if (owner.index === 0) return modelPath;
  const beside = path.join(modelPath, ownFolder(owner));
  return (await exists(beside)) ? beside : null;
}
