import type { AttackEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/** The attack returned images outside its ball or outside [0,1]; the harness brought them back. */
export const rb201: Rule<AttackEvidence> = {
  id: "RB201",
  check({ notes }) {
    const count = notes.outOfBall + notes.notFinite;
    if (count === 0) return null;
    const nan = notes.notFinite > 0 ? `, ${notes.notFinite} of them with NaN or infinite values` : "";
    return {
      message: `The attack left its threat model on ${images(count)}${nan}; they were projected back before scoring.`,
      fix: "Project inside the attack, or report the attack as faulty.",
    };
  },
};
