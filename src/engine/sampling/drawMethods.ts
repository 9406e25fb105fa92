import { drawTable } from "./drawTable.ts";
import type { DrawMethod } from "./entrySampling.ts";
import { exponent, included } from "./inclusion.ts";

// These run over every activation of every pass. Which of them are drawn is as good as random: a branch on it would be guessed wrong half of the
// time and take longer than all else, so both compute with the sign of a difference of whole numbers, in units of 2⁻³⁰ and 2⁻³¹.
const [unit, half] = [2 ** 30, 2 ** 31];

/** c draws with replacement, as in the paper: π = 1 − (1 − p)^c. */
export const withReplacement: DrawMethod = ({ places, sizes, sum }, c) => {
  const n = places.length;
  if (n === 0) return () => 0;
  const { own, other } = drawTable(sizes);
  const scale = new Float64Array(n);
  const share = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    scale[i] = 1 / included(c * exponent((sizes[i] as number) / sum));
    share[i] = (own[i] as number) * unit;
  }
  const words = new Uint32Array(c);
  const drawn = new Uint8Array(n);
  const width = n / 2 ** 32;
  return (random, out) => {
    random.words(words);
    drawn.fill(0);
    for (let i = 0; i < c; i++) {
      const at = (words[i] as number) * width;
      const place = at | 0;
      const isOther = ((share[place] as number) - 1 - (((at - place) * unit) | 0)) >>> 31;
      drawn[place + Math.imul(isOther, (other[place] as number) - place)] = 1;
    }
    let kept = 0;
    for (let i = 0; i < n; i++) {
      const isDrawn = drawn[i] as number;
      out[places[i] as number] = isDrawn * (scale[i] as number);
      kept += isDrawn;
    }
    return kept;
  };
};

/**
 * Each activation on its own, with π = 1 − e^(−c·p), as in the code of Athalye et al. 2018: what draws with replacement come to where their
 * number is random with mean c. It takes one random number for each activation, and a third of the time.
 */
export const independent: DrawMethod = ({ places, sizes, sum }, c) => {
  const n = places.length;
  const rate = c / sum;
  const scale = new Float64Array(n);
  const limit = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const kept = Math.max(1 / half, included((sizes[i] as number) * rate));
    scale[i] = 1 / kept;
    limit[i] = Math.min(half - 1, kept * half);
  }
  const words = new Uint32Array(n);
  return (random, out) => {
    random.words(words);
    let kept = 0;
    for (let i = 0; i < n; i++) {
      const isDrawn = (((words[i] as number) >>> 1) - (limit[i] as number)) >>> 31;
      out[places[i] as number] = isDrawn * (scale[i] as number);
      kept += isDrawn;
    }
    return kept;
  };
};
