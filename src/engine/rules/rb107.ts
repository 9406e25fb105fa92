import { plural } from "../../shared/format.ts";
import type { ArmEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** Share of the images from which the loss is of little use. */
const share = 0.5;

/** The softmax is exactly 1 in float32, so that the cross-entropy has lost the part of its gradient that leads away from the label. */
export const rb107: Rule<ArmEvidence> = {
  id: "RB107",
  check({ gradients }) {
    if (!gradients || gradients.saturated < share * gradients.n) return null;
    return {
      message: `The largest probability is exactly 1 in float32 on ${plural(gradients.saturated, "image")} of ${gradients.n}: the cross-entropy has saturated, and attacks that ascend it may be weak.`,
      fix: 'Attack with "loss": "margin", which does not saturate, or scale the scores down: a temperature changes no prediction.',
    };
  },
};
