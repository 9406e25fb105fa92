import type { ModelEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** Nothing says which range of pixels the network takes. */
export const rb111: Rule<ModelEvidence> = {
  id: "RB111",
  check: ({ contractSource }) =>
    contractSource.kind === "assumed"
      ? {
          message: "Nothing says which input range the model takes; 0…1 is assumed.",
          fix: 'Run `bulwark probe` with labelled pictures, or state "mean" and "scale" in the input contract beside the model.',
        }
      : null,
};
