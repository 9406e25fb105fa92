import type { EvaluationImages, ImageBatch } from "../define/index.ts";

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
