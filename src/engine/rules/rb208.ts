import type { Finding } from "../../shared/results.ts";
import type { HarnessNotes } from "../harness/types.ts";
import { images } from "./words.ts";

/** RB208: images that were misclassified before the attack; they are wrong in the accuracy and absent from the success rate. */
export function rb208(notes: HarnessNotes, n: number): Finding | null {
  if (notes.skipped === 0) return null;
  return {
    rule: "RB208",
    severity: "info",
    message: `${images(notes.skipped)} of ${n} misclassified before the attack: wrong in the accuracy, no success of the attack.`,
    fix: "Quote the success rate beside the accuracy: it counts only images that were right.",
  };
}
