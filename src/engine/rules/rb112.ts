import type { ModelEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** The contract says one input range, and the model's own file another. */
export const rb112: Rule<ModelEvidence> = {
  id: "RB112",
  check: ({ contradiction }) =>
    contradiction === null
      ? null
      : {
          message: `${contradiction.charAt(0).toUpperCase()}${contradiction.slice(1)}.`,
          fix: 'Correct "mean" and "scale" in the input contract, or leave them out.',
        },
};
