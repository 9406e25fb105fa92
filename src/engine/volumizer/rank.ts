import { BulwarkError } from "../../shared/errors.ts";
import { type Params, resolveParams, type VolumizerOptions } from "../define/index.ts";
import { entropyBits } from "../measures/histogram.ts";

/** How slices, or the images of a batch, are ordered. */
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
 * @throws BulwarkError PARAMETER_INVALID for a reference index that is not there, or a given reference of another size.
 */
export function rankItems(items: readonly Uint8Array[], rule: RankingRule): Ranked {
  const { measure, measureParams } = rule;
  const { index, bytes } = measure.kind === "standalone" ? { index: null, bytes: undefined } : referenceOf(items, rule.reference);
  const scores = new Float64Array(items.length);
  const scoreOf =
    bytes && measure.against ? measure.against(bytes, measureParams) : (item: Uint8Array) => measure.measure(item, bytes, measureParams);
  for (let i = 0; i < items.length; i++) scores[i] = scoreOf(items[i] as Uint8Array);
  // The authors insert a 0 for the reference, which for similarities puts it far from its place.
  if (index !== null && rule.refScore === "zero") scores[index] = 0;
  return { perm: orderOf(scores, rule.order), scores, reference: index };
}

interface Reference {
  /** Place among the items; null for one that is given. */
  readonly index: number | null;
  readonly bytes: Uint8Array | undefined;
}

/** The most salient item is the one of highest entropy; the authors' code takes the lowest. Ties: lowest index. */
function referenceOf(items: readonly Uint8Array[], reference: RankingRule["reference"]): Reference {
  if (typeof reference === "object") return "slice" in reference ? given(items, reference.slice) : at(items, reference.index);
  const sign = reference === "mostSalient" ? 1 : -1;
  let best = 0;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < items.length; i++) {
    const score = sign * entropyBits(items[i] as Uint8Array);
    if (score > bestScore) [best, bestScore] = [i, score];
  }
  return { index: best, bytes: items[best] };
}

function at(items: readonly Uint8Array[], index: number): Reference {
  if (Number.isInteger(index) && index >= 0 && index < items.length) return { index, bytes: items[index] };
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `There is no slice ${index} to compare with; there are ${items.length}.`,
    `Use an index from 0 to ${items.length - 1}.`,
  );
}

function given(items: readonly Uint8Array[], slice: Uint8Array): Reference {
  const wanted = items[0]?.length ?? slice.length;
  if (slice.length === wanted) return { index: null, bytes: slice };
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `The reference slice holds ${slice.length} values, those of the image ${wanted}.`,
    "Give a slice of the patch's height and width and the image's channels.",
  );
}

/** Insertion sort: slices are few, and comparisons in place are far cheaper than calls of a comparator. */
export function orderOf(scores: Float64Array, order: RankingRule["order"]): Int32Array {
  if (order === "raster") return Int32Array.from(scores.keys());
  const direction = order === "asc" ? 1 : -1;
  const perm = new Int32Array(scores.length);
  for (let i = 0; i < scores.length; i++) {
    const score = direction * (scores[i] as number);
    let place = i;
    for (; place > 0; place--) {
      const previous = perm[place - 1] as number;
      const other = direction * (scores[previous] as number);
      if (!(score < other || (Number.isNaN(other) && !Number.isNaN(score)))) break;
      perm[place] = previous;
    }
    perm[place] = i;
  }
  return perm;
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
