import type { Classifier } from "../../classifier/classifier.ts";
import { largestScores } from "../../classifier/probabilities.ts";
import { forImages } from "../../classifier/streams.ts";
import type { RunContext } from "../../context.ts";
import { tf } from "../../tf.ts";

/** Answers with predicted classes, and with nothing else: all that the making of a substitute sees of the attacked model. */
export interface Oracle {
  /** Predicted classes of images [n,H,W,C]. */
  ask(images: Float32Array): Promise<Int32Array>;
  /** Images asked about so far. */
  readonly queries: number;
}

const together = 100;

/** @throws MODEL_NAN when a score of the model is no number */
export function oracleOf(model: Classifier, ctx: Pick<RunContext, "rng" | "checkpoint">): Oracle {
  const size = model.inputShape.reduce((a, b) => a * b, 1);
  let queries = 0;
  const labelsOf = async (images: Float32Array, first: number): Promise<Int32Array> => {
    const n = images.length / size;
    const seen = forImages(model, ctx.rng, first, "substitute");
    const logits = tf.tidy(() => seen.logits(tf.tensor4d(images, [n, ...model.inputShape])));
    try {
      return largestScores(await logits.data(), n, model.classes);
    } finally {
      logits.dispose();
    }
  };
  return {
    async ask(images) {
      const all = new Int32Array(images.length / size);
      const most = Math.max(1, Math.min(together, Math.floor(1e6 / size)));
      for (let start = 0; start < all.length; start += most) {
        const end = Math.min(all.length, start + most);
        all.set(await labelsOf(images.slice(start * size, end * size), queries), start);
        queries += end - start;
        await ctx.checkpoint();
      }
      return all;
    },
    get queries() {
      return queries;
    },
  };
}
