import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { attentionArea } from "../attention/area.ts";
import { areaModeOf, areaParameters } from "../attention/areaParameters.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import { type Classifier, gradientOf } from "../classifier/classifier.ts";
import type { StreamContext } from "../context.ts";
import { choice, defineExplanation, int, num } from "../define/index.ts";
import { type Images, type Labels, tf, valuesOf } from "../tf.ts";

/**
 * How strongly each pixel moves the logit of a class: max over the channels of |∂z_c/∂x| (Simonyan et al. 2014), divided by its maximum.
 * SmoothGrad (Smilkov et al. 2017) takes the mean over noisy copies of the image first. The noise is not clipped: a copy may leave [0,1].
 */
export const saliency = defineExplanation({
  id: "saliency",
  title: "Saliency",
  paper: "Simonyan et al. 2014; Smilkov et al. 2017",
  needs: "gradients",
  evaluations: ({ method, copies }) => ({ forward: 0, gradient: method === "smoothGrad" ? copies : 1 }),
  cheap: { method: "smoothGrad", copies: 5 },
  params: Type.Object({
    method: choice(["gradient", "smoothGrad"], "gradient", "Of the image itself, or the mean over noisy copies of it (SmoothGrad)."),
    copies: int(50, "Noisy copies of SmoothGrad.", { min: 1, usual: [1, 200], advanced: true }),
    noise: num(0.15, "Standard deviation of SmoothGrad's noise.", { min: 0, max: 1, unit: "of 1", advanced: true }),
    ...areaParameters,
  }),
  async explain(model, x, classIndex, params, ctx) {
    await ctx.checkpoint();
    const strengths =
      params.method === "gradient" ? await valuesOf(strengthOf(model, x, classIndex)) : await smoothed(model, x, classIndex, params, ctx);
    const [b, h, w] = x.shape;
    const degenerate = scaleToMaximum(strengths, b);
    const map: tf.Tensor3D = tf.tensor3d(strengths, [b, h, w]);
    return { map, area: attentionArea(map, areaModeOf(params)), layer: null, degenerate, grid: null };
  },
});

/** max over the channels of |∂z_c/∂x|, [b,H,W], of images whose classes are given; the caller disposes. */
function strengthOf(model: Classifier, x: Images, classIndex: Labels): tf.Tensor3D {
  return tf.tidy(() => {
    const hot = tf.cast(tf.oneHot(classIndex, model.classes), "float32");
    // One sum over the batch: an image's pixels reach its own logits only.
    const gradient = gradientOf(model, x, (input) => tf.sum(tf.mul(model.logits(input), hot)));
    return tf.max(tf.abs(gradient), 3) as tf.Tensor3D;
  });
}

interface Smoothing {
  readonly copies: number;
  readonly noise: number;
}
/** Mean strength [b·H·W] over noisy copies, image by image in full batches of copies. */
async function smoothed(model: Classifier, x: Images, classIndex: Labels, o: Smoothing, ctx: StreamContext): Promise<Float32Array> {
  const [b, h, w] = x.shape;
  const [pixels, classes] = [await x.data<"float32">(), await classIndex.data()];
  const size = pixels.length / b;
  const most = batchSizeFor(model, "gradient").most;
  const means = new Float32Array(b * h * w);
  for (let i = 0; i < b; i++) {
    const image = pixels.subarray(i * size, (i + 1) * size);
    const random = ctx.random(i);
    const sum = new Float64Array(h * w);
    for (let from = 0; from < o.copies; from += most) {
      const n = Math.min(most, o.copies - from);
      const noisy = new Float32Array(n * size);
      for (let j = 0; j < noisy.length; j++) noisy[j] = (image[j % size] as number) + random.normal(0, o.noise);
      const seen = model.withStreams?.({ random: (j) => random.stream(`copy/${from + j}`) }) ?? model;
      const strengths = await strengthsAt(seen, noisy, classes[i] as number);
      for (let j = 0; j < strengths.length; j++) sum[j % sum.length] = (sum[j % sum.length] as number) + (strengths[j] as number);
      await ctx.checkpoint({ phase: "SmoothGrad", done: i * o.copies + from + n, total: b * o.copies });
    }
    means.set(
      sum.map((value) => value / o.copies),
      i * h * w,
    );
  }
  return means;
}

/** Strengths [n·H·W] of n images of one class. */
async function strengthsAt(model: Classifier, images: Float32Array, c: number): Promise<Float32Array> {
  const [height, width, channels] = model.inputShape;
  const n = images.length / (height * width * channels);
  const strength = tf.tidy(() => strengthOf(model, tf.tensor4d(images, [n, height, width, channels]), tf.fill([n], c, "int32")));
  return valuesOf(strength);
}

/** Divides the values of each of n images by the largest of them. @returns which are zero everywhere @throws MODEL_NAN */
function scaleToMaximum(values: Float32Array, n: number): boolean[] {
  const size = values.length / n;
  return Array.from({ length: n }, (_, i) => {
    const own = values.subarray(i * size, (i + 1) * size);
    const largest = own.reduce((a, b) => Math.max(a, b), 0);
    if (!Number.isFinite(largest)) throw noNumbers();
    if (largest > 0) own.set(own.map((value) => value / largest));
    return largest === 0;
  });
}

const noNumbers = (): BulwarkError =>
  new BulwarkError("MODEL_NAN", "The gradients of the model's scores are not numbers.", "Check its weights and its input contract.");
