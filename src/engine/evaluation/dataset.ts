import { createHash } from "node:crypto";
import { BulwarkError } from "../../shared/errors.ts";
import { batchSizeOf } from "../classifier/batchSizes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { sampled } from "../datasets/order.ts";
import type { Dataset, EvaluationImages, Split } from "../define/index.ts";
import type { Random } from "../random.ts";
import { batchesOf } from "./batches.ts";

/** @throws IMAGE_SIZE when the data are not what the model takes. */
export function checkShape(classifier: Pick<Classifier, "inputShape">, data: readonly [number, number, number], model: string): void {
  if (classifier.inputShape.every((side, i) => side === data[i])) return;
  throw new BulwarkError(
    "IMAGE_SIZE",
    `The model ${model} takes images of ${classifier.inputShape.join("×")}, the data set has ${data.join("×")}.`,
    "Choose a data set of that size, or set the data set's size.",
  );
}

const fingerprinted = 256;

export interface SampledImages extends EvaluationImages {
  /** Where in the split each image lies. */
  readonly places: Int32Array;
}

/**
 * At most `limit` images of a split: the first ones of a mixed source, a stratified sample of one that lies class by class (`sampled`).
 * They are the same for every arm, attack and machine of equal seed. DATASET_EMPTY when there are none.
 */
export function evaluationImages(dataset: Dataset, split: Split, limit: number | null, rng: Random): SampledImages {
  const places = sampled(dataset.labels(split), dataset.isGrouped(split), limit, rng.stream(`data/${split}/sample`));
  const n = places.length;
  if (n === 0) throw new BulwarkError("DATASET_EMPTY", `The data set has no ${split} images.`, "Choose another split or data set.");
  return {
    n,
    inputShape: dataset.inputShape,
    read: (start, end) => dataset.read(split, places.subarray(start, end)),
    ...(dataset.identify ? { identify: async (start, end) => (await dataset.identify?.(split, places.subarray(start, end))) ?? [] } : {}),
    places,
  };
}

/** SHA-256 over pixels and labels of the first images: tells whether two runs saw the same data. */
export async function fingerprint(images: EvaluationImages): Promise<string> {
  if (images.n === 0) return "";
  const hash = createHash("sha256");
  const labels: Int32Array[] = [];
  for (const [start, end] of batchesOf(Math.min(images.n, fingerprinted), batchSizeOf(images.inputShape))) {
    const batch = await images.read(start, end);
    hash.update(bytesOf(batch.images));
    labels.push(batch.labels);
  }
  for (const part of labels) hash.update(bytesOf(part));
  return hash.digest("hex");
}

const bytesOf = (array: Float32Array | Int32Array): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
