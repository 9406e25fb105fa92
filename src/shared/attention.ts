import type { ArmReport } from "./results.ts";

/** IoU in percent from which on attention counts as kept: more than half of both areas together is common. */
export const attentionKept = 50;

/**
 * What the analysis `attentionStudy` says of every image, by attack key: how much of the attention area is the same before and after the attack
 * (IoU, whole percent; −1 for an image that was left out). Null where the run has no such analysis.
 */
export type AttentionOverlap = Readonly<Record<string, readonly number[]>>;

export function attentionOverlap({ analyses }: Pick<ArmReport, "analyses">): AttentionOverlap | null {
  const data = analyses.find(({ id }) => id === "attentionStudy")?.data as
    | { readonly attacks?: readonly { readonly key: string; readonly overlap: readonly number[] }[] }
    | null
    | undefined;
  return data?.attacks ? Object.fromEntries(data.attacks.map(({ key, overlap }) => [key, overlap])) : null;
}
