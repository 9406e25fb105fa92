import type { Random } from "../random.ts";
import { dependentRead, handedOver, tf } from "../tf.ts";
import { drawsOf } from "./inclusion.ts";
import { reused, type SamplingScheme } from "./scheme.ts";

/** The activations of a map [entries] that are not 0, and where they are. */
export interface Activations {
  readonly places: Int32Array;
  readonly sizes: Float64Array;
  readonly sum: number;
}

/**
 * One pass over a map: writes 1/π of what it keeps into `out`, which is 0 before, π being the probability that it is kept.
 * @returns how many are kept
 */
export type DrawActivations = (random: Random, out: Float32Array) => number;

/** How c draws of a map are made; called once where several passes have its activations in common. */
export type DrawMethod = (of: Activations, c: number) => DrawActivations;

/**
 * Stochastic activation pruning (Dhillon et al. 2018): of all single activations of a map, r = ratio × their number are drawn with
 * probabilities |h_j|/Σ|h|; those drawn are divided by the probability that they are, all others are 0.
 * @param isFixed probabilities of the plain pass in all passes; else of what the unit gives in the pass itself
 */
export const entrySampling = (ratio: number, isFixed: boolean, method: DrawMethod): SamplingScheme => ({
  ...(isFixed ? { reads: (value: tf.Tensor) => tf.abs(value) } : {}),
  draws({ rows, channels, shape }, read, random) {
    const entries = rows * channels;
    const c = drawsOf(ratio * entries);
    const counts = { all: 0, active: 0, kept: 0 };
    const arrayOf = reused();
    const prepared = (h: Float32Array) => {
      const found = activations(h);
      return { h, active: found.places.length, draw: method(found, c) };
    };
    return {
      c,
      multiplier(images, value) {
        const values = isFixed ? read : dependentRead(value);
        const isCommon = values.length === entries; // a single row for all passes
        const out = arrayOf(images.length * entries).fill(0);
        let [last, lastRow] = [prepared(values.subarray(0, entries)), 0];
        images.forEach((image, pass) => {
          const row = isCommon ? 0 : isFixed ? image : pass;
          const h = values.subarray(row * entries, (row + 1) * entries);
          if (row !== lastRow && !isSame(h, last.h)) last = prepared(h); // passes of one image have the first unit's activations in common
          lastRow = row;
          counts.active += last.active;
          counts.kept += last.draw(random[image] as Random, out.subarray(pass * entries, (pass + 1) * entries));
        });
        counts.all += out.length;
        return handedOver(out, [images.length, ...shape.slice(1)]);
      },
      counts,
    };
  },
});

function activations(h: Float32Array): Activations {
  const places = new Int32Array(h.length);
  const sizes = new Float64Array(h.length);
  let [n, sum] = [0, 0];
  for (let i = 0; i < h.length; i++) {
    const size = Math.abs(h[i] as number);
    places[n] = i;
    sizes[n] = size;
    sum += size;
    n += Number(size > 0); // no branch: whether an activation is 0 is as good as random, and would be guessed wrong half of the time
  }
  return { places: places.slice(0, n), sizes: sizes.slice(0, n), sum };
}

function isSame(one: Float32Array, other: Float32Array): boolean {
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
