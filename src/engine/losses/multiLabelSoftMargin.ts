import { type Logits, tf } from "../tf.ts";

/**
 * A sigmoid of its own for every class: −(1/K)·Σ_k [t_k·log σ(z_k) + (1 − t_k)·log(1 − σ(z_k))], averaged over the images, for logits and
 * target distributions [n,K]. Computed as the mean of log(1 + e^z) − t·z, which neither over- nor underflows.
 */
export const multiLabelSoftMargin = (logits: Logits, targets: tf.Tensor2D): tf.Scalar =>
  tf.tidy(() => tf.mean(tf.sub(tf.softplus(logits), tf.mul(targets, logits))));
