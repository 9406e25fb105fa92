import { pairedP } from "../metrics/statistics.ts";
import type { Comparison } from "./compare.ts";
import type { Answer, ComparedAttack } from "./evidence.ts";
import type { Raised } from "./rule.ts";
import { images } from "./words.ts";

/** Images broken by only one of two attacks. An image that was misclassified before says nothing about either. */
export function brokenByOnlyOne(a: readonly Answer[], b: readonly Answer[]): { onlyA: number; onlyB: number } {
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

/** On one arm, in the same ball, and neither aims at a class: the stronger one breaks at least as many. */
export const isSameTask = (a: ComparedAttack, b: ComparedAttack): boolean =>
  a.arm === b.arm &&
  a.ball !== null &&
  a.ball.norm === b.ball?.norm &&
  a.ball.radius === b.ball.radius &&
  a.target === null &&
  b.target === null;

/** Every two attacks of a run, in the order of the run. */
export const pairsOf = (attacks: readonly ComparedAttack[]): (readonly [ComparedAttack, ComparedAttack])[] =>
  attacks.flatMap((a, i) => attacks.slice(i + 1).map((b) => [a, b] as const));

/** Whether the attack that should be weaker breaks more of the same images. The finding names the stronger one. */
export function weakerBreaksMore(weaker: ComparedAttack, stronger: ComparedAttack, say: (evidence: string) => Raised): Comparison {
  const { onlyA, onlyB } = brokenByOnlyOne(weaker.records, stronger.records);
  const evidence = `${weaker.name} breaks ${images(onlyA)} that ${stronger.name} does not, and ${stronger.name} only ${onlyB} the other way round`;
  return { of: stronger, p: pairedP(onlyA, onlyB), raised: say(evidence) };
}
