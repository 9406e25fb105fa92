import { plural } from "../../shared/format.ts";
import type { ModelEvidence } from "./evidence.ts";
import type { Raised, Rule } from "./rule.ts";

/** A quantised network, whose rounding has no gradient of its own. */
export const rb115: Rule<ModelEvidence> = {
  id: "RB115",
  check({ quantisers }): Raised | null {
    if (quantisers === 0) return null;
    return {
      message: `Gradients pass through ${plural(quantisers, "quantiser")} as if they were not there (straight-through): attacks that follow them may be weak.`,
      fix: "Add an attack that asks for scores alone, such as nPixel or sparseRs.",
    };
  },
};
