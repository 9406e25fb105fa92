import type { ComparingRule } from "./compare.ts";
import type { ComparedAttack } from "./evidence.ts";
import { pairsOf, weakerBreaksMore } from "./paired.ts";

/** In the same ball a single step breaks significantly more images than many steps do; paired on the same images of one arm. */
export const rb301: ComparingRule = {
  id: "RB301",
  compare: (attacks) =>
    pairsOf(attacks).flatMap(([a, b]) => {
      if (!isComparable(a, b)) return [];
      const [single, many] = a.iterative ? [b, a] : [a, b];
      return [
        weakerBreaksMore(single, many, (evidence) => ({
          message: `A single step beats many: ${evidence}.`,
          fix: 'Use more "steps" and "restarts". If that does not help, the gradient is probably masked: try "loss": "margin", or sparseRs, which needs no gradient.',
        })),
      ];
    }),
};

/** Of one arm, one of them iterative, with the same ball, neither aimed at one class. */
const isComparable = (a: ComparedAttack, b: ComparedAttack): boolean =>
  a.arm === b.arm &&
  a.iterative !== b.iterative &&
  a.ball !== null &&
  a.ball.norm === b.ball?.norm &&
  a.ball.radius === b.ball.radius &&
  a.target === null &&
  b.target === null;
