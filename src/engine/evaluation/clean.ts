import { inOneRow, inParts } from "../backends/parts.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { Scores } from "../define/analysis.ts";
import type { EvaluationImages } from "../define/index.ts";
import { type Classified, classify, probabilities } from "../harness/predict.ts";
import { batchesOf, batchesWithin, type Range } from "./batches.ts";
import { imageBatches } from "./imageBatches.ts";

/**
 * `probabilities` of any number of images, `most` at a time.
 * @param first index of the first image in its data set
 */
export async function probabilitiesInParts(
  model: Classifier,
  images: Float32Array,
  { first, most = batchSizeFor(model, "forward").most }: { readonly first: number; readonly most?: number },
  ctx: RunContext,
): Promise<Float32Array> {
  const pixels = model.inputShape.reduce((a, b) => a * b, 1);
  const parts = await inParts(images.length / pixels, most, model.evaluations, (start, end) =>
    probabilities(forImages(model, ctx.rng, first + start), images.slice(start * pixels, end * pixels)),
  );
  return inOneRow(parts);
}

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
  const { size, most } = batchSizeFor(model, "forward");
  for await (const [[start], { images: pixels, n }] of imageBatches(images, batchesWithin(range, size))) {
    const each = pixels.length / n;
    const parts = await inParts(n, most, model.evaluations, (from, to) =>
      classify(forImages(model, ctx.rng, start + from), pixels.slice(from * each, to * each)),
    );
    yield {
      predictions: Int32Array.from(parts.flatMap(({ predictions }) => [...predictions])),
      probabilities: inOneRow(parts.map(({ probabilities: shares }) => shares)),
    };
    await ctx.checkpoint();
  }
}

/** Class probabilities of all images, with their labels. */
export async function scoresOf(model: Classifier, images: EvaluationImages, ctx: RunContext): Promise<Scores> {
  const all = new Float32Array(images.n * model.classes);
  const labels = new Int32Array(images.n);
  const { size, most } = batchSizeFor(model, "forward");
  for await (const [[start], batch] of imageBatches(images, batchesOf(images.n, size))) {
    all.set(await probabilitiesInParts(model, batch.images, { first: start, most }, ctx), start * model.classes);
    labels.set(batch.labels, start);
    await ctx.checkpoint();
  }
  return { probabilities: all, labels, classes: model.classes };
}
