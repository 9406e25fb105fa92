import type { AnalysedAttack } from "../define/analysis.ts";
import { type FiveNumbers, fiveNumbers, type Mean, meanOf } from "../metrics/means.ts";
import { countedForBeta, isCorrect, targetOf } from "../metrics/robustness.ts";

/** Values of the images on which an attack succeeded, and of those on which it failed; null for none. */
export interface BySuccess {
  readonly succeeded: Group | null;
  readonly failed: Group | null;
}
export type Group = Mean & { readonly box: FiveNumbers };

/** Whether each image is fooled, by its index, of those that count: right before the attack, and not of the class that it aims at. */
export const fooledBy = ({ records, summary }: AnalysedAttack): Map<number, boolean> =>
  new Map(countedForBeta(records, targetOf(summary.attack)).map((record) => [record.index, !isCorrect(record)]));

/** @param values by index of the image; those that do not count are left out */
export function bySuccess(values: ReadonlyMap<number, number>, isFooled: ReadonlyMap<number, boolean>): BySuccess {
  const of = (fooled: boolean) => groupOf([...values].flatMap(([index, value]) => (isFooled.get(index) === fooled ? [value] : [])));
  return { succeeded: of(true), failed: of(false) };
}

function groupOf(values: readonly number[]): Group | null {
  const [mean, box] = [meanOf(values), fiveNumbers(values)];
  return mean && box && { ...mean, box };
}
