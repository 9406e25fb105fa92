import type { Classifier } from "../../classifier/classifier.ts";
import type { StreamContext } from "../../context.ts";
import type { AttackBatch, AttackContext } from "../../define/index.ts";
import type { Random } from "../../random.ts";
import { type Images, type Logits, tf } from "../../tf.ts";
import { type Chunk, chunkLimit, chunksOf } from "./chunks.ts";
import { paint, type SearchSpace } from "./evolution.ts";
import type { Search } from "./search.ts";

type Checkpoints = Pick<StreamContext, "checkpoint">;

/** Images to be scored. */
export interface Candidates {
  readonly count: number;
  /** Writes image i. */
  draw(i: number, image: Float32Array): void;
  /** What a randomised model draws from for image i. */
  random(i: number): Random;
}

/** Scores [count×k] of images. */
export type Scorer = (candidates: Candidates, ctx: Checkpoints) => Promise<Float32Array>;

export interface Scoring {
  /** How so many images go through the network. */
  passes(count: number): readonly Chunk[];
  /** What is read of a pass [n,k]; logits where it is left out. */
  shown?(model: Classifier, logits: Logits): tf.Tensor2D;
}

/** Populations of `popSize` candidates each, together where they fit. */
export function populations({ inputShape }: Classifier, popSize: number): Scoring["passes"] {
  const limit = chunkLimit(inputShape.reduce((a, b) => a * b, 1));
  return (count) => chunksOf(Math.ceil(count / popSize), popSize, limit);
}

/**
 * Scores images pass by pass. What pads a pass is counted as no query, and `passes` makes none of one image alone, whose sums a matrix
 * product may take in another order: an image's scores do not depend on its company.
 */
export function scorerOf(model: Classifier, { passes, shown = (_, logits) => logits }: Scoring): Scorer {
  const values = model.inputShape.reduce((a, b) => a * b, 1);
  const k = model.classes;
  let buffer = new Float32Array(0);
  return async ({ count: n, draw, random }, ctx) => {
    const scores = new Float32Array(n * k);
    let from = 0;
    for (const { size, count } of passes(n)) {
      const taken = Math.min(count, n - from);
      if (taken <= 0) break;
      if (buffer.length < size * values) buffer = new Float32Array(size * values);
      for (let j = 0; j < taken; j++) draw(from + j, buffer.subarray(j * values, (j + 1) * values));
      const start = from;
      const seen = model.withStreams?.({ random: (j) => random(start + Math.min(j, taken - 1)) }) ?? model;
      const read = await readOf(seen, buffer.subarray(0, size * values), shown);
      scores.set(read.subarray(0, taken * k), from * k);
      model.evaluations.forward -= size - taken;
      from += taken;
      await ctx.checkpoint();
    }
    return scores;
  };
}

/** What is read of a pass over images [n,H,W,C]. */
async function readOf(model: Classifier, images: Float32Array, shown: NonNullable<Scoring["shown"]>): Promise<Float32Array> {
  const [height, width, channels] = model.inputShape;
  const n = images.length / (height * width * channels);
  const scores = tf.tidy(() => shown(model, model.logits(tf.tensor4d(images, [n, height, width, channels]))));
  try {
    return await scores.data<"float32">();
  } finally {
    scores.dispose();
  }
}

/** The best image of a search so far, and its logits [k]; log-probabilities are as good. */
export interface Found {
  readonly image: Float32Array;
  readonly logits: ArrayLike<number>;
}

export function imagesOf(found: readonly Pick<Found, "image">[], { images }: Pick<AttackBatch, "images">): Images {
  const pixels = new Float32Array(images.size);
  found.forEach(({ image }, i) => {
    pixels.set(image, (i * images.size) / found.length);
  });
  return tf.tensor4d(pixels, images.shape);
}

/** Tells the harness the best images so far. */
export async function show(found: readonly Found[], batch: AttackBatch, ctx: Pick<AttackContext, "iterate">): Promise<void> {
  const images = imagesOf(found, batch);
  const logits: Logits = tf.tensor2d(found.map((one) => Array.from(one.logits)));
  try {
    await ctx.iterate(images, logits);
  } finally {
    tf.dispose([images, logits]);
  }
}

/** Scores the pending candidates of all searches together, whichever image they belong to; then every search takes its scores. */
export async function scoreAll(score: Scorer, searches: readonly Search[], space: SearchSpace, popSize: number, ctx: Checkpoints) {
  const genes = (searches[0]?.pending.length ?? 0) / popSize;
  const searchOf = (i: number): Search => searches[Math.floor(i / popSize)] as Search;
  const candidates: Candidates = {
    count: searches.length * popSize,
    draw(i, image) {
      const search = searchOf(i);
      const first = (i % popSize) * genes;
      image.set(search.image);
      paint(space, image, search.pending, first, first + genes);
    },
    random: (i) => searchOf(i).streamOf(i % popSize),
  };
  const scores = await score(candidates, ctx);
  const each = scores.length / searches.length;
  searches.forEach((search, i) => {
    search.accept(scores.subarray(i * each, (i + 1) * each));
  });
}
