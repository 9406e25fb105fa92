import type { Random } from "../random.ts";
import { handedOver } from "../tf.ts";
import { reused, type SamplingScheme } from "./scheme.ts";

/** Dropout: each single activation stays with probability 1 − rate, rounded to 2⁻¹⁶, on its own, and is divided by it. */
export const dropoutSampling = (rate: number): SamplingScheme => ({
  draws({ rows, channels, shape }, _read, random) {
    const entries = rows * channels;
    const share = 2 ** digits - Math.round(rate * 2 ** digits);
    const table = spreadBytes(2 ** digits / share);
    const kept = new Int32Array(Math.ceil(entries / 32));
    const one = new Float64Array(16 * kept.length);
    const ofPass = new Float32Array(one.buffer, 0, entries);
    const isWhole = entries % 32 === 0;
    const counts = { all: 0, active: 0, kept: 0 };
    const arrayOf = reused();
    return {
      c: null,
      multiplier(images) {
        const out = arrayOf(images.length * entries);
        images.forEach((image, pass) => {
          keptBits(share, random[image] as Random, kept);
          const offset = pass * entries;
          spread(kept, table, isWhole ? new Float64Array(out.buffer, 4 * offset, entries / 2) : one);
          if (!isWhole) out.set(ofPass, offset);
          counts.kept += ones(kept, entries);
        });
        counts.all += out.length;
        counts.active += out.length;
        return handedOver(out, [images.length, ...shape.slice(1)]);
      },
      counts,
    };
  },
});

const digits = 16;
/** Words whose random numbers are drawn at once. */
const wordsAtOnce = 64;

/**
 * Fills `out` with bits, each of them 1 with probability share/2¹⁶ on its own: by the digits of the share from the lowest that is 1, a random
 * word each, of which "or" takes a probability p to (1 + p)/2, and "and" to p/2. One half takes one word for 32 bits, others up to 16.
 */
function keptBits(share: number, random: Random, out: Int32Array): void {
  if (share === 2 ** digits) {
    out.fill(-1);
    return;
  }
  const lowest = 31 - Math.clz32(share & -share);
  const words = new Uint32Array(wordsAtOnce * (digits - lowest));
  for (let start = 0; start < out.length; start += wordsAtOnce) {
    random.words(words);
    const end = Math.min(out.length, start + wordsAtOnce);
    for (let i = start, used = 0; i < end; i++) {
      let bits = 0;
      for (let digit = lowest; digit < digits; digit++) {
        const isSet = -((share >>> digit) & 1);
        const word = words[used++] as number;
        bits = (bits | (word & isSet)) & (word | isSet);
      }
      out[i] = bits;
    }
  }
}

/** For each byte what its eight bits come to in float32, `value` for 1 and 0 for 0; two of them in a float64, as they lie in memory. */
const spreadBytes = (value: number): Float64Array =>
  new Float64Array(Float32Array.from({ length: 256 * 8 }, (_, i) => (((i >>> 3) >>> (i & 7)) & 1 ? value : 0)).buffer);

/** Writes 32 float32 numbers for each word, two at once and without a branch, which would be guessed wrong half of the time. */
function spread(words: Int32Array, table: Float64Array, out: Float64Array): void {
  for (let i = 0, at = 0; i < words.length; i++) {
    const word = words[i] as number;
    for (let shift = 0; shift < 32; shift += 8, at += 4) {
      const from = ((word >> shift) & 255) << 2;
      out[at] = table[from] as number;
      out[at + 1] = table[from + 1] as number;
      out[at + 2] = table[from + 2] as number;
      out[at + 3] = table[from + 3] as number;
    }
  }
}

/** How many of the first `count` bits are 1. */
function ones(words: Int32Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < words.length; i++) {
    const last = count - 32 * i;
    const word = (words[i] as number) & (last < 32 ? (1 << last) - 1 : -1);
    const pairs = word - ((word >>> 1) & 0x55555555);
    const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
    sum += Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return sum;
}
