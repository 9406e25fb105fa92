import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import type { ApplyPatchParams, PatchDocument, PatchImages, PatchPlacement } from "../../../shared/patch.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import type { ImageChoice } from "../../evaluation/source.ts";
import { type LoadedPatch, loadPatch } from "../../patches/load.ts";
import { type Patch, refuseTooLarge } from "../../patches/patch.ts";
import { pasteInto, type Warp, warpOf } from "../../patches/warp.ts";

const stickerArea = 0.1;

/** The patch or sticker that a request names, for the model's images. */
export const openPatch = (file: string, model: Classifier, sticker: ApplyPatchParams["sticker"]): Promise<LoadedPatch> =>
  loadPatch(file, model.inputShape, { area: sticker?.area ?? stickerArea, target: checkedTarget(sticker?.target, model) });

function checkedTarget(target: number | undefined, model: Classifier): number | null {
  if (target === undefined) return null;
  if (Number.isInteger(target) && target >= 0 && target < model.classes) return target;
  throw new BulwarkError("LABEL_RANGE", `The class ${target} is none of the model's ${model.classes}.`, `Use 0 to ${model.classes - 1}.`);
}

/** A copy of the image [H,W,C] with the patch on it, and where it lies. @throws PARAMETER_INVALID for a place that is none */
export function pasteAt(
  pixels: Float32Array,
  patch: Patch,
  placement: PatchPlacement,
  model: Classifier,
): { readonly pixels: Float32Array; readonly warp: Warp } {
  const values = Object.entries(placement).find(([, value]) => typeof value !== "number" || !Number.isFinite(value));
  if (values || placement.scale <= 0)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `The ${values?.[0] ?? "scale"} of the patch is ${values ? String(values[1]) : placement.scale}.`,
      "Row, column and rotation are numbers, the scale is above 0.",
    );
  refuseTooLarge(patch.height, patch.width, placement.scale, model.inputShape, `The patch at scale ${placement.scale}`);
  const warp = warpOf(patch, placement, model.inputShape);
  const pasted = Float32Array.from(pixels);
  pasteInto(pasted, patch.pixels, warp, patch.channels);
  return { pixels: pasted, warp };
}

export const targetName = (patch: Patch, model: Classifier): PatchDocument["target"] =>
  patch.target === null ? null : { index: patch.target, name: model.classNames[patch.target] ?? String(patch.target) };

export const imageChoice = (images: PatchImages, workspace: string): ImageChoice => ({
  files: (images.files ?? []).map((file) => path.resolve(file)),
  dataset: images.dataset ?? null,
  split: images.split ?? "test",
  limit: images.limit ?? null,
  workspace,
});
