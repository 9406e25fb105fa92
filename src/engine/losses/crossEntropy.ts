import { type Labels, type Logits, tf } from "../tf.ts";

/** Attacks take the sum over the batch, so that an image's gradient does not depend on the others; training takes the mean. */
export type Reduction = "sum" | "mean";

/** Σ or mean over the batch of logsumexp(z) − z_y, for logits [n,k] and class indices [n]. */
export const crossEntropy = (logits: Logits, labels: Labels, reduction: Reduction): tf.Scalar =>
  softLabelCrossEntropy(logits, tf.oneHot(labels, logits.shape[1]), reduction);

/** Σ or mean over the batch of −Σ_k t_k·(z_k − logsumexp(z)), for logits and target distributions [n,k]. */
export function softLabelCrossEntropy(logits: Logits, targets: tf.Tensor, reduction: Reduction): tf.Scalar {
  return tf.tidy(() => {
    const perImage = tf.logSoftmax(logits).mul(targets).sum(-1).neg();
    return reduction === "sum" ? perImage.sum() : perImage.mean();
  });
}
