import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { Scores } from "../define/analysis.ts";
import type { ImageBatch } from "../define/index.ts";
import type { CleanAnswer } from "../rules/evidence.ts";
import { type Images, tf } from "../tf.ts";
import { batchesOf, batchSizeOf, type EvaluationImages } from "./batches.ts";

/** Softmax scores [n·k] of [n,H,W,C] images. */
export async function probabilities(model: Classifier, images: Float32Array): Promise<Float32Array> {
  const [height, width, channels] = model.inputShape;
  const n = images.length / (height * width * channels);
  const scores = tf.tidy(() => tf.softmax(model.logits(tf.tensor4d(images, [n, height, width, channels]) as Images)));
  try {
    return (await scores.data()) as Float32Array;
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

/** Label and predicted class of every image. */
export async function cleanAnswers(model: Classifier, images: EvaluationImages, ctx: RunContext): Promise<readonly CleanAnswer[]> {
  const answers: CleanAnswer[] = [];
  for (const [start, end] of batchesOf(images.n, batchSizeOf(images.inputShape))) {
    const batch: ImageBatch = await images.read(start, end);
    const scores = await probabilities(forImages(model, ctx.rng, start), batch.images);
    for (const [i, label] of batch.labels.entries()) answers.push({ label, cleanPrediction: argmax(scores, i, model.classes) });
    await ctx.checkpoint();
  }
  return answers;
}

/** Correctly classified images among all. */
export function cleanAccuracy(answers: readonly CleanAnswer[]): {
  readonly accuracy: number;
  readonly correct: number;
  readonly n: number;
} {
  const correct = answers.filter(({ label, cleanPrediction }) => label === cleanPrediction).length;
  return { accuracy: correct / answers.length, correct, n: answers.length };
}

/** Class probabilities of all images, with their labels. */
export async function scoresOf(model: Classifier, images: EvaluationImages, ctx: RunContext): Promise<Scores> {
  const all = new Float32Array(images.n * model.classes);
  const labels = new Int32Array(images.n);
  for (const [start, end] of batchesOf(images.n, batchSizeOf(images.inputShape))) {
    const batch = await images.read(start, end);
    all.set(await probabilities(forImages(model, ctx.rng, start), batch.images), start * model.classes);
    labels.set(batch.labels, start);
    await ctx.checkpoint();
  }
  return { probabilities: all, labels, classes: model.classes };
}
