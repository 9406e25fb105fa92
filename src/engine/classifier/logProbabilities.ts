import { tf } from "../tf.ts";

/** Below the first the logarithm is computed in another scale; the second is the least probability that is told from 0. */
const small = 1e-18;
const least = 1e-36;

/**
 * Log-probabilities of a network that ends in a softmax: log softmax(log p) = log p, so attacks on logits work on them. Probabilities down to
 * 1e-36 keep their gradient: of a network that is sure of itself, those of the other classes are as small. The gradient of log p squares p on
 * its second derivation, which float32 can hold down to 1e-18; log p = log max(p, s) + log(min(p, s) / s) with s = 1e-18 stays above that.
 */
export const logProbabilities = (p: tf.Tensor): tf.Tensor =>
  tf.add(tf.log(tf.maximum(p, small)), tf.log(tf.maximum(tf.div(tf.minimum(p, small), small), least / small)));
