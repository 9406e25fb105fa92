import { type Labels, type Logits, tf } from "../tf.ts";

/**
 * log(1 − p_y) of each image [b], the log-probability of any class but `labels`: logsumexp over the others less logsumexp over all. Never
 * above 0, so that an image that is wrong already pulls no longer, unlike its cross-entropy, which grows without bound.
 */
export function logOtherThanLabel(logits: Logits, labels: Labels): tf.Tensor1D {
  return tf.tidy(() => {
    const own = tf.cast(tf.oneHot(labels, logits.shape[1]), "float32");
    const others = tf.sub(logits, tf.mul(own, 1e9));
    return tf.sub(tf.logSumExp(others, 1), tf.logSumExp(logits, 1)) as tf.Tensor1D;
  });
}
