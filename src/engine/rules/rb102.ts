import type { ModelEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** The network ends in a softmax that cannot be taken off. */
export const rb102: Rule<ModelEvidence> = {
  id: "RB102",
  check: ({ outputs }) =>
    outputs === "logits"
      ? null
      : {
          message: "The model gives probabilities and its softmax cannot be taken off; attacks use log-probabilities.",
          fix: "Save the model without its last softmax, so that attacks see the scores before it.",
        },
};
