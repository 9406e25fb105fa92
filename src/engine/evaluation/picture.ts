import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { AppliedFit, FitRule } from "../../shared/fit.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { exists } from "../io/files.ts";
import { readImage } from "../io/images.ts";

export interface PictureInput {
  /** [H,W,C] in [0,1], of the model's size. */
  readonly pixels: Float32Array;
  /** What was done to the picture to make it fit. */
  readonly notes: readonly string[];
  /** How it was brought to the model's size; null where it has that size. */
  readonly fit: AppliedFit | null;
}

/**
 * A picture file as the model takes it. One of another size is fitted by `rule`, else as the contract says, else by "cover", as ImageNet
 * evaluation does.
 * @throws FILE_NOT_FOUND, IMAGE_INVALID, IMAGE_SIZE where the rule forbids another size
 */
export async function readPicture(file: string, model: Classifier, rule?: FitRule | null): Promise<PictureInput> {
  const [height, width, channels] = model.inputShape;
  if (channels !== 1 && channels !== 3)
    throw new BulwarkError("IMAGE_SIZE", `The model takes ${channels} channels, pictures have 1 or 3.`, "Use a data set of kind `arrays`.");
  const { input } = model.contract;
  const resize = rule ?? input.resize ?? "cover";
  const image = await readImage(path.resolve(file), { size: [height, width], channels, resize, crop: input.crop });
  const { pixels, notes, original } = image;
  const isSame = original[0] === height && original[1] === width;
  return { pixels, notes, fit: isSame ? null : { rule: resize, from: original, to: [height, width] } };
}

/** Asks for all files before any is read. @throws FILE_NOT_FOUND for the first that is not there */
export async function checkFiles(files: readonly string[]): Promise<void> {
  for (const file of files)
    if (!(await exists(path.resolve(file)))) throw new BulwarkError("FILE_NOT_FOUND", `There is no file ${file}.`, "Check the path.");
}

/** The classes of one image, most probable first. */
export function classScores(scores: ArrayLike<number>, model: Classifier, row = 0): { index: number; name: string; probability: number }[] {
  return Array.from({ length: model.classes }, (_, index) => ({
    index,
    name: model.classNames[index] ?? String(index),
    probability: scores[row * model.classes + index] as number,
  })).sort((a, b) => b.probability - a.probability);
}
