import { BulwarkError } from "../../shared/errors.ts";
import type { PatchFigures, PatchStep, PatchTransforms } from "../../shared/patch.ts";
import { inOneRow, inParts } from "../backends/parts.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import { type Classifier, gradientOf } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { ImageBatch } from "../define/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import { logOtherThanLabel } from "../losses/otherThanLabel.ts";
import type { Random } from "../random.ts";
import { type Images, type Logits, tf, valuesOf } from "../tf.ts";
import type { ImageSource } from "../training/feed.ts";
import { type AdamState, adamStep, startAdam } from "./adam.ts";
import { type BestPatch, isAsGood } from "./best.ts";
import { PatchTally } from "./figures.ts";
import { pasted, patchGradient } from "./paste.ts";
import { type Patch, rounded } from "./patch.ts";
import { randomPlacement, refuseTransforms } from "./placement.ts";
import { type Warp, warpOf } from "./warp.ts";

export interface PatchTraining {
  readonly model: Classifier;
  readonly images: ImageSource;
  /** What training starts from: shape, size and target; its colours too, unless it goes on from `resume`. */
  readonly patch: Patch;
  readonly transforms: PatchTransforms;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly resume?: PatchProgress;
  readonly onStep?: PatchWatcher;
}
/** Called after every step; patch and progress are alive and have to be copied to be kept. */
export type PatchWatcher = (point: PatchStep, patch: Patch, progress: PatchProgress) => void | Promise<void>;

/** All that the next step needs to know: steps draw from streams named by their number. */
export interface PatchProgress {
  /** [h,w,C] */
  readonly pixels: Float32Array;
  readonly adam: AdamState;
  /** Absent before the first choice. */
  best?: BestPatch;
}

export interface TrainedPatch {
  /** The best iterate, rounded to 8 bits, as its file is. */
  readonly patch: Patch;
  /** The step that it comes from; 0 where there was none to do. */
  readonly bestStep: number;
  /** Of the rounded patch, on images that it was trained with, under placements of their own. */
  readonly figures: PatchFigures;
  /** Of the patch that training began with, at the same places: what covering alone does. */
  readonly before: PatchFigures;
}

const judgedImages = 128;
/** The best iterate is chosen at every tenth of the steps, on so many pasted images (each more than once, where there are fewer). */
const choices = 10;
const chosenOn = 64;
const choiceEvery = (steps: number): number => Math.ceil(steps / choices);

/** Pasted images classified in training outside its steps: for each choice, and for the figures of the final and of the first patch. */
export const judgedPasses = ({ steps }: Pick<PatchTraining, "steps">): number =>
  chosenOn * Math.ceil(steps / choiceEvery(steps)) + 2 * judgedImages;

/**
 * Expectation over transformation (Brown et al. 2017): every step pastes the patch on a few images, each at a random place,
 * turned and scaled, and moves its colours by Adam so that the mean log-probability of the target class rises (of any class but the
 * true one, without a target). The last iterate need not be the best: steps are noisy, and past the optimum Adam wanders. So iterates are
 * compared, each as its file would be, on a fixed choice of the images at fixed places, which no step trains at (the loss of a step
 * says more of its draw of images and places than of the patch), and the best is kept: never worse than the last by that measure. What
 * is reported of it is measured at other places again, as the best of several looks better where it was chosen.
 * @throws PARAMETER_INVALID for a patch larger than the image, DATASET_EMPTY, DATASET_INVALID where all images are of the target class,
 * TRAINING_DIVERGED, CANCELLED within a step
 */
export async function trainPatch(o: PatchTraining, ctx: RunContext): Promise<TrainedPatch> {
  refuseTransforms(o.patch, o.model.inputShape, o.transforms);
  refuseTarget(o.patch.target, o.model.classes);
  if (o.images.size === 0)
    throw new BulwarkError("DATASET_EMPTY", "There are no images to train the patch on.", "Name some images or a data set.");
  const judged = await o.images.read(spread(o.images.size, judgedImages));
  if (judged.labels.every((label) => label === o.patch.target)) throw onlyTarget(o);
  const choosing = await o.images.read(Int32Array.from({ length: chosenOn }, (_, i) => Math.floor((i * o.images.size) / chosenOn)));
  const progress: PatchProgress = o.resume ?? { pixels: Float32Array.from(o.patch.pixels), adam: startAdam(o.patch.pixels.length) };
  const patch: Patch = { ...o.patch, pixels: progress.pixels };
  while (patch.pixels.length > 0 && progress.adam.steps < o.steps) {
    const step = progress.adam.steps + 1;
    const rng = ctx.rng.stream(`step/${step}`);
    const batch = await o.images.read(Int32Array.from({ length: o.batchSize }, () => rng.integer(o.images.size)));
    const { gradient, figures } = await descent(o, patch, batch, placed(o, patch, batch.n, rng), rng);
    if (gradient.some((value) => !Number.isFinite(value))) throw diverged(step);
    adamStep(progress.pixels, gradient, progress.adam, o.learningRate);
    if (step % choiceEvery(o.steps) === 0 || step === o.steps) await keepBest(o, choosing, progress, ctx);
    await o.onStep?.({ step, ...figures }, patch, progress);
    await ctx.checkpoint({ phase: "Training the patch", done: step, total: o.steps });
  }
  const { best } = progress;
  const finished = rounded(best ? { ...patch, pixels: best.pixels } : patch);
  const figures = await judgePatch({ ...o, patch: finished }, judged, ctx);
  return { patch: finished, bestStep: best?.step ?? progress.adam.steps, figures, before: await judgePatch(o, judged, ctx) };
}

