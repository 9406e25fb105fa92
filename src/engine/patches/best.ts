import type { PatchFigures } from "../../shared/patch.ts";

/** The best of the iterates of a training so far. */
export interface BestPatch {
  /** The step that it comes from. */
  readonly step: number;
  /** [h,w,C] */
  readonly pixels: Float32Array;
  /** What it was chosen by. */
  readonly figures: PatchFigures;
}

/**
 * Whether one patch fools as well as another or better, on the same images at the same places: by the share of predictions that are the
 * target class (that are not the true one, without a target), and of equal shares by the mean log-probability. Where nothing can be counted,
 * all are equal.
 */
export function isAsGood(one: PatchFigures, other: PatchFigures): boolean {
  const [a, b] = [rateOf(one), rateOf(other)];
  return a === b ? orLeast(one.logProbability) >= orLeast(other.logProbability) : a > b;
}

const rateOf = ({ targetRate, successRate }: PatchFigures): number => orLeast(targetRate ?? successRate);
const orLeast = (value: number | null): number => value ?? Number.NEGATIVE_INFINITY;
