import type { Finding } from "../../shared/results.ts";
import type { HarnessNotes } from "../harness/types.ts";
import { images } from "./words.ts";

/** RB501: successes that are gone once the image is rounded to the 8 bits of a PNG. */
export function rb501(notes: HarnessNotes, successes: number): Finding | null {
  if (notes.lostAfter8Bit === 0) return null;
  return {
    rule: "RB501",
    severity: notes.lostAfter8Bit > 0.05 * successes ? "error" : "warning",
    message: `Suspicious because ${notes.lostAfter8Bit} of ${images(successes)} attacked with success are classified correctly again after rounding to 8 bits.`,
    fix: "Use the float images of adversarial.npz, or a larger eps.",
  };
}
