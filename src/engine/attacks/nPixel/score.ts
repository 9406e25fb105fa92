import type { Classifier } from "../../classifier.ts";
import type { RunContext } from "../../context.ts";
import { tf } from "../../tf.ts";
import { paint, type SearchSpace } from "./evolution.ts";
import type { Search } from "./search.ts";

/** Images scored at a time: enough to keep the cores busy, little enough for caches and memory. */
const batchOf = (values: number): number => Math.min(512, Math.max(16, Math.floor(2 ** 18 / values)));

/** Class probabilities [n×k] of images [n,H,W,C]. */
export async function probabilitiesOf(model: Classifier, images: Float32Array): Promise<Float32Array> {
  const shape = [images.length / model.inputShape.reduce((a, b) => a * b, 1), ...model.inputShape] as [number, number, number, number];
  const softmax = tf.tidy(() => tf.softmax(model.logits(tf.tensor4d(images, shape))));
  const data = Float32Array.from(await softmax.data());
  softmax.dispose();
  return data;
}

/**
 * Scores the pending candidates of all searches in batches of one size (two, where few are left), whichever image they belong to, so
 * that a compiling backend compiles once. Then every search takes its scores.
 */
export async function scoreAll(model: Classifier, searches: readonly Search[], space: SearchSpace, popSize: number, ctx: RunContext) {
  const values = space.height * space.width * space.channels;
  const genes = (searches[0]?.pending.length ?? 0) / popSize;
  const k = model.classes;
  const total = searches.length * popSize;
  const scores = new Float32Array(total * k);
  const full = batchOf(values);
  for (let from = 0; from < total; ) {
    const left = total - from;
    const size = left <= popSize ? Math.min(popSize, full) : full;
    const count = Math.min(size, left);
    const images = new Float32Array(size * values);
    for (let j = 0; j < count; j++) {
      const search = searches[Math.floor((from + j) / popSize)] as Search;
      const candidate = ((from + j) % popSize) * genes;
      const image = images.subarray(j * values, (j + 1) * values);
      image.set(search.image);
      paint(space, image, search.pending.subarray(candidate, candidate + genes));
    }
    scores.set((await probabilitiesOf(model, images)).subarray(0, count * k), from * k);
    model.evaluations.forward -= size - count; // padding is no query
    from += count;
    await ctx.checkpoint();
  }
  searches.forEach((search, i) => {
    search.accept(scores.subarray(i * popSize * k, (i + 1) * popSize * k), k);
  });
}
