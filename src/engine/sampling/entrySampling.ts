import type { Random } from "../random.ts";
import { dependentRead, tf } from "../tf.ts";
import { type DrawTable, drawTable } from "./drawTable.ts";
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
    const counts = { all: 0, active: 0, kept: 0 };
    return {
      c,
      multiplier(images, value) {
        const values = isFixed ? read : dependentRead(value);
        const isCommon = values.length === entries; // a single row for all passes
        const out = new Float32Array(images.length * entries);
        const buffers = { words: new Uint32Array(c), drawn: new Uint8Array(entries) };
        let last = pruning(values.subarray(0, entries), c);
        images.forEach((image, pass) => {
          const row = isCommon ? 0 : isFixed ? image : pass;
          const h = values.subarray(row * entries, (row + 1) * entries);
          if (!isSame(h, last.h)) last = pruning(h, c); // passes of one image have the first unit's activations in common
          counts.active += last.active.length;
          counts.kept += draw(last, random[image] as Random, out.subarray(pass * entries, (pass + 1) * entries), buffers);
        });
        counts.all += out.length;
        return tf.tensor(out, [images.length, ...shape.slice(1)]);
      },
      counts,
    };
  },
});

interface Pruning {
  readonly h: Float32Array;
  /** Places of the activations that are not 0. */
  readonly active: Int32Array;
  /** A draw table of these alone: shares in units of 2⁻³⁰, and who has the rest. */
  readonly own: Int32Array;
  readonly other: Int32Array;
  /** 1/π of these. */
  readonly scale: Float64Array;
}
/** For one pass at a time. */
interface Buffers {
  readonly words: Uint32Array;
  readonly drawn: Uint8Array;
}

// What follows runs over every activation of every pass. Which of them are 0, and which are drawn, is as good as random: a branch on it would be
// guessed wrong half of the time and take longer than all else, so whole numbers are counted with in its place.

const unit = 2 ** 30;

function pruning(h: Float32Array, c: number): Pruning {
  const places = new Int32Array(h.length);
  const sizes = new Float64Array(h.length);
  let [n, sum] = [0, 0];
  for (let i = 0; i < h.length; i++) {
    const size = Math.abs(h[i] as number);
    places[n] = i;
    sizes[n] = size;
    sum += size;
    n += Number(size > 0);
  }
  const [active, scale] = [places.slice(0, n), sizes.slice(0, n)];
  const table = n > 0 ? drawTable(scale) : noTable;
  const own = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    own[i] = (table.own[i] as number) * unit;
    scale[i] = 1 / inclusion((scale[i] as number) / sum, c);
  }
  return { h, active, own, other: table.other, scale };
}
const noTable: DrawTable = { own: new Float64Array(), other: new Int32Array() };

function isSame(one: Float32Array, other: Float32Array): boolean {
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

/**
 * Writes 1/π of the activations drawn at least once into `out`, which is 0 before.
 * @returns how many they are
 */
function draw({ active, own, other, scale }: Pruning, random: Random, out: Float32Array, { words, drawn }: Buffers): number {
  const n = active.length;
  if (n === 0) return 0;
  random.words(words);
  drawn.fill(0, 0, n);
  const width = n / 2 ** 32;
  for (let i = 0; i < words.length; i++) {
    const at = (words[i] as number) * width;
    const place = at | 0;
    const isOther = ((own[place] as number) - 1 - (((at - place) * unit) | 0)) >>> 31;
    drawn[place + Math.imul(isOther, (other[place] as number) - place)] = 1;
  }
  let kept = 0;
  for (let i = 0; i < n; i++) {
    const isDrawn = drawn[i] as number;
    out[active[i] as number] = isDrawn * (scale[i] as number);
    kept += isDrawn;
  }
  return kept;
}
