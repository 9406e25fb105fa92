import { tf } from "../tf.ts";
import type { Reduction } from "./crossEntropy.ts";

/**
 * Patch aggregate loss: the cross-entropy of every slice's logits against the targets of the image, summed (as the paper has it) or
 * averaged over the Z slices, and averaged over the images. The sum multiplies the gradient by Z.
 * @param logits [b,Z,k]
 * @param targets distributions [b,k]; one-hot for labels
 * Source: Ghebrechristos & Alaghband 2024, section 3.4.
 */
export function patchAggregateLoss(logits: tf.Tensor3D, targets: tf.Tensor2D, reduction: Reduction): tf.Scalar {
  return tf.tidy(() => {
    const [b, Z, k] = logits.shape;
    const sum = tf
      .logSoftmax(logits)
      .mul(targets.reshape([b, 1, k]))
      .sum()
      .neg();
    return sum.div(reduction === "sum" ? b : b * Z) as tf.Scalar;
  });
}
