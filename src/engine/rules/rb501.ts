import type { AttackEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/** Share of the successes whose loss makes this an error. */
const much = 0.05;

/** Successes that are gone once the image is rounded to the 8 bits of a PNG, and that the search for 8-bit images has not brought back. */
export const rb501: Rule<AttackEvidence> = {
  id: "RB501",
  check({ attack, notes, records, minimizes }) {
    const lost = notes.lostAfter8Bit;
    if (lost === 0) return null;
    const successes = records.filter(({ success }) => success).length;
    const repaired = records.filter((record) => record.repaired).length;
    const others = repaired > 0 ? ` ${repaired} more would be, but an adversarial image of whole 8-bit levels lies near by.` : "";
    return {
      severity: minimizes ? "info" : lost > much * successes ? "error" : "warning",
      message: `${lost} of ${images(successes)} attacked with success ${lost === 1 ? "is" : "are"} classified correctly again after rounding to 8 bits.${others}`,
      fix: minimizes
        ? atTheBorder(attack)
        : remedy(Math.max(0, ...records.filter((r) => r.success && !r.successAfter8Bit).map(({ linf }) => linf))),
    };
  },
};

/** The smallest change ends at the decision boundary, and rounding may lead back across it. */
const atTheBorder = ({ params }: AttackEvidence["attack"]): string =>
  `The attack ends just beyond the decision boundary, so this is no fault: adversarial.npz holds the float images that the distances belong to. For adversarial 8-bit images, use a larger "${"confidence" in params ? "confidence" : "overshoot"}", or pgd within a radius.`;

/** @param largest change of a value in the images that are lost */
const remedy = (largest: number): string =>
  255 * largest < 1 - 1e-3
    ? 'No value changes by a whole level there, so no 8-bit image is as near as that: set "eps" to 1/255 or more, or claim the success for the float images of adversarial.npz alone.'
    : 'Set a larger "eps" or more steps, so that images end further from the decision boundary than rounding moves them. adversarial.npz holds the float images.';
