import type { ModelEvidence } from "./evidence.ts";
import type { Raised, Rule } from "./rule.ts";

/** ONNX Runtime runs the file, and nothing gives gradients. */
export const rb114: Rule<ModelEvidence> = {
  id: "RB114",
  check({ forwardOnly }): Raised | null {
    if (forwardOnly === null) return null;
    return {
      message: `The model gives scores only: ${forwardOnly}. ONNX Runtime runs it as it is.`,
      fix: "Judge it by attacks that ask for scores alone, such as nPixel or sparseRs; for gradients, export it without that.",
    };
  },
};
