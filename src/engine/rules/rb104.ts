import type { ModelEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** More than what another order of summation makes of float32. */
const tolerance = 1e-2;

/** What an image gets depends on the images beside it: batch normalisation takes its statistics from the batch. */
export const rb104: Rule<ModelEvidence> = {
  id: "RB104",
  check: ({ measured }) =>
    measured && measured.batchDifference > tolerance && measured.passDifference <= tolerance
      ? {
          message: `An image gets other scores in a batch than alone; they differ by up to ${measured.batchDifference.toPrecision(2)}.`,
          fix: "Save the model in evaluation mode, so that batch normalisation uses its running statistics.",
        }
      : null,
};
