import { BulwarkError } from "../../../shared/errors.ts";
import type { AttackBatch, ModelFacts } from "../../define/index.ts";

/** What a search on one image wants: away from `label`, or towards `target`. */
export interface Goal {
  readonly label: number;
  readonly target: number | undefined;
}

/** The prediction is wrong, or the target class. Of equal scores the first counts, as everywhere. */
export function isReached(scores: ArrayLike<number>, { label, target }: Goal): boolean {
  let best = 0;
  for (let k = 1; k < scores.length; k++) if ((scores[k] as number) > (scores[best] as number)) best = k;
  return target === undefined ? best !== label : best === target;
}

/** To be minimised: z_y − max_{j≠y} z_j, or max_{j≠t} z_j − z_t (`losses/margin.ts`, of one image that has been read). */
export function marginOf(logits: ArrayLike<number>, { label, target }: Goal): number {
  const own = target ?? label;
  let other = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < logits.length; k++) if (k !== own) other = Math.max(other, logits[k] as number);
  const margin = (logits[own] as number) - other;
  return target === undefined ? margin : -margin;
}

/** The goal of each image of a batch. */
export async function goalsOf({ labels, targets }: AttackBatch): Promise<Goal[]> {
  const aimedAt = await targets?.data();
  return Array.from(await labels.data(), (label, i) => ({ label, target: aimedAt?.[i] }));
}

/** @throws PARAMETER_INVALID for more pixels than an image has */
export function checkPixels(pixels: number, { inputShape: [height, width] }: ModelFacts): void {
  if (pixels <= height * width) return;
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `${pixels} pixels are more than an image of ${height}×${width} has.`,
    `Use at most ${height * width}.`,
  );
}
