import type { ModelEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** Under another range than the contract's the model is right far more often; exact paired tests of the contract probe. */
export const rb101: Rule<ModelEvidence> = {
  id: "RB101",
  check: ({ probed }) =>
    probed?.betterRange
      ? {
          message: `The input contract feeds the model wrongly: ${probed.betterRange}.`,
          fix: "Write the contract that the probe found, with --write.",
        }
      : null,
};
