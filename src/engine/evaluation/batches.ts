import type { Classifier } from "../classifier/classifier.ts";
import type { EvaluationImages, ImageBatch } from "../define/index.ts";

/**
 * Largest batch, and how many pixel values it may hold: 100 digits, 6 photos of 224×224. A step over a batch computes in one piece, and
 * nothing else may wait for it longer than 250 ms with a small network; its activations have to fit into memory with a large one.
 */
const most = 100;
const values = 1_000_000;

/** Images to a batch: depends on the image's size alone, so that a resumed evaluation makes the same batches. */
export const batchSizeOf = ([height, width, channels]: Classifier["inputShape"]): number =>
  Math.max(1, Math.min(most, Math.floor(values / (height * width * channels))));

/** Images [start, end). */
export type Range = readonly [start: number, end: number];

/** Batches of n images. */
export const batchesOf = (n: number, size: number): Range[] => batchesWithin([0, n], size);

/** Batches of a part of the images; where the part begins with a batch, they are the same as those of all images. */
export function batchesWithin([start, end]: Range, size: number): Range[] {
  const count = Math.ceil((end - start) / size);
  return Array.from({ length: count }, (_, i) => [start + i * size, Math.min(end, start + (i + 1) * size)] as const);
}

/** Images that are in memory already. */
export function inMemory(batch: ImageBatch, inputShape: readonly [number, number, number]): EvaluationImages {
  const pixels = inputShape[0] * inputShape[1] * inputShape[2];
  return {
    n: batch.n,
    inputShape,
    read: async (start, end) => ({
      images: batch.images.slice(start * pixels, end * pixels),
      labels: batch.labels.slice(start, end),
      n: end - start,
    }),
  };
}
