import type { Finding } from "../../shared/results.ts";
import type { HarnessNotes } from "../harness/types.ts";
import { images } from "./words.ts";

/** RB201: the attack returned images outside its ball or outside [0,1]; the harness brought them back. */
export function rb201(notes: HarnessNotes): Finding | null {
  const count = notes.outOfBall + notes.notFinite;
  if (count === 0) return null;
  const nan = notes.notFinite > 0 ? `, ${images(notes.notFinite)} with values that are no numbers` : "";
  return {
    rule: "RB201",
    severity: "error",
    message: `Suspicious because the attack left its threat model on ${images(count)}${nan}; they were projected back before scoring.`,
    fix: "Project inside the attack, or report it as a defect of the attack.",
  };
}
