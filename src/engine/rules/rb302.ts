import { pairedP } from "../metrics/statistics.ts";
import type { ComparingRule, Comparison } from "./compare.ts";
import type { ComparedAttack } from "./evidence.ts";
import { brokenByOnlyOne, isSameTask, pairsOf, weakerBreaksMore } from "./paired.ts";
import { images } from "./words.ts";

const fix =
  'Do not read accuracy under the gradient attack as robustness: the gradient is probably masked. Try "loss": "margin" with "restarts", and count an image as broken when either attack breaks it.';

/**
 * An attack that sees less breaks significantly more than one that follows the arm's own gradients: images made on another arm, or an attack
 * by scores or labels in the same ball. Paired on the same images.
 */
export const rb302: ComparingRule = {
  id: "RB302",
  compare: (attacks) => [...attacks.flatMap(fromOtherArms), ...pairsOf(attacks).flatMap(withoutGradients)],
};

const fromOtherArms = (attack: ComparedAttack): Comparison[] =>
  (attack.access === "gradients" ? (attack.crossed ?? []) : []).map(({ madeOn, records }) => {
    const { onlyA, onlyB } = brokenByOnlyOne(records, attack.records);
    const message = `Images made on ${madeOn} beat the attack on the network itself: ${images(onlyA)} ${onlyA === 1 ? "falls" : "fall"} only to them, ${onlyB} only to ${attack.name}.`;
    return { of: attack, p: pairedP(onlyA, onlyB), raised: { message, fix } };
  });

function withoutGradients([a, b]: readonly [ComparedAttack, ComparedAttack]): Comparison[] {
  if (!isSameTask(a, b) || (a.access === "gradients") === (b.access === "gradients")) return [];
  const [blind, seeing] = a.access === "gradients" ? [b, a] : [a, b];
  return [
    weakerBreaksMore(blind, seeing, (evidence) => ({
      message: `An attack that sees no gradients beats one that follows them: ${evidence}.`,
      fix,
    })),
  ];
}
