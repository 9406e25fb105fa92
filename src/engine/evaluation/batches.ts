import type { Classifier } from "../classifier/classifier.ts";
import type { ImageBatch } from "../define/index.ts";

/** The images an attack is evaluated on, in a fixed order. */
export interface EvaluationImages {
  readonly n: number;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  /** Images [start, end). */
  read(start: number, end: number): Promise<ImageBatch>;
}

/** Largest batch, and how many pixel values it may hold: 100 digits, 26 photos of 224×224. */
const most = 100;
const values = 4_000_000;

/** Images to a batch: depends on the image's size alone, so that a resumed evaluation makes the same batches. */
export const batchSizeOf = ([height, width, channels]: Classifier["inputShape"]): number =>
  Math.max(1, Math.min(most, Math.floor(values / (height * width * channels))));

/** [start, end) of each batch. */
export function batchesOf(n: number, size: number): (readonly [start: number, end: number])[] {
  return Array.from({ length: Math.ceil(n / size) }, (_, i) => [i * size, Math.min(n, (i + 1) * size)] as const);
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
