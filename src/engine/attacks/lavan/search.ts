import type { Static } from "@sinclair/typebox";
import { type Classifier, inputGradient } from "../../classifier/classifier.ts";
import { probabilityAt, scoresNotNumbers } from "../../classifier/probabilities.ts";
import type { AttackBatch, AttackContext } from "../../define/index.ts";
import { margin } from "../../losses/margin.ts";
import { type Images, type Labels, type Logits, type Mask, tf } from "../../tf.ts";
import { markNoise, moveNoise, type Noise, paintNoise, startNoise } from "./noise.ts";
import type { params } from "./params.ts";

/** Where each image is: its iterate, [b,H,W,C], and the scores of that, [b,k]. */
interface Iterates {
  readonly images: Float32Array;
  readonly scores: Float32Array;
}
/** An attack on one batch. Values of all its images lie in main memory, where each has its own place and leaves when it is done. */
interface Search {
  readonly model: Classifier;
  readonly params: Static<typeof params>;
  readonly labels: ArrayLike<number>;
  readonly targets: ArrayLike<number> | undefined;
  /** [b,H,W,C] */
  readonly clean: Float32Array;
  readonly now: Iterates;
  /** Of all places so far the iterate of the largest margin, [b]. */
  readonly best: Iterates & { readonly margins: Float64Array };
  readonly ctx: AttackContext;
}

/** Row i of values of n rows. */
const rowOf = (values: Float32Array, i: number, n: number): Float32Array =>
  values.subarray((i * values.length) / n, ((i + 1) * values.length) / n);

/**
 * The images with their noise [b,H,W,C]: for each image the iterate of the largest margin over all its places. An image whose aim is
 * reached at one place is not tried at the next.
 */
export async function worstNoise(model: Classifier, batch: AttackBatch, p: Search["params"], ctx: AttackContext): Promise<Images> {
  const [n] = batch.images.shape;
  const clean = Float32Array.from(await batch.images.data());
  const labels = Int32Array.from(await batch.labels.data());
  const targets = batch.targets && Int32Array.from(await batch.targets.data());
  const iterates = (): Iterates => ({ images: clean.slice(), scores: new Float32Array(n * model.classes) });
  const best = { ...iterates(), margins: new Float64Array(n).fill(Number.NEGATIVE_INFINITY) };
  const search: Search = { model, params: p, labels, targets, clean, now: iterates(), best, ctx };
  for (let attempt = 0; attempt < p.places; attempt++) {
    const open = Array.from({ length: n }, (_, i) => i).filter((i) => !((best.margins[i] as number) > 0));
    if (open.length === 0) break;
    await climb(search, open, attempt);
  }
  return tf.tensor4d(best.images, batch.images.shape);
}

/** The score of the target less the best other one, or without a target the best other one less that of the label: above 0, it is reached. */
function marginOf({ labels, targets, now }: Search, i: number): number {
  const row = rowOf(now.scores, i, labels.length);
  const own = (targets ?? labels)[i] as number;
  const others = row.reduce((most, score, k) => (k === own ? most : Math.max(most, score)), Number.NEGATIVE_INFINITY);
  return targets ? (row[own] as number) - others : others - (row[own] as number);
}

/**
 * Keeps the iterate of an image if none before had a larger margin: the last of equals, as a defence that restores what lies under the mask
 * gives all the same scores. @throws MODEL_NAN when a score is no number
 */
function keepBest(search: Search, i: number): void {
  const { best, now, labels } = search;
  const reached = marginOf(search, i);
  if (Number.isNaN(reached)) throw scoresNotNumbers();
  if (reached < (best.margins[i] as number)) return;
  best.margins[i] = reached;
  for (const key of ["images", "scores"] as const) rowOf(best[key], i, labels.length).set(rowOf(now[key], i, labels.length));
}

/** Finds noise for some images, each at a place of this attempt, all together. */
async function climb(search: Search, open: readonly number[], attempt: number): Promise<void> {
  const { params: p, model, ctx, now, best, clean, labels } = search;
  const [shape, n] = [model.inputShape, labels.length];
  const noises = open.map((i) => startNoise(i, rowOf(clean, i, n), p, shape, ctx.random(i).stream(`attempt/${attempt}`)));
  const paint = (noise: Noise): void => paintNoise(rowOf(now.images, noise.index, n), noise, shape);
  now.images.set(best.images); // what is done is shown as it will be returned
  now.scores.set(best.scores);
  for (const i of open) rowOf(now.images, i, n).set(rowOf(clean, i, n));
  noises.forEach(paint);
  let group = groupOf(search, noises);
  try {
    for (let step = 0; step <= p.steps; step++) {
      const moving = group.noises.filter(({ isDone }) => !isDone);
      if (moving.length === 0) break;
      if (2 * moving.length <= group.noises.length) {
        group.dispose();
        group = groupOf(search, moving);
      }
      const gradient = await pass(search, group, `model/${attempt}/${step}`, step < p.steps);
      await show(search);
      group.noises.forEach((noise, row) => {
        if (noise.isDone) return;
        keepBest(search, noise.index);
        noise.isDone = gradient === null || isConfident(search, noise.index);
        if (gradient === null || noise.isDone) return;
        moveNoise(noise, rowOf(gradient, row, group.noises.length), p, shape);
        paint(noise);
      });
    }
  } finally {
    group.dispose();
  }
}

