import { batchSizeFor } from "../../classifier/batchSizes.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { checkNumbers, probabilityAt } from "../../classifier/probabilities.ts";
import type { Progress, StreamContext } from "../../context.ts";
import type { Random } from "../../random.ts";
import { handedOver, type Images, tf, valuesOf } from "../../tf.ts";

/** Which superpixels are on in each of n samples, [n,S] of 0 or 1 with probability ½ each; the first row is all ones, the image itself. */
export const drawMasks = (n: number, superpixels: number, random: Random): Uint8Array =>
  Uint8Array.from({ length: n * superpixels }, (_, i) => (i < superpixels || random.next() < 0.5 ? 1 : 0));

/** How much a sample counts: √exp(−d²/width²) of the cosine distance d to the all-ones row; d is 1 for a row of zeros. */
export function kernelWeights(masks: Uint8Array, n: number, width: number): Float64Array {
  const superpixels = masks.length / n;
  return Float64Array.from({ length: n }, (_, i) => {
    const on = masks.subarray(i * superpixels, (i + 1) * superpixels).reduce((a, b) => a + b, 0);
    return Math.sqrt(Math.exp(-((1 - Math.sqrt(on / superpixels)) ** 2) / width ** 2));
  });
}

/** The image with every superpixel in its mean colour: what one looks like that is off. @param image [H·W·C] */
export function meanColours(image: Float32Array, segments: Int32Array, superpixels: number): Float32Array {
  const channels = image.length / segments.length;
  const [sums, counts] = [new Float64Array(superpixels * channels), new Float64Array(superpixels)];
  segments.forEach((segment, p) => {
    counts[segment] = (counts[segment] as number) + 1;
    for (let c = 0; c < channels; c++)
      sums[segment * channels + c] = (sums[segment * channels + c] as number) + (image[p * channels + c] as number);
  });
  return image.map((_, i) => {
    const segment = segments[Math.floor(i / channels)] as number;
    return (sums[segment * channels + (i % channels)] as number) / (counts[segment] as number);
  });
}

export interface Sampled {
  readonly model: Classifier;
  /** [H·W·C] */
  readonly image: Float32Array;
  readonly segments: Int32Array;
  readonly masks: Uint8Array;
  readonly n: number;
  readonly classIndex: number;
  /** For models that draw random numbers: one stream for each sample. */
  readonly random: Random;
}
/** The model's probability of the class for every sample, [n] in float64, scored in full batches. */
export async function sampleProbabilities(o: Sampled, ctx: StreamContext, progress: (done: number) => Progress): Promise<Float64Array> {
  const { model, masks, n } = o;
  const superpixels = masks.length / n;
  const paint = painter(o, superpixels);
  const most = Math.min(n, batchSizeFor(model, "forward").most);
  const buffer = new Float32Array(most * o.image.length);
  const result = new Float64Array(n);
  for (let from = 0; from < n; from += most) {
    const count = Math.min(most, n - from);
    for (let i = 0; i < count; i++) {
      const row = (from + i) * superpixels;
      paint(buffer.subarray(i * o.image.length, (i + 1) * o.image.length), masks.subarray(row, row + superpixels));
    }
    const seen = model.withStreams?.({ random: (j) => o.random.stream(`sample/${from + j}`) }) ?? model;
    const scores = await valuesOf(
      tf.tidy(() => seen.logits(handedOver(buffer.subarray(0, count * o.image.length), [count, ...model.inputShape]) as Images)),
    );
    checkNumbers(scores);
    for (let i = 0; i < count; i++) result[from + i] = probabilityAt(model, scores, i * model.classes, model.classes, o.classIndex);
    await ctx.checkpoint(progress(from + count));
  }
  return result;
}

/**
 * Writes a sample into [H·W·C]: the image, and over it the mean colours of superpixels that are off. These are written run by run: looking up
 * every pixel takes as long as a small network.
 */
function painter({ image, segments }: Sampled, superpixels: number): (into: Float32Array, mask: Uint8Array) => void {
  const hidden = meanColours(image, segments, superpixels);
  const runs = runsOf(segments, superpixels, image.length / segments.length);
  return (into, mask) => {
    into.set(image);
    for (let s = 0; s < superpixels; s++) {
      if (mask[s] === 1) continue;
      const own = runs[s] as readonly number[];
      for (let r = 0; r < own.length; r += 2)
        for (let i = own[r] as number, end = own[r + 1] as number; i < end; i++) into[i] = hidden[i] as number;
    }
  };
}

/** Where the values of each superpixel lie in an image: first, after the last, first … of its runs. */
function runsOf(segments: Int32Array, superpixels: number, channels: number): number[][] {
  const runs = Array.from({ length: superpixels }, (): number[] => []);
  for (let p = 0; p < segments.length; ) {
    const from = p;
    while (p < segments.length && segments[p] === segments[from]) p++;
    runs[segments[from] as number]?.push(from * channels, p * channels);
  }
  return runs;
}
