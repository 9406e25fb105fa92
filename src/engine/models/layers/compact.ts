import { groupedConv2d, tf, tfl } from "../../tf.ts";

/*
 * Compact layers: y = α·Wᵀx/(‖x‖ + δ) + b for the patch, or the vector, x that a product of the layer sees, with one learnable α. A change of
 * x moves y by at most α‖W‖ however many inputs there are: |y − b| ≤ α‖W_o‖. Source: Ranjan et al. 2017, "Improving network robustness against
 * adversarial attacks with compact convolution", equations 5 and 6.
 */
export interface CompactConfig {
  /** Where α begins; 0, or left out, for √fan_in, with which inputs of equal size keep their scale. */
  readonly alpha?: number;
  /** Added to the norm of a patch. */
  readonly delta?: number;
}

export const usualDelta = 0.01;

/** Below this a square norm counts as this: the square root has no derivative at 0, and patches of zeros are common behind a ReLU. */
const leastSquare = 1e-12;

/** @throws Error for numbers with which nothing can be computed */
export function checkCompact({ alpha = 0, delta = usualDelta }: CompactConfig): Required<CompactConfig> {
  if (!(alpha >= 0) || !(delta >= 0)) throw new Error(`alpha and delta of a compact layer are at least 0, not ${alpha} and ${delta}`);
  return { alpha, delta };
}

/** What α of a layer begins with, as an initialiser of its only value. */
export const startingAlpha = (alpha: number, fanIn: number) => tfl.initializers.constant({ value: alpha > 0 ? alpha : Math.sqrt(fanIn) });

/** α/(√max(s, 1e-12) + δ) for square norms s of any shape. */
export const compactFactor = (alpha: tf.Tensor, squares: tf.Tensor, delta: number): tf.Tensor =>
  tf.div(alpha, tf.add(tf.sqrt(tf.maximum(squares, leastSquare)), delta));

/**
 * Square norms of the patches that filters see, [b,H,W,C] → [b,H′,W′,groups]: the squares are added over the channels of a group first, so that
 * what is convolved has one channel for each group. Padding adds nothing to a norm.
 * @param window height and width of the patch as it lies in the image
 */
export function patchSquares(
  x: tf.Tensor4D,
  o: {
    readonly ones: tf.Tensor4D;
    readonly strides: readonly [number, number];
    readonly pad: "same" | "valid";
    readonly groups: number;
  },
): tf.Tensor4D {
  const [b, h, w, channels] = x.shape;
  const { ones, groups, pad, strides } = o;
  const squares = tf.square(x);
  if (groups === 1) return tf.conv2d(tf.sum<tf.Tensor4D>(squares, 3, true), ones, [...strides], pad);
  const sums = tf.sum<tf.Tensor4D>(tf.reshape(squares, [b, h, w, groups, channels / groups]), 4);
  return groupedConv2d(sums, tf.tile(ones, [1, 1, 1, groups]), { strides, pad, groups });
}
