import { tf } from "../../tf.ts";
import { PaddedPool, padsOf, placesOf, type Sides } from "./windows.ts";

/**
 * Means of windows, [b,H,W,C] → [b,H′,W′,C], with any number of pixels on each side that do not count: y = Σ/n over the n pixels of the
 * window inside the image. Source: ONNX AveragePool with `count_include_pad` 0; `withOverhang` makes its `ceil_mode` padding. With 1, real
 * zeros come first (ZeroPadding2D), and only the overhang is left to this layer.
 */
export class AvgPoolPad extends PaddedPool {
  static readonly className = "AvgPoolPad";

  /** The mean over the whole window with zeros outside, times its size over what lies inside: exact in every derivative. */
  protected override compute(x: tf.Tensor): tf.Tensor {
    const { poolSize, strides, padding } = this.window;
    const padded = padding.flat().some((side) => side > 0) ? tf.pad(x as tf.Tensor4D, padsOf(padding)) : (x as tf.Tensor4D);
    const means = tf.avgPool(padded, [...poolSize], [...strides], "valid");
    const along = (i: 0 | 1): number[] => excesses(x.shape[i + 1] ?? 1, poolSize[i], strides[i], padding[i]);
    const [rows, columns] = [along(0), along(1)];
    const factors = rows.flatMap((row) => columns.map((column) => row * column));
    if (factors.every((factor) => factor === 1)) return means;
    return tf.mul(means, tf.tensor4d(factors, [1, rows.length, columns.length, 1]));
  }
}

/** For each place of the window along an axis: its size divided by the part of it inside; 0 for none, which makes a mean of 0. */
const excesses = (input: number, size: number, stride: number, sides: Sides): number[] =>
  Array.from({ length: placesOf(input, size, stride, sides) }, (_, i) => {
    const begin = i * stride - sides[0];
    const inside = Math.min(begin + size, input) - Math.max(begin, 0);
    return inside > 0 ? size / inside : 0;
  });
