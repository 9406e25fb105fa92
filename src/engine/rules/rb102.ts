import type { ModelEvidence } from "./evidence.ts";
import type { Raised, Rule } from "./rule.ts";

const fix = "Save the model without its last activation, so that attacks see the scores before it.";

/** The network ends in a softmax that cannot be taken off, or in an activation that keeps its scores in a range. */
export const rb102: Rule<ModelEvidence> = {
  id: "RB102",
  check({ outputs, bounded }): Raised | null {
    if (outputs === "probabilities")
      return { message: "The model gives probabilities and its softmax cannot be taken off; attacks use log-probabilities.", fix };
    if (bounded === null) return null;
    return { message: `The model ends in ${bounded}, which bounds its scores: attacks have no gradient where it saturates.`, fix };
  },
};
