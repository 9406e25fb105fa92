import { tf } from "../tf.ts";

/** Keeps the gradient of a norm finite at 0. */
const smallest = 1e-12;
/** Cells that differ by no more are alike. */
const rounding = 1e-5;

/**
 * How far the class probabilities of images move when their attention areas are taken out, negated: −‖f(x) − f(x^m)‖₂, averaged over the
 * images. Between −√2 and 0. Source: Wu et al. 2022, attention rectification.
 * @param probabilities of the images, [b,k]
 * @param masked those of the same images without their attention areas
 */
export function rectificationLoss(probabilities: tf.Tensor2D, masked: tf.Tensor2D): tf.Scalar {
  return tf.tidy(() => {
    const squared = tf.sum(tf.square(tf.sub(probabilities, masked)), 1);
    return tf.neg(tf.mean(tf.sqrt(tf.add(squared, smallest)))) as tf.Scalar;
  });
}

/**
 * How far the attention of adversarial images is from that of the clean ones: ‖g(x) − g(x_adv)‖₁, the sum over the cells of the grid,
 * averaged over the images. Where both maps have their maximum, both are 1 but for rounding, whose sign would be the gradient there: cells
 * that are alike have none. Source: Wu et al. 2022, attention preservation.
 * @param clean maps of b images, [b,h,w], or [b·Z,h,w] of their slices; `adversarial` alike
 */
export function preservationLoss(clean: tf.Tensor3D, adversarial: tf.Tensor3D, images: number): tf.Scalar {
  return tf.tidy(() => {
    const distance = tf.abs(tf.sub(clean, adversarial));
    const differs = tf.cast(tf.greater(distance, rounding), "float32");
    return tf.div(tf.sum(tf.mul(distance, differs)), images);
  });
}
