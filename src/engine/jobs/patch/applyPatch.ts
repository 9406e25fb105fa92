import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import type { ApplyPatchParams, ApplyPatchResult } from "../../../shared/patch.ts";
import { argmax } from "../../evaluation/clean.ts";
import { classScores, readPicture } from "../../evaluation/picture.ts";
import { writePicture } from "../../evaluation/write.ts";
import { probabilities } from "../../harness/predict.ts";
import { fitsInside } from "../../patches/placement.ts";
import type { Engine } from "../../session/engine.ts";
import { openPatch, pasteAt, targetName } from "./scene.ts";

/**
 * Pastes a patch at one place of a picture and asks the model about both.
 * @throws FILE_NOT_FOUND, IMAGE_INVALID, IMAGE_SIZE, LABEL_RANGE, PARAMETER_INVALID
 */
export async function applyPatch(p: ApplyPatchParams, engine: Engine): Promise<ApplyPatchResult> {
  const model = await engine.model(p.model);
  const shape = model.inputShape;
  if (p.label !== undefined && !(p.label >= 0 && p.label < model.classes))
    throw new BulwarkError(
      "LABEL_RANGE",
      `The label ${p.label} is none of the ${model.classes} classes.`,
      `Use 0 to ${model.classes - 1}.`,
    );
  const { pixels } = await readPicture(p.image, model);
  const { patch } = await openPatch(p.patch, model, p.sticker);
  const pasted = pasteAt(pixels, patch, p.placement, model);
  const file = p.file ?? "pasted.png";
  const directory = path.resolve(p.directory);
  await writePicture(path.join(directory, file), pasted.pixels, 0, shape);
  const [before, after] = [await probabilities(model, pixels), await probabilities(model, pasted.pixels)];
  const label = p.label ?? argmax(before, 0, model.classes);
  const prediction = argmax(after, 0, model.classes);
  const clean = classScores(before, model);
  return {
    directory,
    image: file,
    imageSize: shape,
    patchSize: [patch.height, patch.width],
    coverage: pasted.warp.alpha.reduce((sum, w) => sum + w, 0) / (shape[0] * shape[1]),
    fits: fitsInside(patch, p.placement, shape),
    label: clean.find(({ index }) => index === label) ?? { index: label, name: String(label), probability: 0 },
    labelKnown: p.label !== undefined,
    target: targetName(patch, model),
    clean,
    patched: classScores(after, model),
    success: prediction !== label,
    targetReached: patch.target === null ? null : prediction === patch.target,
  };
}
