import { type Logits, tf } from "../tf.ts";
import type { Reduction } from "./crossEntropy.ts";
import { type Goal, margin } from "./margin.ts";

/**
 * −max(margin + confidence, 0): to be ascended. Untargeted the margin is z_y − max_{j≠y} z_j. Zero, without gradient, once another class, or
 * the target, leads by `confidence`. Source: Carlini & Wagner 2017 in the form that Madry et al. 2018 run inside PGD, with a mask that also
 * works for negative logits.
 */
export function marginLoss(logits: Logits, goal: Goal, confidence: number, reduction: Reduction): tf.Scalar {
  return tf.tidy(() => {
    const perImage = tf.neg(tf.relu(tf.add(margin(logits, goal), confidence)));
    return (reduction === "sum" ? tf.sum(perImage) : tf.mean(perImage)) as tf.Scalar;
  });
}
