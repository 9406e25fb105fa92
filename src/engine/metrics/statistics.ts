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

/** Chance of a false alarm that is accepted: in a run for all comparisons together, elsewhere for a single test. */
export const significance = 0.05;

/**
 * P of at least `b` among b + c images, if each is equally likely to be broken by either of two attacks alone (one-sided exact sign test).
 * 1 where no image tells them apart.
 * @param b images broken only by the attack that should be weaker, `c` only by the stronger one
 */
export const pairedP = (b: number, c: number): number => binomialTail(b, b + c);

/**
 * P of a split as uneven as a : b or more, if each of a + b falls to either side with probability ½ (two-sided exact: McNemar's test
 * on the images that two classifiers judge differently). 1 where there is none.
 */
export const unevenP = (a: number, b: number): number => Math.min(1, 2 * binomialTail(Math.max(a, b), a + b));

/**
 * Which of several tests are significant together: the probability of a single false one is at most `level`, whatever depends on what
 * (Holm 1979). The k-th smallest P, counted from 0, is compared with level / (m − k) and the first that is too large ends it.
 */
export function holm(p: readonly number[], level = significance): boolean[] {
  const order = p.map((_, i) => i).sort((a, b) => (p[a] as number) - (p[b] as number));
  const accepted = order.findIndex((i, k) => (p[i] as number) > level / (p.length - k));
  const significant = new Set(accepted < 0 ? order : order.slice(0, accepted));
  return p.map((_, i) => significant.has(i));
}

/**
 * P of at most `a` hits of n, where b of m were hits elsewhere, if both are as likely (one-sided exact, Fisher 1922). Source:
 * hypergeometric distribution of a, given a + b.
 */
export function fisherP(a: number, n: number, b: number, m: number): number {
  const hits = a + b;
  let term = 0; // logarithm of P(k) up to a factor
  const logs: number[] = [];
  const [fewest, most] = [Math.max(0, hits - m), Math.min(n, hits)];
  for (let k = fewest; k <= most; k++) {
    logs.push(term);
    term += Math.log(((n - k) * (hits - k)) / ((k + 1) * (m - hits + k + 1)));
  }
  const largest = Math.max(...logs);
  const weights = logs.map((value) => Math.exp(value - largest));
  const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
  return Math.min(1, sum(weights.slice(0, a - fewest + 1)) / sum(weights));
}
