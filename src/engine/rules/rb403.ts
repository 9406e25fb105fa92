import type { DetectorEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** A detector is measured on attacks alone that do not know of it. */
export const rb403: Rule<DetectorEvidence> = {
  id: "RB403",
  check({ name, attacks, adaptive }) {
    if (attacks === 0 || adaptive > 0) return null;
    return {
      message: `${name} was measured only on attacks that do not know it.`,
      fix: "Add an attack that follows gradients, such as pgd: it is made once more to evade the detector.",
    };
  },
};
