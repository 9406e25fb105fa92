import { Type } from "@sinclair/typebox";
import type { ArmReport } from "./results.ts";
import { fitting, list, text, whole } from "./shapes.ts";

/** IoU in percent from which on attention counts as kept: more than half of both areas together is common. */
export const attentionKept = 50;

const study = Type.Object({ attacks: list(Type.Object({ key: text, overlap: list(whole) })) });

/**
 * What the analysis `attentionStudy` says of every image, by attack key: how much of the attention area is the same before and after the attack
 * (IoU, whole percent; −1 for an image that was left out). Null where the run has no such analysis.
 */
export type AttentionOverlap = Readonly<Record<string, readonly number[]>>;

export function attentionOverlap({ analyses }: Pick<ArmReport, "analyses">): AttentionOverlap | null {
  const data = fitting(study, analyses.find(({ id }) => id === "attentionStudy")?.data);
  return data ? Object.fromEntries(data.attacks.map(({ key, overlap }) => [key, overlap])) : null;
}
