import type { ImageRecord } from "../../shared/results.ts";
import { inParts } from "../backends/parts.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { Criterion, EvaluationImages } from "../define/index.ts";
import { scoreTransferred, type TransferredImage } from "../harness/transferred.ts";
import type { CountedOutcome } from "../harness/types.ts";
import { isCleanCorrect } from "../metrics/robustness.ts";
import { batchesWithin, type Range } from "./batches.ts";
import { imageBatches } from "./imageBatches.ts";

/** Adversarial images that were made against another model, shown to `model`. */
export interface TransferTask {
  readonly model: Classifier;
  readonly images: EvaluationImages;
  /** Images [start, end) as the attack on the other model left them. */
  adversarial(start: number, end: number): Promise<Float32Array>;
  /** What `model` says of the clean ones. */
  cleanPredictions(start: number, end: number): Promise<Int32Array>;
  /** Target class of image `index`; undefined for an untargeted attack. */
  targetOf(index: number): number | undefined;
  /** What the attack counts as a success, where that is its own. */
  readonly criterion?: Criterion | undefined;
  readonly onProgress?: (done: number) => void;
}

/** What becomes of images `range`, batch by batch. */
export async function* transferBatches(o: TransferTask, range: Range, ctx: RunContext): AsyncGenerator<ImageRecord[]> {
  const { model, criterion } = o;
  const { size, most } = batchSizeFor(model, "forward");
  for await (const [[start, end], batch] of imageBatches(o.images, batchesWithin(range, size))) {
    const { images: clean, labels } = batch;
    const [adversarial, predictions] = [await o.adversarial(start, end), await o.cleanPredictions(start, end)];
    const before = Array.from(labels, (label, i): TransferredImage => {
      const target = o.targetOf(start + i);
      return { index: start + i, label, cleanPrediction: predictions[i] as number, ...(target === undefined ? {} : { target }) };
    });
    const pixels = clean.length / batch.n;
    const parts = await inParts(batch.n, most, model.evaluations, (from, to) => {
      const of = (values: Float32Array): Float32Array => values.subarray(from * pixels, to * pixels);
      const part = { clean: of(clean), adversarial: of(adversarial), before: before.slice(from, to), criterion };
      return scoreTransferred(model, part, ctx.rng);
    });
    yield parts.flat();
    o.onProgress?.(end - range[0]);
    await ctx.checkpoint();
  }
}

/** An attack on one model as another one meets it: cost and images stay, predictions and successes are the other's. */
export function transferredOutcomes(outcomes: readonly CountedOutcome[], records: readonly ImageRecord[]): CountedOutcome[] {
  let at = 0;
  return outcomes.map((outcome) => {
    const own = records.slice(at, at + outcome.records.length);
    at += own.length;
    const skipped = own.filter((record) => !isCleanCorrect(record)).length;
    const lostAfter8Bit = own.filter(({ success, successAfter8Bit }) => success && !successAfter8Bit).length;
    return {
      ...outcome,
      records: own,
      notes: { ...outcome.notes, silentSuccess: 0, skipped, lostAfter8Bit, zeroGradient: 0, zeroMargin: 0 },
    };
  });
}
