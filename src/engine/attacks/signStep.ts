import type { Classifier } from "../classifier/classifier.ts";
import { inputGradient } from "../classifier/classifier.ts";
import type { AttackBatch } from "../define/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import { type Images, type Logits, tf } from "../tf.ts";

/** Per-pixel bounds of the L∞ ball within [0,1]: max(0, x − ε) and min(1, x + ε). The caller disposes. */
export function boxAround(x: Images, eps: number): { low: Images; high: Images } {
  return { low: tf.tidy(() => tf.maximum(tf.sub(x, eps), 0)), high: tf.tidy(() => tf.minimum(tf.add(x, eps), 1)) };
}

/**
 * Gradient of the attacker's loss, to be ascended: the cross-entropy of the true class, or minus that of the class aimed at; summed
 * over the batch, so that every image's gradient is its own. The caller disposes both.
 */
export function attackGradient(model: Classifier, x: Images, batch: AttackBatch): { gradient: Images; logits: Logits } {
  const { labels, targets } = batch;
  return inputGradient(model, x, (logits) =>
    targets ? tf.neg(crossEntropy(logits, targets, "sum")) : crossEntropy(logits, labels, "sum"),
  );
}

/** clip(x + a·sign(g), low, high). A pixel of zero gradient stays. */
export function signStep(x: Images, gradient: Images, size: number, low: Images, high: Images): Images {
  return tf.tidy(() => tf.minimum(tf.maximum(tf.add(x, tf.mul(tf.sign(gradient), size)), low), high));
}
