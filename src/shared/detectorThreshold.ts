/**
 * The smallest of the scores that flags, as `score > threshold`, no more than this share of clean images; take it on validation images.
 * @param falsePositiveRate in [0,1)
 * @returns null without images
 */
export function thresholdAt(clean: ArrayLike<number>, falsePositiveRate: number): number | null {
  const sorted = Float64Array.from(clean).sort().reverse();
  // A share such as 0.29 of 100 is a hair less than 29 in binary.
  return sorted[Math.floor(falsePositiveRate * sorted.length + 1e-9)] ?? null;
}
