import type { ImageRecord } from "../../../shared/results.ts";
import type { ComparedAttack } from "../types.ts";

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
