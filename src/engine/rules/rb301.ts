import type { ComparingRule } from "./compare.ts";
import { isSameTask, pairsOf, weakerBreaksMore } from "./paired.ts";

/** In the same ball a single step breaks significantly more images than many steps do; paired on the same images of one arm. */
export const rb301: ComparingRule = {
  id: "RB301",
  compare: (attacks) =>
    pairsOf(attacks).flatMap(([a, b]) => {
      if (!isSameTask(a, b) || a.iterative === b.iterative) return [];
      const [single, many] = a.iterative ? [b, a] : [a, b];
      return [
        weakerBreaksMore(single, many, (evidence) => ({
          message: `A single step beats many: ${evidence}.`,
          fix: 'Use more "steps" and "restarts". If that does not help, the gradient is probably masked: try "loss": "margin", or sparseRs, which needs no gradient.',
        })),
      ];
    }),
};
