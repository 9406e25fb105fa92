import { BulwarkError } from "../../shared/errors.ts";
import { type Params, resolveParams, type VolumizerOptions } from "../define.ts";
import { entropyBits } from "../measures/histogram.ts";

/** What decides an order of slices, or of the images of a batch. */
export type RankingRule = Pick<VolumizerOptions, "measure" | "measureParams" | "order" | "reference" | "refScore">;

/** Fills in the defaults of the measure's own parameters; do it once, then rank many times. */
export const withMeasureDefaults = <R extends RankingRule>(rule: R): R & { readonly measureParams: Params } => ({
  ...rule,
  measureParams: resolveParams(rule.measure.params, rule.measureParams, rule.measure.id),
});

export interface Ranked {
  /** Position in the order → index of the item. */
  readonly perm: Int32Array;
  /** By item. */
  readonly scores: Float64Array;
  readonly reference: number | null;
}

/**
 * Scores every item (a vector of bytes, all of one length) and sorts by the raw score, whatever kind the measure is (Eqs 12–14).
 * Ties: lower index first. −∞ < finite < +∞, and NaN last in both directions. `rule` has its measure's defaults filled in.
 * @throws BulwarkError PARAMETER_INVALID for a reference index that is not there.
 */
export function rankItems(items: readonly Uint8Array[], rule: RankingRule): Ranked {
  const { measure, measureParams } = rule;
  const reference = measure.kind === "standalone" ? null : referenceOf(items, rule.reference);
  const other = reference === null ? undefined : items[reference];
  const scores = Float64Array.from(items, (item) => measure.measure(item, other, measureParams));
  // The authors insert a 0 for the reference, which for similarities puts it far from its place.
  if (reference !== null && rule.refScore === "zero") scores[reference] = 0;
  return { perm: orderOf(scores, rule.order), scores, reference };
}

/** The most salient item is the one of highest entropy; the authors' code takes the lowest. Ties: lowest index. */
function referenceOf(items: readonly Uint8Array[], reference: RankingRule["reference"]): number {
  if (typeof reference === "object") {
    if (Number.isInteger(reference.index) && reference.index >= 0 && reference.index < items.length) return reference.index;
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `There is no slice ${reference.index} to compare with; there are ${items.length}.`,
      `Use an index from 0 to ${items.length - 1}.`,
    );
  }
  const sign = reference === "mostSalient" ? 1 : -1;
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  items.forEach((item, i) => {
    const score = sign * entropyBits(item);
    if (score > bestScore) [best, bestScore] = [i, score];
  });
  return best;
}

export function orderOf(scores: Float64Array, order: "asc" | "desc"): Int32Array {
  const direction = order === "asc" ? 1 : -1;
  return Int32Array.from(scores.keys()).sort((i, j) => {
    const [a, b] = [scores[i] as number, scores[j] as number];
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || i - j;
    if (a === b) return i - j;
    return a < b ? -direction : direction;
  });
}

/** More than half of the items share their score with another one, so that the order says little. */
export function hasManyTies(scores: Float64Array): boolean {
  const times = new Map<number, number>();
  for (const score of scores) times.set(score, (times.get(score) ?? 0) + 1);
  let tied = 0;
  for (const count of times.values()) if (count > 1) tied += count;
  return tied > scores.length / 2;
}

/** A score as JSON can carry it. */
export const scoreJson = (score: number): number | string => (Number.isFinite(score) ? score : String(score));
