import { number } from "../../shared/format.ts";
import type { ArmEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** Cosine under which gradient and differences disagree; networks of ReLUs have more than .98. */
const least = 0.9;

/** The gradient is not the slope of what the model computes. */
export const rb106: Rule<ArmEvidence> = {
  id: "RB106",
  check({ gradients }) {
    const agreement = gradients?.agreement ?? null;
    if (agreement === null || agreement >= least) return null;
    return {
      message: `The gradient disagrees with how the model's margin changes by half an 8-bit level: cosine ${number(agreement)}, where most networks have nearly 1.`,
      fix: "Look for rounding, sorting, thresholds or a custom gradient in the model, or for scores that curve sharply, as averaged probabilities of slices do. Attack with sparseRs, which needs no gradient, and with images made on another model, before trusting the robustness.",
    };
  },
};
