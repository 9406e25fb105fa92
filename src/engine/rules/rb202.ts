import { percent, plural } from "../../shared/format.ts";
import type { AttackEvidence } from "./evidence.ts";
import type { Raised, Rule } from "./rule.ts";

/** Of the images that an attack could break, those without a gradient: from this share on the accuracy under attack is not to be trusted. */
const blindShare = 0.05;

/** A gradient attack that took no gradient, or has none to follow, or an attack that changed no image that it could have attacked. */
export const rb202: Rule<AttackEvidence> = {
  id: "RB202",
  check(evidence) {
    const { notes, gradientEvaluations, records } = evidence;
    const attackable = records.filter(({ cleanPrediction, label, target }) => cleanPrediction === label && cleanPrediction !== target);
    if (attackable.length === 0) return null;
    if (notes.zeroGradient > 0 && notes.zeroGradient >= blindShare * attackable.length) return blind(evidence, attackable.length);
    const idle = notes.usesGradients && gradientEvaluations === 0;
    if (!idle && attackable.some((record) => record.linf !== 0)) return null;
    return {
      message: idle
        ? "This gradient attack made no backward pass: its result is the clean accuracy."
        : "The attack changed no image: its result is the clean accuracy.",
      fix: 'Look for a radius of 0 or a zero gradient; try "loss": "margin", or sparseRs, which needs no gradient.',
    };
  },
};

/** A random start changes such an image and no step follows. */
function blind({ attack, notes: { zeroGradient, zeroMargin } }: AttackEvidence, attackable: number): Raised {
  const message = `On ${plural(zeroGradient, "image")} of the ${attackable} that it could break (${percent(zeroGradient / attackable)}) the gradient of the attack's loss is exactly 0 from the start, and none of them is broken: that is no robustness.`;
  const helps = 2 * zeroMargin < zeroGradient && attack.params["loss"] === "crossEntropy";
  const fix = helps
    ? 'The cross-entropy saturates on these scores: set "loss": "margin", which does not, or attack with sparseRs, which needs no gradient.'
    : "Attack with sparseRs, which needs no gradient, or with images made on another model.";
  return { message, fix };
}
