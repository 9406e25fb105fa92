export interface SingularValues {
  /** The largest ones that are not 0 as far as float64 can tell, descending. */
  readonly values: readonly number[];
  /** How many are not 0. */
  readonly rank: number;
  /** Σσ² over all of them, which is ‖W‖_F². */
  readonly sumOfSquares: number;
}

/**
 * Singular values of a matrix in float64: roots of the eigenvalues of the smaller of WᵀW and WWᵀ, made tridiagonal by Householder's reflections and
 * found by bisection with Sturm's counts. Values below √(ε·n) of the largest are lost in the squares and count as 0.
 * @param values rows·columns numbers, row after row @param most how many to give
 */
export function singularValues(values: ArrayLike<number>, rows: number, columns: number, most: number): SingularValues {
  const squares = gram(values, rows, columns);
  const n = Math.min(rows, columns);
  let sumOfSquares = 0;
  for (let i = 0; i < n; i++) sumOfSquares += squares[i * n + i] ?? 0;
  const { diagonal, beside } = tridiagonal(squares, n);
  const bound = radius(diagonal, beside);
  const above = (x: number): number => n - countBelow(diagonal, beside, x);
  const rank = above(bound * n * Number.EPSILON);
  const roots = Array.from({ length: Math.min(most, rank) }, (_, k) => Math.sqrt(largest(above, k, bound)));
  return { values: roots, rank, sumOfSquares };
}

/** The smaller of WᵀW and WWᵀ, n·n. */
function gram(values: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const isTall = rows >= columns;
  const [n, length] = isTall ? [columns, rows] : [rows, columns];
  const result = new Float64Array(n * n);
  const vector = new Float64Array(n);
  for (let k = 0; k < length; k++) {
    for (let i = 0; i < n; i++) vector[i] = values[isTall ? k * columns + i : i * columns + k] ?? 0;
    for (let i = 0; i < n; i++) {
      const factor = vector[i] ?? 0;
      if (factor === 0) continue;
      for (let j = 0; j <= i; j++) result[i * n + j] = (result[i * n + j] ?? 0) + factor * (vector[j] ?? 0);
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) result[j * n + i] = result[i * n + j] ?? 0;
  return result;
}

/** Householder: a symmetric matrix, which is overwritten, to one of equal eigenvalues with a diagonal and its neighbour alone. */
function tridiagonal(a: Float64Array, n: number): { readonly diagonal: Float64Array; readonly beside: Float64Array } {
  const beside = new Float64Array(Math.max(0, n - 1));
  const at = (i: number, j: number): number => a[i * n + j] ?? 0;
  const u = new Float64Array(n);
  const p = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let square = 0;
    for (let i = k + 1; i < n; i++) square += at(i, k) ** 2;
    const length = at(k + 1, k) > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    beside[k] = length;
    if (square === 0) continue;
    for (let i = k + 1; i < n; i++) u[i] = at(i, k);
    u[k + 1] = (u[k + 1] ?? 0) - length;
    const half = square - at(k + 1, k) * length; // ‖u‖²/2
    let product = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += at(i, j) * (u[j] ?? 0);
      p[i] = sum / half;
      product += (u[i] ?? 0) * (p[i] ?? 0);
    }
    const share = product / (2 * half);
    for (let i = k + 1; i < n; i++) p[i] = (p[i] ?? 0) - share * (u[i] ?? 0);
    for (let i = k + 1; i < n; i++)
      for (let j = k + 1; j < n; j++) a[i * n + j] = at(i, j) - (u[i] ?? 0) * (p[j] ?? 0) - (p[i] ?? 0) * (u[j] ?? 0);
  }
  if (n > 1) beside[n - 2] = at(n - 1, n - 2);
  return { diagonal: Float64Array.from({ length: n }, (_, i) => at(i, i)), beside };
}

/** Gershgorin: no eigenvalue is larger. */
const radius = (diagonal: Float64Array, beside: Float64Array): number =>
  diagonal.reduce((most, d, i) => Math.max(most, d + Math.abs(beside[i - 1] ?? 0) + Math.abs(beside[i] ?? 0)), 0);

/** Sturm: as many eigenvalues are below x as the pivots of T − xI that are negative. */
function countBelow(diagonal: Float64Array, beside: Float64Array, x: number): number {
  let count = 0;
  let pivot = 1;
  for (let i = 0; i < diagonal.length; i++) {
    const side = i === 0 ? 0 : (beside[i - 1] ?? 0);
    pivot = (diagonal[i] ?? 0) - x - (side * side) / pivot;
    if (pivot === 0) pivot = -Number.MIN_VALUE / Number.EPSILON;
    if (pivot < 0) count++;
  }
  return count;
}

/** The k-th largest eigenvalue, from 0, by halving [0, bound] until the ends are neighbours. */
function largest(above: (x: number) => number, k: number, bound: number): number {
  let [low, high] = [0, bound * (1 + 1e-12)];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) break;
    if (above(middle) > k) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
