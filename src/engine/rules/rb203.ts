import type { AttackEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/** An iterate was adversarial and the attack's result was not. The harness returned the iterate. */
export const rb203: Rule<AttackEvidence> = {
  id: "RB203",
  check: ({ notes, step }) =>
    notes.silentSuccess === 0
      ? null
      : {
          message: `The attack passed through an adversarial image and lost it again on ${images(notes.silentSuccess)}; the best iterate was kept.`,
          fix: "Use a smaller step: the attack jumps across the boundary.",
          ...(step ? { edit: { parameter: step.parameter, value: Number((step.length / 2).toPrecision(3)) } } : {}),
        },
};
