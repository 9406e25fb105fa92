import type { Classifier } from "../classifier/classifier.ts";
import type { AttackBatch, AttackContext, Evaluations } from "../define/index.ts";
import { margin } from "../losses/margin.ts";
import type { Random } from "../random.ts";
import { type Images, tf } from "../tf.ts";

/** Passes of attempts of `steps` gradients each; more than one are compared by a forward pass each. */
export const evaluationsOfRestarts = (restarts: number, steps: number): Evaluations => ({
  forward: restarts > 1 ? restarts : 0,
  gradient: restarts * steps,
});

/** What attempts have reached so far: the image of the smallest margin [b,H,W,C], and that margin [b]. */
export interface Reached {
  readonly images: Images;
  readonly margins: tf.Tensor1D;
}
/** One attempt with streams of its own: the first draws what an attack without restarts draws. It sees what those before have reached. */
type Attempt = (random: (i: number) => Random, attempt: number, reached?: Reached) => Promise<Images>;

/**
 * Runs an attack several times and keeps for each image the result of the smallest margin, so that an image that one attempt has broken
 * stays broken. A single attempt costs nothing beside itself; of more, each costs a forward pass.
 */
export async function bestOf(restarts: number, model: Classifier, batch: AttackBatch, run: Attempt, ctx: AttackContext): Promise<Images> {
  let best = await run(ctx.random, 0);
  if (restarts === 1) return best;
  /** Shows an attempt's end to the harness; disposes it where the attack is cancelled there. */
  const marginsOf = async (images: Images): Promise<tf.Tensor1D> => {
    const logits = tf.tidy(() => model.logits(images));
    try {
      await ctx.iterate(images, logits, true);
      return margin(logits, batch);
    } catch (thrown) {
      images.dispose();
      throw thrown;
    } finally {
      logits.dispose();
    }
  };
  let smallest = await marginsOf(best);
  try {
    for (let attempt = 1; attempt < restarts; attempt++) {
      const images = await run((i) => ctx.random(i).stream(`restart/${attempt}`), attempt, { images: best, margins: smallest });
      const margins = await marginsOf(images);
      const before = [best, smallest, images, margins];
      [best, smallest] = tf.tidy(() => {
        const isBetter = tf.reshape(tf.less(margins, smallest), [-1, 1, 1, 1]);
        return [tf.where(isBetter, images, best), tf.minimum(margins, smallest)] as [Images, tf.Tensor1D];
      });
      tf.dispose(before);
    }
    return best;
  } catch (thrown) {
    best.dispose();
    throw thrown;
  } finally {
    smallest.dispose();
  }
}
