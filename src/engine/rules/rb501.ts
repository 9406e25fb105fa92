import type { AttackEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/** Share of the successes whose loss makes this an error. */
const much = 0.05;

/** Successes that are gone once the image is rounded to the 8 bits of a PNG. */
export const rb501: Rule<AttackEvidence> = {
  id: "RB501",
  check({ notes, records }) {
    if (notes.lostAfter8Bit === 0) return null;
    const successes = records.filter(({ success }) => success).length;
    return {
      severity: notes.lostAfter8Bit > much * successes ? "error" : "warning",
      message: `${notes.lostAfter8Bit} of ${images(successes)} attacked with success ${notes.lostAfter8Bit === 1 ? "is" : "are"} classified correctly again after rounding to 8 bits.`,
      fix: 'Use the float images of adversarial.npz, or a larger "eps".',
    };
  },
};
