import { batchSizeOf } from "../classifier/batchSizes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { EvaluationImages } from "../define/index.ts";
import { batchesOf } from "../evaluation/batches.ts";
import { argmax } from "../evaluation/clean.ts";
import { imageBatches } from "../evaluation/imageBatches.ts";
import { type Images, tf } from "../tf.ts";
import { addValues, type ChannelSums, channelSums, type FirstNorm } from "./batchNorm.ts";
import { calibrate } from "./calibrate.ts";
import type { Scored } from "./decide.ts";

/** Logits [n·k] of each of several classifiers for the same images, and their labels. */
export interface Passes {
  readonly labels: Int32Array;
  readonly classes: number;
  readonly logits: readonly Float32Array[];
  /** What the first batch normalisation met, of each classifier; empty where there is none. */
  readonly met: readonly ChannelSums[];
}

/** Every image is read once and classified by all. @param onStep called after each pass over a batch */
export async function passesOf(
  models: readonly Classifier[],
  images: EvaluationImages,
  ctx: RunContext,
  onStep: () => void,
  norm: FirstNorm | null = null,
): Promise<Passes> {
  const classes = models[0]?.classes ?? 0;
  const labels = new Int32Array(images.n);
  const logits = models.map(() => new Float32Array(images.n * classes));
  const met = norm ? models.map(() => channelSums(norm.mean.length)) : [];
  for await (const [[start, end], batch] of imageBatches(images, stepsOf(images))) {
    labels.set(batch.labels, start);
    const x: Images = tf.tensor4d(batch.images, [end - start, ...images.inputShape]);
    try {
      for (const [i, model] of models.entries()) {
        logits[i]?.set(await passOf(model, x, norm, met[i]), start * classes);
        onStep();
        await ctx.checkpoint();
      }
    } finally {
      x.dispose();
    }
  }
  return { labels, classes, logits, met };
}

export const stepsOf = (images: EvaluationImages) => batchesOf(images.n, batchSizeOf(images.inputShape));

/** Logits of a batch; what the layer before the normalisation gives goes into `met`. */
async function passOf(model: Classifier, x: Images, norm: FirstNorm | null, met: ChannelSums | undefined): Promise<Float32Array> {
  if (!norm || !met || !model.layers) return logitsOf(model, x);
  const { logits, taken } = model.layers.run(x, { take: [norm.of] });
  const values = taken.get(norm.of);
  try {
    if (values) await addValues(met, values);
    return Float32Array.from(await logits.data());
  } finally {
    tf.dispose([logits, ...taken.values()]);
  }
}

export async function logitsOf(model: Classifier, x: Images): Promise<Float32Array> {
  const logits = model.logits(x);
  try {
    return Float32Array.from(await logits.data());
  } finally {
    logits.dispose();
  }
}

/** Predicted classes, and 1 where they are the labels; scores that are no numbers miss. */
export function answersOf(logits: Float32Array, labels: Int32Array, classes: number): Pick<Scored, "predictions" | "hits"> {
  const predictions = Int32Array.from(labels, (_, i) => argmax(logits, i, classes));
  const isNumber = (i: number): boolean => logits.subarray(i * classes, (i + 1) * classes).every(Number.isFinite);
  return { predictions, hits: Uint8Array.from(labels, (label, i) => (predictions[i] === label && isNumber(i) ? 1 : 0)) };
}

/** What stands for log p where scores are no numbers. */
const lost = -1e6;

/** Predictions, hits and log p of one classifier's logits. */
export function scored(id: string, logits: Float32Array, labels: Int32Array, classes: number): Scored {
  const logP = Float64Array.from(labels, (label, i) => {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const value = (row[label] as number) - largest - Math.log(row.reduce((sum, z) => sum + Math.exp(z - largest), 0));
    return Number.isFinite(value) ? value : lost;
  });
  return { id, ...answersOf(logits, labels, classes), logP, calibrated: calibrate(logits, labels, classes) };
}
