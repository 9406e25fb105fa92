import { type Images, tf } from "../tf.ts";
import { mirroredPlaces } from "./border.ts";

/** Standard deviation that a window of k pixels stands for: 0.3·((k − 1)/2 − 1) + 0.8 (OpenCV's rule). */
export const sigmaOf = (window: number): number => 0.3 * ((window - 1) / 2 - 1) + 0.8;

/** exp(−d²/2σ²) for d = −⌊k/2⌋ … ⌊k/2⌋, divided by its sum. */
export function gaussianKernel(window: number, sigma: number): number[] {
  const radius = (window - 1) / 2;
  const weights = Array.from({ length: window }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}

/** Images convolved with the kernel along one axis, borders mirrored. */
function along(x: Images, kernel: readonly number[], axis: 1 | 2): Images {
  const radius = (kernel.length - 1) / 2;
  const wide: Images = tf.gather(x, mirroredPlaces(x.shape[axis], -radius, x.shape[axis] + 2 * radius), axis);
  const column = tf.tensor4d([...kernel], [kernel.length, 1, 1, 1]);
  const weights: tf.Tensor4D = tf.tile(axis === 1 ? column : tf.reshape(column, [1, kernel.length, 1, 1]), [1, 1, x.shape[3], 1]);
  return tf.depthwiseConv2d(wide, weights, 1, "valid");
}

/**
 * Images [b,H,W,C] convolved with a Gaussian of k×k pixels, every channel by itself. With a symmetric kernel and a mirrored border the convolution
 * is its own adjoint, so that its gradient is the gradient convolved.
 */
export function gaussianBlur(x: Images, window: number, sigma: number): Images {
  const kernel = gaussianKernel(window, sigma);
  const convolved = (values: Images): Images => along(along(values, kernel, 1), kernel, 2);
  const blur = tf.customGrad((input) => ({
    value: tf.clipByValue(convolved(input as Images), 0, 1), // rounding may lead out of [0, 1]
    gradFunc: (dy: tf.Tensor) => convolved(dy as Images),
  }));
  return blur(x) as Images;
}
