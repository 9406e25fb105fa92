import { batchSizeOf } from "../classifier/batchSizes.ts";
import type { Range } from "../evaluation/batches.ts";
import type { PlanFacts } from "./piece.ts";

const secondsOfShard = 60;
/** Of a forward pass, for each value of the image: only the order of magnitude matters. */
const secondsPerValue = 1e-7;

/**
 * Shards of n images: whole batches, about a minute of work each, so that little is lost when a run is stopped. It follows from the
 * image's size and the work alone, never from who does it.
 * @param cost forward passes an image
 */
export function shardsOf(n: number, inputShape: PlanFacts["inputShape"], cost: number): Range[] {
  const batch = batchSizeOf(inputShape);
  const seconds = batch * cost * secondsPerValue * inputShape[0] * inputShape[1] * inputShape[2];
  const size = batch * Math.max(1, Math.floor(secondsOfShard / seconds));
  return Array.from({ length: Math.ceil(n / size) }, (_, i) => [i * size, Math.min(n, (i + 1) * size)] as const);
}

/** The shards that hold any of the images of `range`. */
export const overlapping = (shards: readonly Range[], [start, end]: Range): Range[] => shards.filter(([a, b]) => a < end && b > start);
