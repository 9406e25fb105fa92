import path from "node:path";
import { adversarialThumbnail, armAdversarialFile, armPreparationStem, armRecordsFile, runFiles, staticKey } from "../../shared/runs.ts";
import type { ResolvedArm } from "./arms.ts";

/** Names of the files that a run leaves. An experiment has them by arm and attack, a single attack has one of each. */
export interface RunLayout {
  adversarial(arm: ResolvedArm, key: string): string;
  /** The document of an attack, with a record for every image. */
  records(arm: ResolvedArm, key: string): string;
  /** The same of images that were made without the arm's defence. */
  staticRecords(arm: ResolvedArm, key: string): string;
  /** Files `<stem>.*` of what an attack prepared. */
  preparation(noun: string, arm: ResolvedArm, key: string): string;
  thumbnail(arm: ResolvedArm, key: string, index: number): string;
  /** What a preparation calls the model that it was made on. */
  modelName(arm: ResolvedArm): string;
}

export const experimentLayout: RunLayout = {
  adversarial: ({ index, name }, key) => armAdversarialFile(index, name, key),
  records: ({ index, name }, key) => armRecordsFile(index, name, key),
  staticRecords: ({ index, name }, key) => armRecordsFile(index, name, staticKey(key)),
  preparation: (noun, { name }, key) => armPreparationStem(noun, name, key),
  thumbnail: ({ name }, key, index) => adversarialThumbnail(name, key, index),
  modelName: ({ name }) => name,
};

/** `bulwark attack`: contract.md 2. */
export const attackLayout: RunLayout = {
  ...experimentLayout,
  adversarial: () => runFiles.adversarial,
  records: () => runFiles.result,
  preparation: (noun) => noun,
  modelName: ({ name, model }) => ("file" in model ? path.basename(model.file) : name),
};
