import type { Superpixels } from "../define/index.ts";

/** Scores are float32: a probability that moves by less than this does not show more than rounding. */
const leastWeight = 1e-6;

/** Superpixels whose weight is positive, the largest first, the lower number first among equals. */
export const positiveOnes = (coefficients: Superpixels["coefficients"]): number[] =>
  Array.from(coefficients.keys())
    .filter((j) => (coefficients[j] as number) > leastWeight)
    .sort((i, j) => (coefficients[j] as number) - (coefficients[i] as number) || i - j);

/** The union of the first `count` superpixels of positive weight [H·W], 1 inside and 0 outside; of all where there are fewer. */
export function areaOfFirst({ segments, coefficients }: Pick<Superpixels, "segments" | "coefficients">, count: number): Uint8Array {
  const first = new Set(positiveOnes(coefficients).slice(0, count));
  return Uint8Array.from(segments, (segment) => Number(first.has(segment)));
}
