import type { ComparingRule } from "./compare.ts";
import type { ComparedAttack } from "./evidence.ts";
import { pairsOf, weakerBreaksMore } from "./paired.ts";

/** The same attack breaks significantly more images of an arm with a smaller ball. */
export const rb303: ComparingRule = {
  id: "RB303",
  compare: (attacks) =>
    pairsOf(attacks).flatMap(([a, b]) => {
      if (!isComparable(a, b)) return [];
      const [smaller, larger] = (a.ball?.radius ?? 0) < (b.ball?.radius ?? 0) ? [a, b] : [b, a];
      return [
        weakerBreaksMore(smaller, larger, (evidence) => ({
          message: `Accuracy rises with the radius: ${evidence}.`,
          fix: 'Check adversarial training for label leaking, and give the larger radius more "steps".',
        })),
      ];
    }),
};

const isComparable = (a: ComparedAttack, b: ComparedAttack): boolean =>
  a.id === b.id &&
  a.arm === b.arm &&
  a.target === b.target &&
  a.ball !== null &&
  a.ball.norm === b.ball?.norm &&
  a.ball.radius !== b.ball.radius;
