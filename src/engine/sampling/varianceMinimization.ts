import { BulwarkError } from "../../shared/errors.ts";
import { sharesOfEqualMultiplier } from "./sharedMultiplier.ts";

/**
 * The row probabilities p that minimise the variance of c draws with replacement, Φ(p) = Σ α_i/(1 − (1 − p_i)^c) over the simplex (paper 3,
 * Algorithm 2), found exactly: at the minimum all rows with α_i > 0 share one multiplier ν = α_i·c·(1 − p_i)^(c−1)/π_i². Rows with α_i = 0
 * get 0. All zero where every α is 0, as there is nothing to sample.
 * @param alpha squared norms of the rows, finite, at least 0
 * @param c draws, a whole number of at least 1
 * @throws MODEL_NAN for a norm that is no number
 */
export function minimumVariance(alpha: ArrayLike<number>, c: number): Float64Array {
  const rows = activeRows(alpha);
  const p = new Float64Array(alpha.length);
  if (rows.length === 0) return p;
  // Plain loops here and in the solver: an iterator would take longer than the solution.
  const logs = new Float64Array(rows.length);
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < rows.length; i++) {
    logs[i] = Math.log(alpha[rows[i] as number] as number);
    largest = Math.max(largest, logs[i] as number);
  }
  // One draw is solved in closed form, p ∝ √α; a single row needs no solution.
  const shares = c === 1 || rows.length === 1 ? logs.map((log) => Math.exp((log - largest) / 2)) : sharesOfEqualMultiplier(logs, c);
  let sum = 0;
  for (let i = 0; i < shares.length; i++) sum += shares[i] as number;
  for (let i = 0; i < shares.length; i++) p[rows[i] as number] = (shares[i] as number) / sum;
  return p;
}

/** Rows that can be drawn: those with α > 0. @throws MODEL_NAN */
export function activeRows(alpha: ArrayLike<number>): Int32Array {
  const rows = new Int32Array(alpha.length);
  let n = 0;
  for (let i = 0; i < alpha.length; i++) {
    const value = alpha[i] as number;
    if (!(value >= 0) || value === Number.POSITIVE_INFINITY)
      throw new BulwarkError("MODEL_NAN", "The model's activations are not numbers.", "Check its weights and its input contract.");
    if (value > 0) rows[n++] = i;
  }
  return rows.subarray(0, n);
}
