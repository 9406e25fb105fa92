import { type Labels, type Logits, tf } from "../tf.ts";

/** What an attack is after: away from `labels`, or towards `targets` where there are any. */
export interface Goal {
  readonly labels: Labels;
  readonly targets?: Labels | undefined;
}

/**
 * How far each image is from being adversarial, [b]: smaller is better, negative is adversarial (ties aside).
 * Untargeted z_y − max_{j≠y} z_j, targeted max_{j≠t} z_j − z_t. Differentiable once.
 */
export function margin(logits: Logits, goal: Goal): tf.Tensor1D {
  return tf.tidy(() => {
    const own = tf.cast(tf.oneHot(goal.targets ?? goal.labels, logits.shape[1]), "float32");
    const chosen = tf.sum(tf.mul(logits, own), 1);
    const other = tf.max(tf.sub(logits, tf.mul(own, 1e9)), 1);
    return (goal.targets ? tf.sub(other, chosen) : tf.sub(chosen, other)) as tf.Tensor1D;
  });
}
