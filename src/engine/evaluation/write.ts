import type { AttackDocument, AttackSummary } from "../../shared/results.ts";
import { adversarialThumbnail, cleanThumbnail, runFiles, thumbnailCount } from "../../shared/runs.ts";
import { writeNpz } from "../io/npz.ts";
import { writePng } from "../io/png.ts";
import type { RunStore } from "../io/runStore.ts";
import { toBytes } from "../pixels.ts";
import { type Evaluated, recordsOf } from "./evaluate.ts";

/** `adversarial*.npz`: float32 `clean` and `adversarial` [n,H,W,C], int32 `label` and `prediction` [n]. */
export async function writeAdversarial(
  file: string,
  e: Evaluated,
  [height, width, channels]: readonly [number, number, number],
): Promise<void> {
  const n = e.labels.length;
  const shape = [n, height, width, channels];
  await writeNpz(file, {
    clean: { data: e.clean, shape },
    adversarial: { data: e.adversarial, shape },
    label: { data: e.labels, shape: [n] },
    prediction: { data: e.predictions, shape: [n] },
  });
}

/** PNGs of the first images, before and after. */
export async function writeThumbnails(
  store: RunStore,
  e: Evaluated,
  inputShape: readonly [number, number, number],
  names: { readonly arm: string; readonly attack: string },
): Promise<void> {
  const count = Math.min(thumbnailCount, e.labels.length);
  for (let index = 0; index < count; index++) {
    await writePicture(store.file(cleanThumbnail(index)), e.clean, index, inputShape);
    await writePicture(store.file(adversarialThumbnail(names.arm, names.attack, index)), e.adversarial, index, inputShape);
  }
}

/** Image `index` of [n,H,W,C] floats as a PNG of its own size. */
export async function writePicture(
  file: string,
  images: Float32Array,
  index: number,
  [height, width, channels]: readonly [number, number, number],
): Promise<void> {
  const size = height * width * channels;
  await writePng(file, toBytes(images.subarray(index * size, (index + 1) * size)), height, width, channels === 1 ? 1 : 3);
}

/** The contract's document of one attack. */
export const attackDocument = (run: string, summary: AttackSummary, e: Evaluated, adversarial: string): AttackDocument => ({
  run,
  ...summary,
  images: recordsOf(e),
  files: { adversarial, images: `${runFiles.images}/` },
});
