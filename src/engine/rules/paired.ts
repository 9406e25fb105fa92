import type { ImageRecord } from "../../shared/results.ts";
import type { ComparedAttack } from "../harness/types.ts";
import { criticalZ, unpairedZ, weakerWins } from "../metrics/statistics.ts";
import { images } from "./words.ts";

/** Images broken by only one of two attacks. An image that was misclassified already says nothing about either. */
export function brokenByOnlyOne(a: readonly ImageRecord[], b: readonly ImageRecord[]): { onlyA: number; onlyB: number } {
  const other = new Map(b.map((record) => [record.index, record]));
  let onlyA = 0;
  let onlyB = 0;
  for (const record of a) {
    const pair = other.get(record.index);
    if (!pair || record.cleanPrediction !== record.label) continue;
    const brokenA = record.prediction !== record.label;
    const brokenB = pair.prediction !== pair.label;
    if (brokenA && !brokenB) onlyA++;
    if (brokenB && !brokenA) onlyB++;
  }
  return { onlyA, onlyB };
}

/**
 * Evidence that the attack that should be weaker breaks more, as a clause of a sentence; null where chance explains it. Paired on common
 * images; where only the rates are known, by the unpaired z of both accuracies, which is conservative.
 */
export function weakerBreaksMore(weaker: ComparedAttack, stronger: ComparedAttack): string | null {
  if (weaker.records.length > 0 && stronger.records.length > 0) {
    const { onlyA, onlyB } = brokenByOnlyOne(weaker.records, stronger.records);
    if (!weakerWins(onlyA, onlyB)) return null;
    return `${nameOf(weaker)} breaks ${images(onlyA)} that ${nameOf(stronger)} does not, and only ${onlyB} the other way round`;
  }
  const [lower, higher] = [weaker.summary.attacked.accuracy, stronger.summary.attacked.accuracy];
  const n = Math.min(weaker.summary.n, stronger.summary.n);
  if (lower === null || higher === null || unpairedZ(lower, higher, n) <= criticalZ) return null;
  // Two decimals: accuracies of large samples that differ significantly may be equal in one.
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  return `${nameOf(weaker)} leaves an accuracy of ${percent(lower)}, ${nameOf(stronger)} one of ${percent(higher)}`;
}

/** The radius of an attack's ball, as its parameters say it. */
export const epsOf = (attack: ComparedAttack): number | undefined => {
  const eps = attack.summary.attack.params["eps"];
  return typeof eps === "number" ? eps : undefined;
};

/** "pgd (eps 0.3)". */
export const nameOf = (attack: ComparedAttack): string => {
  const eps = epsOf(attack);
  return eps === undefined ? attack.summary.attack.id : `${attack.summary.attack.id} (eps ${eps})`;
};

export const armOf = (attack: ComparedAttack): { arm?: string } => (attack.arm === undefined ? {} : { arm: attack.arm });

/** Aims at one class: its misclassifications cannot be compared with those of an untargeted attack. */
export const isTargeted = (attack: ComparedAttack): boolean => {
  const target = attack.summary.attack.params["target"];
  return typeof target === "number" && target >= 0;
};
