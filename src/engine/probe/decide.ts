import { wilson, z99 } from "../../shared/results.ts";
import { unevenP } from "../metrics/statistics.ts";
import type { Calibrated } from "./calibrate.ts";

/** One candidate on n images, in the same order for all. */
export interface Scored {
  readonly id: string;
  readonly predictions: Int32Array;
  /** 1 where the prediction is the true class. */
  readonly hits: Uint8Array;
  /** Natural logarithm of the true class's probability. */
  readonly logP: Float64Array;
  /** The same at the candidate's own temperature. */
  readonly calibrated: Calibrated;
}

/** What is known of the candidates without these images; all of them by id. */
export interface Known {
  /** Contradicted by what the network itself stores. */
  readonly contradicted: ReadonlySet<string>;
  /** What the network's own first layer says (certain), or the model's maker; null where nothing does. */
  readonly named: { readonly id: string; readonly isCertain: boolean } | null;
  /** Whether two look so alike to a network that their difference has to be a large one. */
  areNear(a: string, b: string): boolean;
  /** Seldom used: where it is near a usual one that is no worse, it need not be beaten. */
  isRare(id: string): boolean;
}
export const nothingKnown: Known = { contradicted: new Set(), named: null, areNear: () => false, isRare: () => false };

/** How a rival stands against the best: beaten by exact tests, contradicted by the network, rare and near the best, or none of these. */
export type Standing = "best" | "beaten" | "contradicted" | "near" | "open";
export interface Compared {
  readonly scored: Scored;
  readonly count: number;
  readonly interval: readonly [number, number];
  readonly meanLogP: number;
  readonly meanCalibrated: number;
  /** Against the best; null for the best itself. */
  readonly p: number | null;
  readonly sameAsBest: boolean;
  readonly standing: Standing;
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
const mean = (values: Float64Array): number => (values.length === 0 ? 0 : total(values) / values.length);

/** Share of the most frequent class. */
export function chanceOf(labels: Int32Array): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return labels.length === 0 ? 0 : Math.max(...counts.values()) / labels.length;
}

/**
 * Whether one candidate is better than all others: its lower 99 % bound exceeds chance clearly, and every rival is beaten (`pairP`)
 * at .01/(2·rivals), contradicted by the network itself, or rare and near. Where rivals stay open, the one among them and the best that
 * the network's own layer names is taken, or the model's maker if all of them predict the same: metadata may be another model's.
 * Nothing is decided where all of that fails.
 * @param candidates in the order of how common they are
 */
export function decide(candidates: readonly Scored[], labels: Int32Array, known: Known = nothingKnown): Verdict {
  const n = labels.length;
  const compared = ranked(candidates, n, known);
  const [best] = compared;
  const reasons = tooLittle(labels);
  if (reasons.length > 0 || !best) return { decided: false, compared, cannotTell: reasons };
  const open = compared.filter(({ standing }) => standing === "open");
  const named = [best, ...open].find(({ scored }) => scored.id === known.named?.id);
  const isNamed = named !== undefined && (known.named?.isCertain === true || open.every(({ sameAsBest }) => sameAsBest));
  const chosen = isNamed ? named : best;
  if (!isClearlyAboveChance(chosen, labels)) return { decided: false, compared, cannotTell: [nothingWorks(best, n)] };
  const better = compared.find((one) => one.standing === "contradicted" && pairP(one.scored, best.scored) < bound(compared));
  if (better) {
    const sentence = `The batch normalisation of the network contradicts ${better.scored.id}, and the images speak for it (${better.count} of ${n} correct, ${best.scored.id} ${best.count}).`;
    return { decided: false, compared, cannotTell: [sentence] };
  }
  if (isNamed) return { decided: true, compared: chosenFirst(compared, named, known), cannotTell: [] };
  if (open.length === 0) return { decided: true, compared, cannotTell: [] };
  const word = named ? ` The model's own data say ${named.scored.id}, which the images do not rule out.` : "";
  return { decided: false, compared, cannotTell: [between(best, open, n) + word] };
}

function tooLittle(labels: Int32Array): string[] {
  const n = labels.length;
  const reasons: string[] = [];
  if (n < fewestImages)
    reasons.push(`${n} labelled image${n === 1 ? " is" : "s are"} too few: at least ${fewestImages} are needed, 64 are good.`);
  if (n > 0 && new Set(labels).size < 2)
    reasons.push("All images are of one class, so a model that always gives that class would be right. Use pictures of several classes.");
  return reasons;
}

