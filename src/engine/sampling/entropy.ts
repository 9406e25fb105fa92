import { tf } from "../tf.ts";

/** Entropy −Σ (n_k/R)·ln(n_k/R) of votes counted by class, in nats: 0 where all agree, at most ln of their number. */
export function voteEntropy(votes: ArrayLike<number>): number {
  const counts = Array.from(votes);
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.reduce((sum, count) => (count === 0 ? sum : sum - (count / total) * Math.log(count / total)), 0);
}

/** Entropy [b] of the mean softmax of so many passes of each image: what `voteEntropy` is of hard labels, differentiable. Logits [b·passes,k], image by image. */
export function meanEntropy(logits: tf.Tensor2D, passes: number): tf.Tensor1D {
  const classes = logits.shape[1];
  const mean = tf.mean(tf.reshape(tf.softmax(logits), [-1, passes, classes]), 1);
  return tf.neg(tf.sum(tf.mul(mean, tf.log(tf.maximum(mean, 1e-12))), 1)) as tf.Tensor1D;
}
