/** P(X ≥ b) for X ~ Binomial(n, p), exact: summed in logarithms, so that large n do not overflow. 1 for b ≤ 0. */
export function binomialTail(b: number, n: number, p = 0.5): number {
  if (b <= 0) return 1;
  if (p <= 0) return 0;
  if (p >= 1) return b <= n ? 1 : 0;
  let term = n * Math.log1p(-p); // log P(X = 0)
  let sum = 0;
  for (let k = 0; k <= n; k++) {
    if (k >= b) sum += Math.exp(term);
    term += Math.log((n - k) / (k + 1)) + Math.log(p) - Math.log1p(-p);
  }
  return Math.min(1, sum);
}

/** Significance level: a difference that chance alone gives less often than this is reported. */
export const significance = 0.05;
/** The same for a normally distributed difference, one-sided. */
export const criticalZ = 1.6449;

/**
 * Paired comparison of two attacks on the same images: b images are broken only by the one that should be weaker, c only by the
 * stronger one. @returns whether the weaker is significantly better (one-sided exact binomial); with c = 0 this needs b ≥ 5.
 */
export const weakerWins = (b: number, c: number): boolean => b > c && binomialTail(b, b + c) < significance;

/** z of two unpaired accuracies on n images each, for tables without per-image results: conservative. */
export function unpairedZ(lower: number, higher: number, n: number): number {
  const variance = (lower * (1 - lower) + higher * (1 - higher)) / n;
  return variance === 0 ? 0 : (higher - lower) / Math.sqrt(variance);
}