function isClearlyAboveChance({ interval: [lower] }: Compared, labels: Int32Array): boolean {
  const chance = chanceOf(labels);
  return lower > chance * 1.5 && lower >= chance + 0.1;
}

const nothingWorks = ({ scored, count }: Compared, n: number): string =>
  `No range that was tried works: the best, ${scored.id}, is right on ${count} of ${n} images. The labels, the class order or the model may be wrong, or it takes another range.`;

const shownRivals = 3;

/** "signed rgb or signed bgr (48 : 46 correct): cannot tell with 64 images; try more." */
function between(best: Compared, open: readonly Compared[], n: number): string {
  const shown = open.slice(0, shownRivals).map(({ scored, count }) => `${scored.id} (${best.count} : ${count} correct)`);
  const more = open.length > shownRivals ? ` or ${open.length - shownRivals} more` : "";
  return `${best.scored.id} or ${shown.join(" or ")}${more}: cannot tell with ${n} images; try more.`;
}

const bound = (compared: readonly unknown[]): number => level / (2 * Math.max(1, compared.length - 1));

function ranked(candidates: readonly Scored[], n: number, known: Known): Compared[] {
  const summed = candidates.map((scored) => ({
    scored,
    count: total(scored.hits),
    meanLogP: mean(scored.logP),
    meanCalibrated: mean(scored.calibrated.crossed),
    interval: wilson(total(scored.hits), n, z99) ?? ([0, 1] as const),
    isOut: known.contradicted.has(scored.id),
  }));
  summed.sort((a, b) => Number(a.isOut) - Number(b.isOut) || b.meanCalibrated - a.meanCalibrated || b.count - a.count);
  const best = summed[0]?.scored;
  return summed.map(({ isOut, ...one }, i) => {
    if (!best || i === 0) return { ...one, p: null, sameAsBest: false, standing: "best" };
    const { scored } = one;
    const isNear = known.areNear(best.id, scored.id);
    const p = pairP(best, scored, isNear);
    const isBeaten = p < bound(summed);
    const open = isNear && known.isRare(scored.id) && !known.isRare(best.id) ? "near" : "open";
    return {
      ...one,
      p,
      sameAsBest: scored.predictions.every((value, at) => value === best.predictions[at]),
      standing: isBeaten ? "beaten" : isOut ? "contradicted" : open,
    };
  });
}

/** Puts the chosen one in the place of the best, which becomes one of those that could not be ruled out. */
function chosenFirst(compared: readonly Compared[], chosen: Compared, known: Known): Compared[] {
  const others = compared.filter((one) => one !== chosen);
  const rest = others.map((one): Compared => {
    const p = pairP(chosen.scored, one.scored, known.areNear(chosen.scored.id, one.scored.id));
    return { ...one, p, standing: one.standing === "best" ? "open" : one.standing };
  });
  return [{ ...chosen, p: null, sameAsBest: false, standing: "best" }, ...rest];
}

/** Mean of log p that a candidate has to be better by, in nats: less is what contrast does to a network, whatever it was trained with. */
const [effect, effectNear] = [0.1, 0.25];

/**
 * P that the images give for `b` against `a`, 1 where `a` is not better. The smaller of McNemar's exact P of their correct answers, and of
 * Π p_b / Π p_a with log p of `a` at temperatures fitted on other images and of `b` at its best: if the labels came from `b` at any
 * temperature, a value this small would have at most that probability (universal inference, Wasserman et al. 2020). Without temperatures
 * a range that is too wide would win, as it makes a network surer of the same answers.
 * @param isNear both look so alike that a larger difference is needed
 */
export function pairP(a: Scored, b: Scored, isNear = false): number {
  const difference = total(a.calibrated.crossed) - total(b.calibrated.fitted);
  const isLarge = difference >= (isNear ? effectNear : effect) * a.hits.length;
  if (isNear && !isLarge) return 1;
  let [wins, losses] = [0, 0];
  for (let i = 0; i < a.hits.length; i++) {
    const hits = (a.hits[i] as number) - (b.hits[i] as number);
    if (hits > 0) wins++;
    else if (hits < 0) losses++;
  }
  const answers = wins > losses ? unevenP(wins, losses) : 1;
  return isLarge ? Math.min(answers, Math.exp(-difference)) : answers;
}
