import { quantile } from "./quantiles.ts";

/** Standard errors to either side of a 95 % interval. */
const z = 1.959963984540054;

/** A mean and half the width of its 95 % interval (normal: 1.96·s/√n); null where one value says nothing of the spread. */
export interface Mean {
  readonly n: number;
  readonly mean: number;
  readonly half: number | null;
}

/** Null for no values. */
export function meanOf(values: readonly number[]): Mean | null {
  const n = values.length;
  if (n === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, half: n < 2 ? null : z * Math.sqrt(squares / (n - 1) / n) };
}

/** a − b of two independent groups, each with a spread of its own (Welch); null where one is empty. */
export function differenceOf(a: Mean | null, b: Mean | null): Mean | null {
  if (!a || !b) return null;
  return { n: a.n + b.n, mean: a.mean - b.mean, half: a.half === null || b.half === null ? null : Math.hypot(a.half, b.half) };
}

/** What a box plot draws: quartiles, whiskers at the last values within 1.5 times their distance, and what lies beyond (Tukey 1977). */
export interface FiveNumbers {
  readonly low: number;
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly high: number;
  readonly outliers: readonly number[];
}

/** Null for no values. @param most outliers that are kept: of more, as many at equal distances in their order */
export function fiveNumbers(values: readonly number[], most = 50): FiveNumbers | null {
  if (values.length === 0) return null;
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((q) => quantile(values, q) as number) as [number, number, number];
  const reach = 1.5 * (q3 - q1);
  const isInside = (value: number): boolean => value >= q1 - reach && value <= q3 + reach;
  const inside = values.filter(isInside);
  const beyond = values.filter((value) => !isInside(value)).sort((a, b) => a - b);
  const kept = Math.min(most, beyond.length);
  const outliers = Array.from({ length: kept }, (_, i) => beyond[Math.floor((i * beyond.length) / kept)] as number);
  return { low: inside.reduce((a, b) => Math.min(a, b)), q1, median, q3, high: inside.reduce((a, b) => Math.max(a, b)), outliers };
}
