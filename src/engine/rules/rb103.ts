import type { ModelEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** More than the last digits of float32. */
const tolerance = 1e-4;

/** The same images give other scores the second time. */
export const rb103: Rule<ModelEvidence> = {
  id: "RB103",
  check: ({ measured }) =>
    measured && measured.passDifference > tolerance
      ? {
          message: `Two passes over the same images differ by up to ${measured.passDifference.toPrecision(2)} in a score.`,
          fix: "Take random layers out of the model before saving it; what is random here is not averaged by attacks.",
        }
      : null,
};
