import { type Classifier, inputGradient } from "../classifier/classifier.ts";
import { probabilitiesOf } from "../classifier/probabilities.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { ImageBatch } from "../define/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import { margin } from "../losses/margin.ts";
import type { GradientEvidence } from "../rules/evidence.ts";
import { type Images, tf, valuesOf } from "../tf.ts";
import { partOfBatch } from "./halving.ts";

/** Images of which the gradient is compared with differences, and directions that each is moved along and back. */
const [comparedImages, directions] = [4, 8];
/** How far every value is moved, half an 8-bit level: enough to stand out from rounding, too little to leave the slope. */
const reach = 0.5 / 255;

/**
 * What a model's gradients are worth to an attack, on a few labelled images: whether those of the cross-entropy are exactly zero or no
 * numbers, whether the softmax saturates, and whether those of the margin agree with finite differences. Its passes are not counted.
 * Null where the model has no gradients.
 */
export async function gradientCheck(model: Classifier, batch: ImageBatch, ctx: RunContext): Promise<GradientEvidence | null> {
  if (model.forwardOnly || batch.n === 0) return null;
  const counted = { ...model.evaluations };
  const seen = forImages(model, ctx.rng, 0, "gradientCheck");
  try {
    const slopes = await slopesOf(seen, batch);
    await ctx.checkpoint();
    return { n: batch.n, ...slopes, agreement: await agreement(seen, partOfBatch(batch, 0, Math.min(batch.n, comparedImages)), ctx) };
  } finally {
    Object.assign(model.evaluations, counted);
  }
}

const tensorOf = (model: Classifier, images: Float32Array, n: number): Images => tf.tensor4d(images, [n, ...model.inputShape]);

async function slopesOf(
  model: Classifier,
  { images, labels, n }: ImageBatch,
): Promise<Pick<GradientEvidence, "zero" | "notFinite" | "saturated">> {
  const x = tensorOf(model, images, n);
  const classes = tf.tensor1d(labels, "int32");
  const { gradient, logits } = inputGradient(model, x, (z) => crossEntropy(z, classes, "sum"));
  const most = tf.tidy(() => tf.max(probabilitiesOf(model, logits), 1));
  try {
    const values = await valuesOf(gradient);
    const size = values.length / n;
    const each = Array.from({ length: n }, (_, i) => values.subarray(i * size, (i + 1) * size));
    const notFinite = each.filter((slopes) => !slopes.every(Number.isFinite)).length;
    const zero = each.filter((slopes) => slopes.every((slope) => slope === 0)).length;
    return { zero, notFinite, saturated: (await valuesOf(most)).filter((p) => p === 1).length };
  } finally {
    tf.dispose([x, classes, gradient, logits, most]); // what was read is gone already
  }
}

/**
 * Cosine between the slopes g·d that the gradient of the margin says along random directions d = ±reach, and those that two passes show,
 * (L(x + d) − L(x − d))/2, over all images, each scaled to the same length. Null where passes differ by themselves, where a defence in
 * front declares that its gradient is not its own (BPDA), or where nothing changes.
 */
async function agreement(model: Classifier, { images, labels, n }: ImageBatch, ctx: RunContext): Promise<number | null> {
  if (model.randomised || model.front?.some(({ backward }) => backward === "bpda")) return null;
  const classes = tf.tensor1d(labels, "int32");
  const margins = async (values: Float32Array): Promise<Float32Array> => {
    const [x, now] = tf.tidy(() => {
      const moved = tensorOf(model, values, n);
      return [moved, margin(model.logits(moved), { labels: classes })] as const;
    });
    const read = Float32Array.from(await valuesOf(now));
    tf.dispose([x, now]);
    return read;
  };
  const size = images.length / n;
  const said: number[][] = Array.from({ length: n }, () => []);
  const shown: number[][] = Array.from({ length: n }, () => []);
  const x = tensorOf(model, images, n);
  const { gradient, logits } = inputGradient(model, x, (z) => tf.sum(margin(z, { labels: classes })));
  try {
    const slopes = await valuesOf(gradient);
    for (let j = 0; j < directions; j++) {
      const rng = ctx.rng.stream(`gradientCheck/${j}`);
      const direction = rng.uniforms(images.length, -1, 1).map((value) => (value < 0 ? -reach : reach));
      const ahead = await margins(images.map((value, i) => value + (direction[i] as number)));
      const behind = await margins(images.map((value, i) => value - (direction[i] as number)));
      for (let i = 0; i < n; i++) {
        let slope = 0;
        for (let k = i * size; k < (i + 1) * size; k++) slope += (slopes[k] as number) * (direction[k] as number);
        said[i]?.push(slope);
        shown[i]?.push(((ahead[i] as number) - (behind[i] as number)) / 2);
      }
      await ctx.checkpoint();
    }
  } finally {
    tf.dispose([x, gradient, logits, classes]);
  }
  return cosine(said.flatMap(unit), shown.flatMap(unit));
}

const lengthOf = (values: readonly number[]): number => Math.hypot(...values);
const unit = (values: readonly number[]): number[] => values.map((value) => value / (lengthOf(values) || 1));

function cosine(a: readonly number[], b: readonly number[]): number | null {
  const lengths = lengthOf(a) * lengthOf(b);
  const product = a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  return lengths > 0 && Number.isFinite(lengths) ? product / lengths : null;
}
