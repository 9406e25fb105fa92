import { type Moments, ridge } from "./ridge.ts";

/** Indices of the values from the largest magnitude down, the lower index first among equals. */
export const byMagnitude = (values: Float64Array): number[] =>
  Array.from(values.keys()).sort((i, j) => Math.abs(values[j] as number) - Math.abs(values[i] as number) || i - j);

/** The columns with the largest coefficients of a ridge regression on all of them (lime's "highest_weights"). */
export function highestWeights(moments: Moments, count: number, alpha: number): number[] {
  const all = Array.from(moments.means.keys());
  return byMagnitude(ridge(moments, all, alpha).coefficients).slice(0, count);
}

/** A column of which less than this share is left is a sum of those that were chosen. */
const leftOver = 1e-10;

/**
 * One column after the other, each time the one that raises the weighted R² of a plain regression the most (lime's "forward_selection"): the
 * others are kept orthogonal to those chosen, so that the gain of column j is what is left of cross_j² / gram_jj.
 */
export function forwardSelection({ columns: s, gram, cross }: Moments, count: number): number[] {
  const [g, c] = [Float64Array.from(gram), Float64Array.from(cross)];
  const gain = (j: number): number => {
    const left = g[j * s + j] as number;
    return left > leftOver * (gram[j * s + j] as number) ? (c[j] as number) ** 2 / left : -1;
  };
  const chosen: number[] = [];
  while (chosen.length < Math.min(count, s)) {
    const gains = Array.from({ length: s }, (_, j) => (chosen.includes(j) ? -1 : gain(j)));
    const best = gains.indexOf(Math.max(...gains));
    if ((gains[best] as number) < 0) break;
    chosen.push(best);
    const row = g.slice(best * s, (best + 1) * s);
    const pivot = row[best] as number;
    const value = c[best] as number;
    for (let j = 0; j < s; j++) {
      const factor = (row[j] as number) / pivot;
      c[j] = (c[j] as number) - factor * value;
      for (let k = 0; k < s; k++) g[j * s + k] = (g[j * s + k] as number) - factor * (row[k] as number);
    }
  }
  return chosen;
}
