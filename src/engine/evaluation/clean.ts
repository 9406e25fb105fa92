import type { Classifier } from "../classifier/classifier.ts";
import { checkNumbers, probabilitiesOf } from "../classifier/probabilities.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { Scores } from "../define/analysis.ts";
import type { EvaluationImages } from "../define/index.ts";
import { largestScores } from "../harness/predict.ts";
import { type Images, tf } from "../tf.ts";
import { batchesOf, batchesWithin, batchSizeOf, type Range } from "./batches.ts";
import { imageBatches } from "./imageBatches.ts";

/** Class probabilities [n·k] of [n,H,W,C] images. @throws MODEL_NAN when a score is no number */
export async function probabilities(model: Classifier, images: Float32Array): Promise<Float32Array> {
  const [height, width, channels] = model.inputShape;
  const n = images.length / (height * width * channels);
  const scores = tf.tidy(() => probabilitiesOf(model, model.logits(tf.tensor4d(images, [n, height, width, channels]) as Images)));
  try {
    return checkNumbers((await scores.data()) as Float32Array);
  } finally {
    scores.dispose();
  }
}

/** Index of the largest score of row `row`; the first of equals. */
export function argmax(scores: ArrayLike<number>, row: number, classes: number): number {
  let best = 0;
  for (let k = 1; k < classes; k++) if ((scores[row * classes + k] as number) > (scores[row * classes + best] as number)) best = k;
  return best;
}

/** What a model says of images. */
export interface Classified {
  readonly predictions: Int32Array;
  /** [n·k] */
  readonly probabilities: Float32Array;
}

/** Predicted classes and their probabilities of images [n,H,W,C], in one pass. @throws MODEL_NAN when a score is no number */
export async function classify(model: Classifier, images: Float32Array): Promise<Classified> {
  const [height, width, channels] = model.inputShape;
  const n = images.length / (height * width * channels);
  const [logits, probable] = tf.tidy(() => {
    const scores = model.logits(tf.tensor4d(images, [n, height, width, channels]) as Images);
    return [scores, probabilitiesOf(model, scores)] as [tf.Tensor, tf.Tensor];
  });
  try {
    const [scores, shares] = await Promise.all([logits.data(), probable.data()]);
    return { predictions: largestScores(scores, n, model.classes), probabilities: Float32Array.from(shares) };
  } finally {
    tf.dispose([logits, probable]);
  }
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
