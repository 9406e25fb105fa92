/** The number of draws that a share of the rows, or a size of the image, comes to: a whole number, at least 1. */
export const drawsOf = (c: number): number => Math.max(1, Math.round(c));

/**
 * Probability π = 1 − (1 − p)^c that c draws with replacement hold an entry of probability p at least once. In float64 and without
 * cancellation: it stays above 0 for every p above 0.
 * @param p in [0,1]
 * @param c at least 1
 */
export function inclusion(p: number, c: number): number {
  // Both logarithm and exponential of numbers near 1 take long: a series where it is exact to 13 digits, and the plain exponential where it is.
  const s = c * exponent(p);
  return s > 1e-3 ? 1 - Math.exp(-s) : -Math.expm1(-s);
}

/** −ln(1 − p). */
export const exponent = (p: number): number => (p < 1e-3 ? p * (1 + p * (1 / 2 + p * (1 / 3 + p / 4))) : -Math.log1p(-p));

const [perUnit, largest] = [64, 32];
/** e^(−s) at the middle of each 64th. */
const decay = Float64Array.from({ length: perUnit * largest }, (_, i) => Math.exp(-(i + 0.5) / perUnit));

/** 1 − e^(−s) to seven digits, as float32 holds them, for s ≥ 0: from a table, in a quarter of the time of an exponential. */
export function included(s: number): number {
  if (s < 1 / perUnit) return s * (1 - s * (1 / 2 - s * (1 / 6 - s / 24)));
  if (!(s < largest)) return 1;
  const at = (s * perUnit) | 0;
  const r = s - (at + 0.5) / perUnit;
  return 1 - (decay[at] as number) * (1 - r * (1 - r * (1 / 2 - r / 6)));
}

/** Φ(p) = Σ α_i/π_i over the rows with α_i > 0 (paper 3, Eq. 4): the variance of what is sampled, and Σα. Infinite where such a row is never drawn. */
export function samplingObjective(alpha: ArrayLike<number>, p: ArrayLike<number>, c: number): number {
  let sum = 0;
  for (let i = 0; i < alpha.length; i++) {
    const weight = alpha[i] as number;
    if (weight > 0) sum += weight / inclusion(p[i] as number, c);
  }
  return sum;
}
