/** Weighted moments of n rows of 0 or 1 in S columns, and of one value a row. */
export interface Moments {
  readonly columns: number;
  /** Weighted means of the columns [S], and of the values. */
  readonly means: Float64Array;
  readonly mean: number;
  /** Σ w (x − x̄)(x − x̄)ᵀ [S,S], and Σ w (x − x̄)(y − ȳ) [S]. */
  readonly gram: Float64Array;
  readonly cross: Float64Array;
}

/** @param masks [n,S], 0 or 1 @param values [n] @param weights [n], of a positive sum */
export function momentsOf(masks: Uint8Array, values: Float64Array, weights: Float64Array): Moments {
  const n = values.length;
  const columns = masks.length / n;
  const total = weights.reduce((a, b) => a + b, 0);
  const mean = values.reduce((sum, y, i) => sum + y * (weights[i] as number), 0) / total;
  const [means, cross, gram] = [new Float64Array(columns), new Float64Array(columns), new Float64Array(columns * columns)];
  for (let i = 0; i < n; i++) {
    const w = weights[i] as number;
    const deviation = w * ((values[i] as number) - mean);
    const on = onesOf(masks, i, columns);
    for (const j of on) {
      means[j] = (means[j] as number) + w / total;
      cross[j] = (cross[j] as number) + deviation;
      for (const k of on) gram[j * columns + k] = (gram[j * columns + k] as number) + w;
    }
  }
  for (let j = 0; j < columns; j++)
    for (let k = 0; k < columns; k++)
      gram[j * columns + k] = (gram[j * columns + k] as number) - total * (means[j] as number) * (means[k] as number);
  return { columns, means, mean, gram, cross };
}

/** The columns that are 1 in row i. */
function onesOf(masks: Uint8Array, i: number, columns: number): number[] {
  const on: number[] = [];
  for (let j = 0; j < columns; j++) if (masks[i * columns + j] === 1) on.push(j);
  return on;
}

export interface Fit {
  /** [S], 0 for columns that were left out. */
  readonly coefficients: Float64Array;
  readonly intercept: number;
}

/** Ridge regression on some of the columns: (XᵀX + αI)c = Xᵀy of what is centred and weighted, the intercept unpenalised. @param alpha above 0 */
export function ridge({ columns, means, mean, gram, cross }: Moments, chosen: readonly number[], alpha: number): Fit {
  const size = chosen.length;
  const matrix = Float64Array.from({ length: size * size }, (_, i) => {
    const [j, k] = [Math.floor(i / size), i % size];
    return (gram[(chosen[j] as number) * columns + (chosen[k] as number)] as number) + (j === k ? alpha : 0);
  });
  const solved = solvePositive(
    matrix,
    chosen.map((j) => cross[j] as number),
  );
  const coefficients = new Float64Array(columns);
  chosen.forEach((j, i) => {
    coefficients[j] = solved[i] as number;
  });
  return { coefficients, intercept: coefficients.reduce((sum, c, j) => sum - c * (means[j] as number), mean) };
}

/** Solves Ax = b of a symmetric positive definite A [m,m] by Cholesky's LLᵀ, written over A. */
function solvePositive(a: Float64Array, b: readonly number[]): number[] {
  const m = b.length;
  const at = (i: number, j: number): number => a[i * m + j] as number;
  for (let j = 0; j < m; j++)
    for (let i = j; i < m; i++) {
      let sum = at(i, j);
      for (let k = 0; k < j; k++) sum -= at(i, k) * at(j, k);
      a[i * m + j] = i === j ? Math.sqrt(sum) : sum / at(j, j);
    }
  const x = [...b];
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < i; k++) x[i] = (x[i] as number) - at(i, k) * (x[k] as number);
    x[i] = (x[i] as number) / at(i, i);
  }
  for (let i = m - 1; i >= 0; i--) {
    for (let k = i + 1; k < m; k++) x[i] = (x[i] as number) - at(k, i) * (x[k] as number);
    x[i] = (x[i] as number) / at(i, i);
  }
  return x;
}
