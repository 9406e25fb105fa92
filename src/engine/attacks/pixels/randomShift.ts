import type { AttackBatch, AttackContext } from "../../define/index.ts";
import { type Images, tf } from "../../tf.ts";
import type { SearchSpace } from "./evolution.ts";

/** Adds 128 levels to `pixels` different random pixels of each image, clamped: what chance does. */
export async function randomShift(images: Float32Array, batch: AttackBatch, space: SearchSpace, ctx: AttackContext): Promise<Images> {
  const count = space.height * space.width;
  for (let i = 0; i < batch.images.shape[0]; i++) {
    const rng = ctx.random(i);
    for (const pixel of rng.permutation(count).subarray(0, space.pixels)) {
      const at = (i * count + pixel) * space.channels;
      for (let c = at; c < at + space.channels; c++) images[c] = Math.min(1, (images[c] as number) + 128 / 255);
    }
  }
  await ctx.checkpoint();
  return tf.tensor4d(images, batch.images.shape);
}
