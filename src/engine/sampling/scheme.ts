import type { Random } from "../random.ts";
import type { tf } from "../tf.ts";

/** A layer that is sampled, for one batch. */
export interface UnitFacts {
  /** [b,…,channels]: of its plain value. */
  readonly shape: readonly number[];
  /** Places of the map, of all slices of a volume. */
  readonly rows: number;
  readonly channels: number;
}

/** Rows, or single activations, over passes. */
export interface SampledCounts {
  all: number;
  /** Those that are not 0 anyway. */
  active: number;
  kept: number;
}

/** The draws of one unit for a batch of images. */
export interface UnitDraws {
  /** Draws of one pass; null where none are counted. */
  readonly c: number | null;
  /** Of the rows of each image, [b·rows], where they are the same in all passes. */
  readonly probabilities?: Float64Array;
  /**
   * What the unit's value is multiplied with, a constant to gradients. Called in a tidy. It lies in an array that the next call writes over,
   * so that what is computed from it has to be read first.
   * @param images of every pass: its image's place in the batch; those of one image come in the order of its passes
   * @param value what the unit gives in these passes, [passes,…,channels]
   * @returns [passes,…,1] or [passes,…,channels]
   */
  multiplier(images: readonly number[], value: tf.Tensor): tf.Tensor;
  /** Of the passes so far: how many of the rows, or of single activations, there were, could be drawn, and were. */
  readonly counts: Readonly<SampledCounts>;
}

/** A way to sample activations. */
export interface SamplingScheme {
  /** What has to be known of a unit's plain value [b,…,channels]: so many numbers an image. Called in a tidy; absent where nothing has. */
  readonly reads?: (value: tf.Tensor) => tf.Tensor;
  /** @param read what `reads` gave, image by image @param random the unit's stream of each image */
  draws(unit: UnitFacts, read: Float32Array, random: readonly Random[]): UnitDraws;
}

export function unitFacts(value: tf.Tensor): UnitFacts {
  const [, ...sides] = value.shape;
  const channels = sides.at(-1) ?? 1;
  return { shape: value.shape, rows: value.size / (value.shape[0] ?? 1) / channels, channels };
}

/** An array that `multiplier` writes into again in each call: new ones would be filled with zeros, copied and collected for every batch. */
export function reused(): (length: number) => Float32Array {
  let values = new Float32Array();
  return (length) => {
    if (values.length < length) values = new Float32Array(length);
    return values.length === length ? values : values.subarray(0, length);
  };
}
