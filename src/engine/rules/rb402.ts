import type { DetectorEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** A detector that draws at random is evaded along the gradient of a single draw. */
export const rb402: Rule<DetectorEvidence> = {
  id: "RB402",
  check({ name, randomised, evasionPasses, adaptive }) {
    if (!randomised || adaptive === 0 || evasionPasses > 1) return null;
    return {
      message: `${name} draws at random, and the attacks that evade it follow one draw at a time.`,
      fix: 'Average over more passes, such as "evasionPasses": 10.',
    };
  },
};