/** Images that go through the model together. Those that are done stay until half of them are: fewer sizes of batches, each compiled once. */
interface Group {
  readonly noises: readonly Noise[];
  readonly mask: Mask;
  readonly labels: Labels;
  readonly targets: Labels | undefined;
  dispose(): void;
}
function groupOf({ model, labels, targets }: Search, noises: readonly Noise[]): Group {
  const [height, width] = model.inputShape;
  const marked = new Float32Array(noises.length * height * width);
  noises.forEach((noise, row) => {
    markNoise(rowOf(marked, row, noises.length), noise, model.inputShape);
  });
  const classes = (of: ArrayLike<number>): Labels =>
    tf.tensor1d(
      noises.map(({ index }) => of[index] as number),
      "int32",
    );
  const tensors = {
    mask: tf.tensor4d(marked, [noises.length, height, width, 1]),
    labels: classes(labels),
    targets: targets && classes(targets),
  };
  return { noises, ...tensors, dispose: () => tf.dispose(tensors) };
}

/** What is ascended, summed over the batch. Towards the label itself there is no way: its gradient is zero. */
const objective = (logits: Logits, { labels, targets }: Group): tf.Scalar => {
  if (!targets) return tf.neg(tf.sum(margin(logits, { labels }))) as tf.Scalar;
  const hot = (classes: Labels): tf.Tensor => tf.cast(tf.oneHot(classes, logits.shape[1]), "float32");
  return tf.sum(tf.mul(logits, tf.sub(hot(targets), hot(labels)))) as tf.Scalar;
};

/**
 * Writes the scores of the group's iterates into the search. Passes for images that are done are not counted.
 * @param draws names the random numbers of a randomised model
 * @returns gradient [g,H,W,C] of the objective; null without `withGradient`
 */
async function pass(search: Search, group: Group, draws: string, withGradient: boolean): Promise<Float32Array | null> {
  const { model, ctx, now, labels } = search;
  const { images, scores } = now;
  const { noises } = group;
  const before = { ...model.evaluations };
  const part = model.ofRows?.(noises.map(({ index }) => index)) ?? model;
  const known = part.withMask?.(group.mask) ?? part;
  const seen = known.withStreams?.({ random: (row) => ctx.random((noises[row] as Noise).index).stream(draws) }) ?? known;
  const values = new Float32Array((images.length / labels.length) * noises.length);
  noises.forEach(({ index }, row) => {
    rowOf(values, row, noises.length).set(rowOf(images, index, labels.length));
  });
  const x: Images = tf.tensor4d(values, [noises.length, ...model.inputShape]);
  const { logits, gradient } = withGradient
    ? inputGradient(seen, x, (z) => objective(z, group))
    : { logits: seen.logits(x), gradient: undefined };
  try {
    const z = await logits.data<"float32">();
    noises.forEach(({ index, isDone }, row) => {
      if (!isDone) rowOf(scores, index, labels.length).set(rowOf(z, row, noises.length));
    });
    return gradient ? Float32Array.from(await gradient.data()) : null;
  } finally {
    tf.dispose([x, logits]);
    gradient?.dispose();
    const done = noises.filter(({ isDone }) => isDone).length / noises.length;
    for (const kind of ["forward", "gradient"] as const)
      model.evaluations[kind] -= Math.round(done * (model.evaluations[kind] - before[kind]));
  }
}

/** Shows the harness where all images are. */
async function show({ model, now: { images, scores }, labels, ctx }: Search): Promise<void> {
  const x: Images = tf.tensor4d(images, [labels.length, ...model.inputShape]);
  const logits: Logits = tf.tensor2d(scores, [labels.length, model.classes]);
  try {
    await ctx.iterate(x, logits);
  } finally {
    tf.dispose([x, logits]);
  }
}

/** The target, or without one a wrong prediction, has the probability at which an image is done. */
function isConfident({ model, params: p, labels, targets, now }: Search, i: number): boolean {
  const row = rowOf(now.scores, i, labels.length);
  const best = row.reduce((most, score, k) => (score > (row[most] as number) ? k : most), 0);
  if (!targets && best === labels[i]) return false;
  return probabilityAt(model, row, 0, row.length, targets ? (targets[i] as number) : best) >= p.confidence;
}
