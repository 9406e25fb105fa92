import { wilson, z99 } from "../../shared/results.ts";
import { unevenP } from "../metrics/statistics.ts";

/** One candidate on n images, in the same order for all. */
export interface Scored {
  readonly id: string;
  readonly predictions: Int32Array;
  /** 1 where the prediction is the true class. */
  readonly hits: Uint8Array;
  /** Natural logarithm of the true class's probability. */
  readonly logP: Float64Array;
}
export interface Compared {
  readonly scored: Scored;
  readonly count: number;
  readonly interval: readonly [number, number];
  readonly meanLogP: number;
  /** Against the best; null for the best itself. */
  readonly p: number | null;
  readonly sameAsBest: boolean;
}
export interface Verdict {
  readonly decided: boolean;
  /** Best first. */
  readonly compared: readonly Compared[];
  readonly cannotTell: readonly string[];
}

/** Fewer labelled images never decide. */
export const fewestImages = 12;
/** Chance of a wrong decision over all comparisons. */
const level = 0.01;

const total = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0);

/** Share of the most frequent class. */
export function chanceOf(labels: Int32Array): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return labels.length === 0 ? 0 : Math.max(...counts.values()) / labels.length;
}

/**
 * Whether one candidate is better than all others: its lower 99 % bound exceeds chance clearly, and McNemar's exact test sets it
 * apart from every rival that predicts anything else, at .01/(2·rivals). Nothing is decided where that fails.
 * @param candidates in the order of how common they are: the first of equals is taken
 */
export function decide(candidates: readonly Scored[], labels: Int32Array): Verdict {
  const n = labels.length;
  const compared = ranked(candidates, n);
  const [best] = compared;
  const reasons: string[] = [];
  if (n < fewestImages)
    reasons.push(`${n} labelled image${n === 1 ? " is" : "s are"} too few: at least ${fewestImages} are needed, 64 are good.`);
  if (n > 0 && new Set(labels).size < 2)
    reasons.push("All images are of one class, so a model that always gives that class would be right. Use pictures of several classes.");
  if (reasons.length > 0 || !best) return { decided: false, compared, cannotTell: reasons };
  const chance = chanceOf(labels);
  const [lower] = best.interval;
  if (lower <= chance * 1.5 || lower < chance + 0.1)
    return {
      decided: false,
      compared,
      cannotTell: [
        `No range that was tried works: the best, ${best.scored.id}, is right on ${best.count} of ${n} images. The labels, the class order or the model may be wrong, or it takes another range.`,
      ],
    };
  const rivals = compared.slice(1);
  const bound = level / (2 * Math.max(1, rivals.length));
  const unbeaten = rivals.filter(({ p, sameAsBest }) => !sameAsBest && !(p !== null && p < bound));
  const cannotTell = unbeaten.length > 0 ? [between(best, unbeaten, n)] : [];
  return { decided: unbeaten.length === 0, compared, cannotTell };
}

const named = 3;

/** "signed rgb or signed bgr (48 : 46 correct): cannot tell with 64 images." */
function between(best: Compared, unbeaten: readonly Compared[], n: number): string {
  const shown = unbeaten.slice(0, named).map(({ scored, count }) => `${scored.id} (${best.count} : ${count} correct)`);
  const more = unbeaten.length > named ? ` or ${unbeaten.length - named} more` : "";
  return `${best.scored.id} or ${shown.join(" or ")}${more}: cannot tell with ${n} images.`;
}

function ranked(candidates: readonly Scored[], n: number): Compared[] {
  const summed = candidates.map((scored) => ({ scored, count: total(scored.hits), meanLogP: n === 0 ? 0 : total(scored.logP) / n }));
  const [top] = [...summed].sort((a, b) => b.count - a.count || b.meanLogP - a.meanLogP);
  const isAlike = (a: Scored, b: Scored): boolean => a.predictions.every((value, at) => value === b.predictions[at]);
  const best = top && summed.find(({ scored }) => isAlike(scored, top.scored)); // of those that predict the same, the most common one
  const others = summed.filter((one) => one !== best).sort((a, b) => b.count - a.count || b.meanLogP - a.meanLogP);
  return (best ? [best, ...others] : []).map((one, i) => ({
    ...one,
    interval: wilson(one.count, n, z99) ?? [0, 1],
    p: best && i > 0 ? pairP(best.scored, one.scored) : null,
    sameAsBest: best !== undefined && i > 0 && isAlike(one.scored, best.scored),
  }));
}

/**
 * McNemar's exact P that `a` is right more often than `b`; 1 where it is not. Log p decides nothing: a range that is too wide makes a network
 * sure of the same answers, so that a sign test on it would take 0…255 for a network of 0…1 that is right either way.
 */
export function pairP(a: Scored, b: Scored): number {
  let [wins, losses] = [0, 0];
  for (let i = 0; i < a.hits.length; i++) {
    const difference = (a.hits[i] as number) - (b.hits[i] as number);
    if (difference > 0) wins++;
    else if (difference < 0) losses++;
  }
  return wins > losses ? unevenP(wins, losses) : 1;
}
