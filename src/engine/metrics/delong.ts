/** Half the width of a 95 % interval in standard errors. */
const z = 1.959963984540054;

/**
 * 95 % interval of the area under a ROC curve, by DeLong et al. 1988: the variance of the Mann-Whitney statistic from how much each score
 * contributes, V(p) = share of the negatives below p, ties a half. O(n log n).
 * @param auc the area itself
 * @returns null where the data say nothing of the variance: fewer than two scores of either kind, or perfect separation
 */
export function delong(positives: ArrayLike<number>, negatives: ArrayLike<number>, auc: number): readonly [number, number] | null {
  const [m, n] = [positives.length, negatives.length];
  if (m < 2 || n < 2) return null;
  const ofPositives = shareBelow(positives, negatives);
  const ofNegatives = shareBelow(negatives, positives).map((share) => 1 - share);
  const variance = spread(ofPositives, auc) / m + spread(ofNegatives, auc) / n;
  if (variance === 0) return null;
  const half = z * Math.sqrt(variance);
  return [Math.max(0, auc - half), Math.min(1, auc + half)];
}

/** Sample variance about a known mean. */
const spread = (values: Float64Array, mean: number): number =>
  values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);

/** Of each value, the share of `others` that is smaller, equal ones counted half. */
function shareBelow(values: ArrayLike<number>, others: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(others).sort();
  const count = (isBelow: (other: number) => boolean): number => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBelow(sorted[middle] as number)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return Float64Array.from(values, (value) => (count((o) => o < value) + count((o) => o <= value)) / (2 * sorted.length));
}
