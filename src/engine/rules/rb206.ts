import { binomialTail, significance } from "../metrics/statistics.ts";
import type { ArmEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/**
 * With the whole of [0,1] allowed, an attack must bring accuracy down to chance (1 of `classes`): it may paint any image. Fires where
 * chance explains the survivors in under 5 % of cases. The test is of one sample against chance, not of paired results, at most once for
 * each arm that looks robust; so it stands outside Holm's family. It errs on the quiet side, as an ordinary network keeps none of the images.
 */
export const rb206: Rule<ArmEvidence> = {
  id: "RB206",
  check({ unbounded }) {
    if (!unbounded || unbounded.n === 0) return null;
    const { survivors, n, classes, attack, attackKey } = unbounded;
    if (binomialTail(survivors, n, 1 / classes) >= significance) return null;
    return {
      attack,
      attackKey,
      message: `${survivors} of ${images(n)} withstand an attack that may change every pixel at will: gradients are probably masked.`,
      fix: 'Attack with "loss": "margin" and more "restarts", or with sparseRs, which needs no gradient, before trusting the robustness.',
    };
  },
};
