import { type Labels, type Logits, tf } from "../tf.ts";
import type { Reduction } from "./crossEntropy.ts";

/**
 * −max(z_y − max_{j≠y} z_j + confidence, 0): to be ascended. Zero, without gradient, once another class leads by `confidence`.
 * Source: Carlini & Wagner 2017 in the form that Madry et al. 2018 run inside PGD, with a mask that also works for negative logits.
 */
export function marginLoss(logits: Logits, labels: Labels, confidence: number, reduction: Reduction): tf.Scalar {
  return tf.tidy(() => {
    const own = tf.oneHot(labels, logits.shape[1]);
    const others = logits.sub(own.mul(1e9)).max(-1);
    const perImage = logits.mul(own).sum(-1).sub(others).add(confidence).relu().neg();
    return (reduction === "sum" ? perImage.sum() : perImage.mean()) as tf.Scalar;
  });
}
