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
  const wide = tf.gather(x, mirroredPlaces(x.shape[axis], -radius, x.shape[axis] + 2 * radius), axis);
  const parts = kernel.map((weight, i) => tf.mul(tf.slice(wide, [0, 0, 0, 0].with(axis, i), x.shape), weight));
  return parts.reduce((sum, part) => tf.add(sum, part)) as Images;
}

/** Images [b,H,W,C] convolved with a Gaussian of k×k pixels, every channel by itself. */
export const gaussianBlur = (x: Images, window: number, sigma: number): Images =>
  tf.tidy(() => {
    const kernel = gaussianKernel(window, sigma);
    return along(along(x, kernel, 1), kernel, 2);
  });
