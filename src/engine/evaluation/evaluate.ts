import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { Attack, Bound, EvaluationImages } from "../define/index.ts";
import { attackInHalves } from "../harness/halving.ts";
import type { BatchOutcome } from "../harness/types.ts";
import { batchesWithin, type Range } from "./batches.ts";
import { imageBatches } from "./imageBatches.ts";

export interface AttackTask {
  readonly attack: Bound<Attack> & { readonly key: string };
  readonly model: Classifier;
  /** What the attacker sees of the model (`attackSurface`); the model itself when left out. */
  readonly surface?: Classifier;
  readonly images: EvaluationImages;
  /** What the model says of images [start, end) before they are attacked, where that is known. */
  cleanPredictions?(start: number, end: number): Promise<Int32Array>;
  /** What the attack's preparation made, for an attack that has one. */
  readonly prepared?: unknown;
  /** Images done, fractions while a batch is under way. */
  readonly onProgress?: (done: number) => void;
}

/**
 * Attacks images `range` batch by batch; nothing holds more than a batch. Randomness comes from `ctx.rng`, the attack's key and the
 * image's index, so that the result does not depend on where the range begins or ends.
 */
export async function* attackBatches(o: AttackTask, range: Range, ctx: RunContext): AsyncGenerator<BatchOutcome> {
  const { attack, model, surface, prepared } = o;
  const { size, most } = batchSizeFor(model, attack.entry.access === "gradients" ? "gradient" : "forward", surface);
  for await (const [[start, end], batch] of imageBatches(o.images, batchesWithin(range, size))) {
    const cleanPredictions = await o.cleanPredictions?.(start, end);
    const progress = (share: number): void => o.onProgress?.(start - range[0] + share * (end - start));
    const seedName = attack.key;
    const { entry, params } = attack;
    const task = { attack: entry, params, model, surface, batch, cleanPredictions, firstIndex: start, seedName, progress, prepared };
    yield await attackInHalves(task, ctx, most);
    o.onProgress?.(end - range[0]);
    await ctx.checkpoint();
  }
}
