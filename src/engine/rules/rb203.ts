import type { Finding } from "../../shared/results.ts";
import type { HarnessNotes } from "../harness/types.ts";
import { images } from "./words.ts";

/** RB203: an iterate was adversarial and the attack's result was not. The harness returned the iterate. */
export function rb203(notes: HarnessNotes): Finding | null {
  if (notes.silentSuccess === 0) return null;
  return {
    rule: "RB203",
    severity: "warning",
    message: `Suspicious because the attack passed through an adversarial image and lost it again on ${images(notes.silentSuccess)}; the best iterate was kept.`,
    fix: "Use a smaller step: the attack jumps across the boundary.",
  };
}
