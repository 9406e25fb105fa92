import type { RocPoint } from "../../shared/results.ts";

export interface Roc {
  /** From (0,0) to (1,1), thresholds descending; points are joined by straight lines, so ties make diagonals. */
  readonly points: readonly RocPoint[];
  /** Area under the curve, (#{pos > neg} + ½·#{pos = neg}) / (n_p·n_n). */
  readonly auc: number;
}

/**
 * Receiver operating characteristic of scores that should be large for positives. O(n log n).
 * @returns null where one of the two is empty. Source: papers 0 (Figure 8) and 3 (Figure 3).
 */
export function roc(positives: ArrayLike<number>, negatives: ArrayLike<number>): Roc | null {
  if (positives.length === 0 || negatives.length === 0) return null;
  const p = Float64Array.from(positives).sort().reverse();
  const n = Float64Array.from(negatives).sort().reverse();
  const points: RocPoint[] = [{ falsePositiveRate: 0, truePositiveRate: 0 }];
  let [i, j, area] = [0, 0, 0];
  while (i < p.length || j < n.length) {
    const threshold = Math.max(p[i] ?? Number.NEGATIVE_INFINITY, n[j] ?? Number.NEGATIVE_INFINITY);
    const [fromI, fromJ] = [i, j];
    while (i < p.length && (p[i] as number) >= threshold) i++;
    while (j < n.length && (n[j] as number) >= threshold) j++;
    if (i === fromI && j === fromJ) throw new Error("a score is NaN");
    area += ((j - fromJ) * (i + fromI)) / 2;
    points.push({ falsePositiveRate: j / n.length, truePositiveRate: i / p.length });
  }
  return { points, auc: area / (p.length * n.length) };
}

/**
 * One curve for all classes: labels one-vs-rest, the n×k scores flattened. Its AUC is high even for a weak classifier of many classes,
 * since k − 1 of k entries are negatives.
 * @param probabilities [n·k], row by row
 */
export function microAverageRoc(probabilities: ArrayLike<number>, labels: ArrayLike<number>, classes: number): Roc | null {
  const positives: number[] = [];
  const negatives: number[] = [];
  for (let i = 0; i < labels.length; i++)
    for (let k = 0; k < classes; k++) (k === labels[i] ? positives : negatives).push(probabilities[i * classes + k] as number);
  return roc(positives, negatives);
}

/** Fewer points for a drawing: one wherever either rate has moved by 1/`resolution` since the last, and the ends. */
export function thin({ points }: Pick<Roc, "points">, resolution: number): RocPoint[] {
  const kept: RocPoint[] = [];
  for (const [i, point] of points.entries()) {
    const last = kept.at(-1);
    const step = last
      ? Math.max(point.falsePositiveRate - last.falsePositiveRate, point.truePositiveRate - last.truePositiveRate)
      : Number.POSITIVE_INFINITY;
    if (step >= 1 / resolution || i === points.length - 1) kept.push(point);
  }
  return kept;
}
