import { type Logits, tf } from "../tf.ts";

/** How the Z slices of an image decide on one class. */
export const aggregations = ["meanProb", "vote", "sumLog"] as const;
export type Aggregation = (typeof aggregations)[number];

/**
 * Slice logits [b,Z,k] → scores [b,k] whose argmax is the decision of the rule. The paper names none.
 * - `meanProb`: log of the mean of the slices' probabilities. One corrupted slice has bounded influence.
 * - `vote`: number of slices that decide for the class; ties go to the lower class. Counts have no gradient; that of the mean of the
 *   probabilities stands in for it, so that an attack by gradients is not stopped by a mere step function.
 * - `sumLog`: Σ log p over the slices, the rule that fits the patch aggregate loss. One slice can outvote all.
 */
export function aggregate(logits: tf.Tensor3D, rule: Aggregation): Logits {
  return tf.tidy(() => {
    switch (rule) {
      case "meanProb":
        return logMeanExp(tf.logSoftmax(logits));
      case "vote":
        return votes(logits);
      case "sumLog":
        return tf.logSoftmax(logits).sum<tf.Tensor2D>(1);
    }
  });
}

/** log((1/Z)·Σ exp x) over axis 1, by log-sum-exp: no probability underflows. Its gradient is the share that each slice has in the sum. */
function logMeanExp(x: tf.Tensor3D): Logits {
  const op = tf.customGrad((input, save) => {
    const source = input as tf.Tensor3D;
    const sum = tf.logSumExp(source, 1, true);
    const shift = Math.log(source.shape[1]);
    (save as tf.GradSaveFunc)([source, sum]);
    return {
      value: sum.sub(shift).squeeze([1]),
      gradFunc: (dy, saved) => {
        const [from, total] = saved as [tf.Tensor3D, tf.Tensor3D];
        return (dy as tf.Tensor2D).expandDims(1).mul(from.sub(total).exp());
      },
    };
  });
  return op(x) as Logits;
}

function votes(logits: tf.Tensor3D): Logits {
  const op = tf.customGrad((input, save) => {
    const source = input as tf.Tensor3D;
    const [, Z, k] = source.shape;
    (save as tf.GradSaveFunc)([source]);
    return {
      value: tf.oneHot(source.argMax(-1).toInt(), k).toFloat().sum(1),
      gradFunc: (dy, saved) => {
        const p = tf.softmax(saved[0] as tf.Tensor3D);
        const pull = (dy as tf.Tensor2D).expandDims(1).mul(p).div(Z);
        return pull.sub(pull.sum(-1, true).mul(p));
      },
    };
  });
  return op(logits) as Logits;
}
