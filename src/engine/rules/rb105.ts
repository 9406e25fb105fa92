import { plural } from "../../shared/format.ts";
import type { ArmEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** The gradient of the cross-entropy is exactly zero, or no number, at a clean image: an attack has nothing to follow there. */
export const rb105: Rule<ArmEvidence> = {
  id: "RB105",
  check({ gradients }) {
    if (!gradients || gradients.zero + gradients.notFinite === 0) return null;
    const { zero, notFinite, n } = gradients;
    const said = [
      ...(zero > 0 ? [`exactly 0 on ${plural(zero, "image")}`] : []),
      ...(notFinite > 0 ? [`no number on ${plural(notFinite, "image")}`] : []),
    ];
    return {
      message: `The gradient of the cross-entropy is ${said.join(" and ")} of ${n}: an attack that follows it finds nothing there.`,
      fix: 'Attack with "loss": "margin", which does not saturate, and with sparseRs, which needs no gradient. A step that cannot be differentiated belongs in front of the model as a defence with BPDA.',
    };
  },
};
