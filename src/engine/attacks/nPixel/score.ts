import type { Classifier } from "../../classifier/classifier.ts";
import { probabilitiesOf } from "../../classifier/probabilities.ts";
import type { StreamContext } from "../../context.ts";
import type { Random } from "../../random.ts";
import { tf } from "../../tf.ts";
import { chunkLimit, chunksOf } from "./chunks.ts";
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

/** Class probabilities [count×k] of images. */
export type Scorer = (candidates: Candidates, ctx: Checkpoints) => Promise<Float32Array>;

/**
 * Scores images in passes of at most two sizes, for a population of `popSize`. What pads a pass is counted as no query, and a pass is
 * never of one image alone, whose sums a matrix product may take in another order: an image's scores do not depend on its company.
 */
export function scorerOf(model: Classifier, popSize: number): Scorer {
  const values = model.inputShape.reduce((a, b) => a * b, 1);
  const k = model.classes;
  const limit = chunkLimit(values);
  let buffer = new Float32Array(0);
  return async ({ count: n, draw, random }, ctx) => {
    const scores = new Float32Array(n * k);
    let from = 0;
    for (const { size, count } of chunksOf(Math.ceil(n / popSize), popSize, limit)) {
      const taken = Math.min(count, n - from);
      if (taken <= 0) break;
      if (buffer.length < size * values) buffer = new Float32Array(size * values);
      for (let j = 0; j < taken; j++) draw(from + j, buffer.subarray(j * values, (j + 1) * values));
      const start = from;
      const seen = model.withStreams?.({ random: (j) => random(start + Math.min(j, taken - 1)) }) ?? model;
      const probabilities = await shownOf(seen, buffer.subarray(0, size * values));
      scores.set(probabilities.subarray(0, taken * k), from * k);
      model.evaluations.forward -= size - taken;
      from += taken;
      await ctx.checkpoint();
    }
    return scores;
  };
}

/** Class probabilities [n×k] of images [n,H,W,C]. */
async function shownOf(model: Classifier, images: Float32Array): Promise<Float32Array> {
  const [height, width, channels] = model.inputShape;
  const n = images.length / (height * width * channels);
  const shown = tf.tidy(() => probabilitiesOf(model, model.logits(tf.tensor4d(images, [n, height, width, channels]))));
  try {
    return await shown.data<"float32">();
  } finally {
    shown.dispose();
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
