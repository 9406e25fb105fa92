import type { LabelReading } from "../../shared/probe.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { EvaluationImages } from "../define/index.ts";
import { batchesOf, batchSizeOf } from "../evaluation/batches.ts";
import { argmax } from "../evaluation/clean.ts";
import { type Images, tf } from "../tf.ts";
import type { Scored } from "./decide.ts";

/** Logits [n·k] of each of several classifiers for the same images, and their labels. */
export interface Passes {
  readonly labels: Int32Array;
  readonly classes: number;
  readonly logits: readonly Float32Array[];
}

/** Every image is read once and classified by all. @param onStep called after each pass over a batch */
export async function passesOf(
  models: readonly Classifier[],
  images: EvaluationImages,
  ctx: RunContext,
  onStep: () => void,
): Promise<Passes> {
  const classes = models[0]?.classes ?? 0;
  const labels = new Int32Array(images.n);
  const logits = models.map(() => new Float32Array(images.n * classes));
  for (const [start, end] of stepsOf(images)) {
    const batch = await images.read(start, end);
    labels.set(batch.labels, start);
    const x: Images = tf.tensor4d(batch.images, [end - start, ...images.inputShape]);
    try {
      for (const [i, model] of models.entries()) {
        logits[i]?.set(await logitsOf(model, x), start * classes);
        onStep();
        await ctx.checkpoint();
      }
    } finally {
      x.dispose();
    }
  }
  return { labels, classes, logits };
}

export const stepsOf = (images: EvaluationImages) => batchesOf(images.n, batchSizeOf(images.inputShape));

export async function logitsOf(model: Classifier, x: Images): Promise<Float32Array> {
  const logits = model.logits(x);
  try {
    return Float32Array.from(await logits.data());
  } finally {
    logits.dispose();
  }
}

/** Outputs that labels stand for; null where some label has none. */
export function readLabels(labels: Int32Array, reading: LabelReading, classes: number): Int32Array | null {
  const read = labels.map(readers[reading](classes));
  return read.every((label) => label >= 0 && label < classes) ? read : null;
}

const readers: Readonly<Record<LabelReading, (classes: number) => (label: number) => number>> = {
  identity: () => (label) => label,
  plusOne: () => (label) => label + 1,
  minusOne: () => (label) => label - 1,
  textOrder: (classes) => {
    const order = Array.from({ length: classes }, (_, i) => String(i)).sort(); // "0", "1", "10", "11", "2" …
    return (label) => order.indexOf(String(label));
  },
};

/** Predictions, hits and log p of one classifier's logits; NaN scores miss. */
export function scored(id: string, logits: Float32Array, labels: Int32Array, classes: number): Scored {
  const n = labels.length;
  const result = { id, predictions: new Int32Array(n), hits: new Uint8Array(n), logP: new Float64Array(n) };
  for (let i = 0; i < n; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    const best = argmax(row, 0, classes);
    const label = labels[i] as number;
    const largest = row[best] as number;
    const logSum = Math.log(row.reduce((sum, z) => sum + Math.exp(z - largest), 0));
    const logP = (row[label] as number) - largest - logSum;
    const isNumber = Number.isFinite(logSum);
    result.predictions[i] = best;
    result.hits[i] = isNumber && best === label ? 1 : 0;
    result.logP[i] = isNumber && Number.isFinite(logP) ? logP : -1e6;
  }
  return result;
}
