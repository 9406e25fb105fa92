import type { AttackEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";

/** A gradient attack that took no gradient, or an attack that changed no image that it could have attacked. */
export const rb202: Rule<AttackEvidence> = {
  id: "RB202",
  check({ notes, gradientEvaluations, records }) {
    const attackable = records.filter(({ cleanPrediction, label, target }) => cleanPrediction === label && cleanPrediction !== target);
    if (attackable.length === 0) return null;
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
