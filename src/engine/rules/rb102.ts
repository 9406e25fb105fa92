import type { ModelEvidence } from "./evidence.ts";
import type { Raised, Rule } from "./rule.ts";

const fix = "Save the model without its last activation, so that attacks see the scores before it.";

const stated = '{"input": {}, "output": {"kind": "probabilities"}}';

/** The network ends in a softmax that cannot be taken off, or in an activation that keeps its scores in a range. */
export const rb102: Rule<ModelEvidence> = {
  id: "RB102",
  check({ outputs, bounded, byValue }): Raised | null {
    if (byValue === "probabilities")
      return {
        message:
          "The outputs are not negative and sum to 1 on every input: they are taken as probabilities, and attacks use their logarithms.",
        fix: `State it in the input contract beside the model, model.bulwark.json: ${stated}. Better: ${fix.charAt(0).toLowerCase()}${fix.slice(1)}`,
      };
    if (byValue === "some")
      return {
        message:
          "The outputs lie between 0 and 1 and never sum to more than 1, yet they are taken as logits: confidences and attacks are wrong if they are probabilities.",
        fix: `If they are, state it in the input contract beside the model, model.bulwark.json: ${stated}; if not, "kind": "logits".`,
      };
    if (outputs === "probabilities")
      return { message: "The model gives probabilities and its softmax cannot be taken off; attacks use log-probabilities.", fix };
    if (bounded === null) return null;
    return { message: `The model ends in ${bounded}, which bounds its scores: attacks have no gradient where it saturates.`, fix };
  },
};
