import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { Scores } from "../define/analysis.ts";
import type { EvaluationImages } from "../define/index.ts";
import { type Classified, classify, probabilities } from "../harness/predict.ts";
import { batchesOf, batchesWithin, batchSizeOf, type Range } from "./batches.ts";
import { imageBatches } from "./imageBatches.ts";

/** Index of the largest score of row `row`; the first of equals. */
export function argmax(scores: ArrayLike<number>, row: number, classes: number): number {
  let best = 0;
  for (let k = 1; k < classes; k++) if ((scores[row * classes + k] as number) > (scores[row * classes + best] as number)) best = k;
  return best;
}

/** What the model says of images `range`, batch by batch. */
export async function* classifyBatches(
  model: Classifier,
  images: EvaluationImages,
  range: Range,
  ctx: RunContext,
): AsyncGenerator<Classified> {
  for await (const [[start], batch] of imageBatches(images, batchesWithin(range, batchSizeOf(images.inputShape)))) {
    yield await classify(forImages(model, ctx.rng, start), batch.images);
    await ctx.checkpoint();
  }
}

/** Class probabilities of all images, with their labels. */
export async function scoresOf(model: Classifier, images: EvaluationImages, ctx: RunContext): Promise<Scores> {
  const all = new Float32Array(images.n * model.classes);
  const labels = new Int32Array(images.n);
  for await (const [[start], batch] of imageBatches(images, batchesOf(images.n, batchSizeOf(images.inputShape)))) {
    all.set(await probabilities(forImages(model, ctx.rng, start), batch.images), start * model.classes);
    labels.set(batch.labels, start);
    await ctx.checkpoint();
  }
  return { probabilities: all, labels, classes: model.classes };
}