/** Keeps the patch as it is now if no earlier one fools better: the later of equals. */
async function keepBest(o: PatchTraining, images: ImageBatch, progress: PatchProgress, ctx: RunContext): Promise<void> {
  const { pixels } = rounded({ ...o.patch, pixels: progress.pixels });
  const figures = await judgePatch({ ...o, patch: { ...o.patch, pixels } }, images, ctx, "choose");
  if (progress.best && !isAsGood(figures, progress.best.figures)) return;
  progress.best = { step: progress.adam.steps, pixels: Float32Array.from(pixels), figures };
}

/** What a patch does to images under random placements, drawn from a stream: the same places for every patch. */
export async function judgePatch(
  o: Pick<PatchTraining, "model" | "patch" | "transforms" | "batchSize">,
  images: ImageBatch,
  ctx: RunContext,
  stream = "judge",
): Promise<PatchFigures> {
  const { model, patch } = o;
  const [height, width, channels] = model.inputShape;
  const size = height * width * channels;
  const rng = ctx.rng.stream(stream);
  const tally = new PatchTally(patch.target);
  for (let start = 0; start < images.n; start += o.batchSize) {
    const n = Math.min(o.batchSize, images.n - start);
    const warps = placed(o, patch, n, rng);
    const { most } = batchSizeFor(model, "forward");
    const logits = await inParts(n, most, model.evaluations, async (from, to) => {
      const covered = pasted(images.images.subarray((start + from) * size, (start + to) * size), patch, warps.slice(from, to));
      const seen = forImages(model, rng, start + from);
      return valuesOf(tf.tidy(() => seen.logits(tf.tensor4d(covered, [to - from, height, width, channels]))));
    });
    countScores(inOneRow(logits), images.labels.subarray(start, start + n), tally);
    await ctx.checkpoint();
  }
  return tally.figures;
}

const placed = (o: Pick<PatchTraining, "model" | "transforms">, patch: Patch, n: number, rng: Random): Warp[] =>
  Array.from({ length: n }, () => warpOf(patch, randomPlacement(patch, o.model.inputShape, o.transforms, rng), o.model.inputShape));

/**
 * Gradient of the mean loss with respect to the patch, and what the patch does to these images. It is taken at the pasted images and added up
 * in main memory, so that the network's passes are one graph; in parts, where memory wants it.
 */
async function descent(o: PatchTraining, patch: Patch, batch: ImageBatch, warps: readonly Warp[], rng: Random) {
  const { n, images, labels } = batch;
  const pixels = images.length / n;
  const parts = await inParts(n, batchSizeFor(o.model, "gradient").most, o.model.evaluations, (start, end) => {
    const part = { images: images.subarray(start * pixels, end * pixels), labels: labels.slice(start, end), n: end - start };
    return descentOf({ ...o, model: forImages(o.model, rng, start) }, patch, part, warps.slice(start, end));
  });
  const tally = new PatchTally(patch.target);
  countScores(inOneRow(parts.map(({ scores }) => scores)), labels, tally);
  const [first] = parts;
  if (first && parts.length === 1) return { gradient: first.gradient, figures: tally.figures };
  const gradient = new Float32Array(patch.pixels.length);
  for (const part of parts)
    part.gradient.forEach((value, i) => {
      gradient[i] = (gradient[i] as number) + (value * part.n) / n;
    });
  return { gradient, figures: tally.figures };
}

/** Gradient of the mean loss of images that are computed at once, and their logits. */
async function descentOf({ model }: PatchTraining, patch: Patch, batch: ImageBatch, warps: readonly Warp[]) {
  const images: Images = tf.tensor4d(pasted(batch.images, patch, warps), [batch.n, ...model.inputShape]);
  const labels = tf.tensor1d(batch.labels, "int32");
  let seen: Logits | undefined;
  const gradient = gradientOf(model, images, (x) => {
    const logits = model.logits(x);
    seen = tf.keep(logits.clone());
    if (patch.target === null) return tf.neg(tf.mean(logOtherThanLabel(logits, labels))) as tf.Scalar;
    return crossEntropy(logits, tf.fill([batch.n], patch.target, "int32"), "mean");
  });
  const values = patchGradient(Float32Array.from(await gradient.data()), patch, warps);
  const logits = seen as unknown as Logits;
  const scores = await valuesOf(logits);
  tf.dispose([images, labels, gradient]);
  return { gradient: values, scores, n: batch.n };
}

function countScores(scores: Float32Array, labels: Int32Array, tally: PatchTally): void {
  const classes = scores.length / labels.length;
  labels.forEach((label, i) => {
    tally.add(scores.subarray(i * classes, (i + 1) * classes), label);
  });
}

/** So many places of 0…n−1 at equal distances. */
const spread = (n: number, most: number): Int32Array =>
  Int32Array.from({ length: Math.min(n, most) }, (_, i) => Math.floor((i * n) / Math.min(n, most)));

/** @throws LABEL_RANGE */
export function refuseTarget(target: Patch["target"], classes: number): void {
  if (target === null || (target >= 0 && target < classes)) return;
  throw new BulwarkError(
    "LABEL_RANGE",
    `The patch aims at class ${target}, which is none of the model's ${classes} classes.`,
    `Aim at 0 to ${classes - 1}.`,
  );
}

function onlyTarget({ patch, model }: PatchTraining): BulwarkError {
  const name = model.classNames[patch.target ?? 0] ?? String(patch.target);
  return new BulwarkError(
    "DATASET_INVALID",
    `All images are of the class "${name}", which the patch aims at: none of them could be fooled.`,
    "Aim at another class, or use images of other classes.",
  );
}

const diverged = (step: number): BulwarkError =>
  new BulwarkError(
    "TRAINING_DIVERGED",
    `The patch's gradient is not a number at step ${step}.`,
    "Check the model's weights and its input contract.",
  );
