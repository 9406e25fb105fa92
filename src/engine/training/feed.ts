import type { ImageBatch, ImageIdentity, Syllabus } from "../define/index.ts";
import { readAhead } from "../io/readAhead.ts";
import type { Random } from "../random.ts";

/** Images by their place; what is trained on may be larger than memory. */
export interface ImageSource {
  readonly size: number;
  read(indices: ArrayLike<number>): Promise<ImageBatch>;
  /** What the images are, where their data set says it better than their pixels. */
  identify?(indices: ArrayLike<number>): Promise<readonly ImageIdentity[]>;
}

/** A batch for one optimiser step, with the places of its images in the source. */
export interface FedBatch extends ImageBatch {
  readonly indices: Int32Array;
}

/** Optimiser steps of an epoch. */
export function stepsOf(size: number, batchSize: number, syllabus: Syllabus | undefined): number {
  const whole = Math.floor(size / batchSize);
  const rest = size % batchSize;
  const micro = syllabus ? Math.max(1, Math.min(batchSize, syllabus.microBatch(batchSize))) : batchSize;
  return whole * Math.ceil(batchSize / micro) + Math.ceil(rest / micro);
}

/**
 * The batches of one epoch, one optimiser step each: images shuffled by `rng`; with a syllabus each batch is brought into its order and
 * consumed in consecutive micro-batches (order within one step would change nothing). The last, smaller batch is kept.
 */
export async function* feed(source: ImageSource, batchSize: number, syllabus: Syllabus | undefined, rng: Random): AsyncGenerator<FedBatch> {
  const order = rng.permutation(source.size);
  for await (const [indices, read] of batchesAhead(source, order, batchSize)) {
    const batch = { ...read, indices };
    if (!syllabus) {
      yield batch;
      continue;
    }
    const micro = Math.max(1, Math.min(batchSize, syllabus.microBatch(batchSize)));
    const places = syllabus.order(batch.images, batch.n);
    for (let at = 0; at < batch.n; at += micro) yield pick(batch, places.subarray(at, at + micro));
  }
}

/** All images in their order, batch by batch. */
export async function* inOrder(source: ImageSource, batchSize: number): AsyncGenerator<FedBatch> {
  const all = Int32Array.from({ length: source.size }, (_, i) => i);
  for await (const [indices, read] of batchesAhead(source, all, batchSize)) yield { ...read, indices };
}

/** The images at these places, batch by batch. The next batch is read while the caller works on the current one. */
function batchesAhead(source: ImageSource, places: Int32Array, size: number): AsyncGenerator<readonly [Int32Array, ImageBatch]> {
  const batches = Array.from({ length: Math.ceil(places.length / size) }, (_, i) => places.subarray(i * size, (i + 1) * size));
  return readAhead(batches, (indices) => source.read(indices));
}

function pick(batch: FedBatch, places: Int32Array): FedBatch {
  const values = batch.images.length / batch.n;
  const images = new Float32Array(places.length * values);
  places.forEach((place, i) => {
    images.set(batch.images.subarray(place * values, (place + 1) * values), i * values);
  });
  const at = (values: Int32Array): Int32Array => Int32Array.from(places, (place) => values[place] as number);
  return { images, labels: at(batch.labels), indices: at(batch.indices), n: places.length };
}
