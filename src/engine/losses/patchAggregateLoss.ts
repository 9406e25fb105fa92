import { type Labels, tf } from "../tf.ts";
import type { Reduction } from "./crossEntropy.ts";

/**
 * Patch aggregate loss: the cross-entropy of every slice's logits against the label of the image, summed (as the paper has it) or
 * averaged over the Z slices, and averaged over the images. The sum multiplies the gradient by Z.
 * @param logits [b,Z,k]  @param labels [b]
 * Source: Ghebrechristos & Alaghband 2024, section 3.4.
 */
export function patchAggregateLoss(logits: tf.Tensor3D, labels: Labels, reduction: Reduction): tf.Scalar {
  return tf.tidy(() => {
    const [b, Z, k] = logits.shape;
    const targets = tf.oneHot(labels, k).reshape([b, 1, k]);
    const sum = tf.logSoftmax(logits).mul(targets).sum().neg();
    return sum.div(reduction === "sum" ? b : b * Z) as tf.Scalar;
  });
}
