import type { Finding, ImageRecord } from "../../shared/results.ts";
import type { HarnessNotes } from "../harness/types.ts";

/** RB202: a gradient attack that took no gradient, or an attack that changed no image that it could have attacked. */
export function rb202(notes: HarnessNotes, gradientEvaluations: number, records: readonly ImageRecord[]): Finding | null {
  const attackable = records.filter((record) => record.cleanPrediction === record.label);
  if (attackable.length === 0) return null;
  const idle = notes.usesGradients && gradientEvaluations === 0;
  const unchanged = attackable.every((record) => record.linf === 0);
  if (!idle && !unchanged) return null;
  return {
    rule: "RB202",
    severity: "error",
    message: idle
      ? "Suspicious because this gradient attack made no backward pass: its result is the clean accuracy."
      : "Suspicious because the attack changed no image: its result is the clean accuracy.",
    fix: "Look for a zero gradient or a radius of 0; try a gradient-free attack such as nPixel.",
  };
}
