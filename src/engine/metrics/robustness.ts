import type { Choice, ImageRecord } from "../../shared/results.ts";
import type { Target } from "../define/index.ts";

/** One image: its class, and the predictions before and after the attack. */
export type Outcome = Pick<ImageRecord, "index" | "label" | "cleanPrediction" | "prediction">;

/** `count` of `total`; null where there is nothing to count: never 0 or NaN. */
export const share = (count: number, total: number): number | null => (total === 0 ? null : count / total);

export const isCleanCorrect = (o: Outcome): boolean => o.cleanPrediction === o.label;
export const isCorrect = (o: Outcome): boolean => o.prediction === o.label;

/** Correct predictions among all images, before and after. An image that was wrong before is right where the attack happens to help. */
export function accuracies(outcomes: readonly Outcome[]): { readonly clean: number | null; readonly attacked: number | null } {
  const n = outcomes.length;
  return { clean: share(outcomes.filter(isCleanCorrect).length, n), attacked: share(outcomes.filter(isCorrect).length, n) };
}

/** δ = acc_clean − acc_attack over the same images, in [−1, 1]: smaller is better. Negative where the attack happens to help; not clamped. */
export function robustness(outcomes: readonly Outcome[]): number | null {
  const { clean, attacked } = accuracies(outcomes);
  return clean === null || attacked === null ? null : clean - attacked;
}

export const betaDenominators = ["cleanCorrect", "fooledUndefended"] as const;
/**
 * Which attacks the defence success rate β counts. `cleanCorrect`: those on images that the attacked model had right, so that β of an
 * undefended model has a meaning (the paper plots it). `fooledUndefended`: those that fooled the undefended model.
 */
export type BetaDenominator = (typeof betaDenominators)[number];

/** Target of an attack: a class, or the rule that chooses one for each image ("random"); null for an untargeted attack. One that wraps another aims where that does. */
export function aimedAt({ params }: Choice): Target | null {
  const { target: own, base } = params as { readonly target?: Target; readonly base?: { readonly target?: Target } };
  const target = own ?? base?.target;
  return target === undefined || target === -1 ? null : target;
}

/** Class that an attack aims at on all images; its images cannot be led there and do not count in success rates and β (0H). */
export function targetOf(attack: Choice): number | null {
  const target = aimedAt(attack);
  return typeof target === "number" ? target : null;
}

/**
 * The records that count in success rates and β: never those of the target class; of the others those that the model had right when
 * clean, or those of the images on which the attack fooled the undefended model.
 */
export function countedForBeta<R extends Outcome>(
  records: readonly R[],
  target: number | null,
  denominator: BetaDenominator = "cleanCorrect",
  undefended: readonly Outcome[] = [],
): R[] {
  const attackable = records.filter(({ label }) => label !== target);
  if (denominator === "cleanCorrect") return attackable.filter(isCleanCorrect);
  const fooled = new Set(undefended.filter((o) => isCleanCorrect(o) && !isCorrect(o)).map(({ index }) => index));
  return attackable.filter(({ index }) => fooled.has(index));
}

const shareRight = (counted: readonly Outcome[]): number | null => share(counted.filter(isCorrect).length, counted.length);

/** β = #(clean-correct ∧ correct under attack) / #clean-correct, without the images of the target class. */
export const defenseSuccess = (outcomes: readonly Outcome[], target: number | null): number | null =>
  shareRight(countedForBeta(outcomes, target));

/** β over the attacks that fooled the undefended model: of those images, the share that the defended model has right under attack. */
export const defenseSuccessOfFooled = (
  outcomes: readonly Outcome[],
  undefended: readonly Outcome[],
  target: number | null,
): number | null => shareRight(countedForBeta(outcomes, target, "fooledUndefended", undefended));
