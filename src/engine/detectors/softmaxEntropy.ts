import { Type } from "@sinclair/typebox";
import { defineDetector } from "../define/index.ts";
import { tf } from "../tf.ts";

/**
 * Entropy H = −Σ_k p_k ln p_k of the softmax in nats, 0 to ln K: an unsure prediction counts as a sign of an attack. The baseline that any
 * other detector has to beat; an attack that pushes an image far into the wrong class passes it.
 */
export const softmaxEntropy = defineDetector({
  id: "softmaxEntropy",
  title: "Softmax entropy",
  paper: "baseline",
  params: Type.Object({}),
  cheap: {},
  randomised: false,
  async score(model, x, _params, ctx) {
    const logits = tf.tidy(() => model.logits(x));
    const values = await logits.data();
    logits.dispose();
    await ctx.checkpoint();
    const { classes } = model;
    const scores = Float64Array.from({ length: x.shape[0] }, (_, i) => entropyOf(values.subarray(i * classes, (i + 1) * classes)));
    return { scores, passes: 1 };
  },
  surrogate: (model, x) =>
    tf.tidy(() => {
      const logs = tf.logSoftmax(model.logits(x));
      return tf.neg(tf.sum(tf.mul(tf.exp(logs), logs), 1)) as tf.Tensor1D;
    }),
});

/** Of the softmax of one image's logits, in float64: H = ln Σ e^z − Σ p·z, with z less its maximum. */
function entropyOf(logits: ArrayLike<number>): number {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  const shifted = values.map((z) => z - largest);
  const total = shifted.reduce((sum, z) => sum + Math.exp(z), 0);
  const mean = shifted.reduce((sum, z) => (z === Number.NEGATIVE_INFINITY ? sum : sum + (Math.exp(z) / total) * z), 0);
  return Math.max(0, Math.log(total) - mean);
}
