import type { ModelEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** The model is right far more often if the labels are read in another way; exact paired tests of the contract probe. */
export const rb108: Rule<ModelEvidence> = {
  id: "RB108",
  check: ({ probed }) =>
    probed?.betterLabels
      ? {
          message: `The labels do not count classes as the model does: ${probed.betterLabels}.`,
          fix: "Correct the labels, or name the classes in both the model and the data, so that they are matched by name.",
        }
      : null,
};
