import type { Random } from "../random.ts";
import { dependentRead, tf } from "../tf.ts";
import { drawInto, drawTable } from "./drawTable.ts";
import { drawsOf, inclusion } from "./inclusion.ts";
import type { SamplingScheme } from "./scheme.ts";

/**
 * Stochastic activation pruning (Dhillon et al. 2018): of all single activations of a map, r = ratio × their number are drawn with replacement
 * with probabilities |h_j|/Σ|h|; those drawn are divided by 1 − (1 − p_j)^r, all others are 0.
 * @param isFixed probabilities of the plain pass in all passes; else of what the unit gives in the pass itself
 */
export const entrySampling = (ratio: number, isFixed: boolean): SamplingScheme => ({
  ...(isFixed ? { reads: (value: tf.Tensor) => tf.abs(value) } : {}),
  draws({ rows, channels, shape }, read, random) {
    const entries = rows * channels;
    const c = drawsOf(ratio * entries);
    const fixed = isFixed ? random.map((_, i) => pruning(read.subarray(i * entries, (i + 1) * entries), c)) : null;
    const counts = { all: 0, active: 0, kept: 0 };
    return {
      c,
      multiplier(images, value) {
        const values = fixed ? null : dependentRead(value);
        const common = values?.length === entries ? pruning(values, c) : null; // a single row for all passes
        const out = new Float32Array(images.length * entries);
        images.forEach((image, pass) => {
          const offset = pass * entries;
          const drawn = fixed?.[image] ?? common ?? pruning((values as Float32Array).subarray(offset, offset + entries), c);
          counts.active += drawn.active;
          counts.kept += drawn.into({ random: random[image] as Random, out, offset });
        });
        counts.all += out.length;
        return tf.tensor(out, [images.length, ...shape.slice(1)]);
      },
      counts,
    };
  },
});

interface Place {
  readonly random: Random;
  readonly out: Float32Array;
  readonly offset: number;
}

interface Pruning {
  /** Activations that are not 0. */
  readonly active: number;
  /** Draws: writes 1/π of those drawn, and counts them. Nothing is drawn where all are 0. */
  into(place: Place): number;
}

function pruning(h: Float32Array, c: number): Pruning {
  // Plain loops: these run over every activation of every pass.
  const sizes = new Float64Array(h.length);
  let [sum, active] = [0, 0];
  for (let i = 0; i < h.length; i++) {
    const size = Math.abs(h[i] as number);
    sizes[i] = size;
    sum += size;
    if (size !== 0) active++;
  }
  if (sum === 0) return { active, into: () => 0 };
  const table = drawTable(sizes);
  for (let i = 0; i < h.length; i++) if (sizes[i] !== 0) sizes[i] = 1 / inclusion((sizes[i] as number) / sum, c);
  return { active, into: ({ random, ...place }) => drawInto(table, c, sizes, random, place) };
}
