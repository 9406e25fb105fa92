import { tf } from "../../tf.ts";
import { PaddedPool, padsOf } from "./windows.ts";

/**
 * Maxima of windows, [b,H,W,C] → [b,H′,W′,C], with any number of pixels of −∞ on each side: y = max over the part of the window inside the
 * image. A window wholly outside gives −∞. Source: ONNX MaxPool; `withOverhang` makes its `ceil_mode` padding.
 */
export class MaxPoolPad extends PaddedPool {
  static readonly className = "MaxPoolPad";

  protected override compute(x: tf.Tensor): tf.Tensor {
    const { poolSize, strides, padding } = this.window;
    const pads = padsOf(padding);
    if (tf.getBackend() !== "tensorflow") return tf.maxPool(x as tf.Tensor4D, [...poolSize], [...strides], pads);
    // tfjs-node knows no padding but "same" and "valid".
    return tf.maxPool(tf.pad(x as tf.Tensor4D, pads, Number.NEGATIVE_INFINITY), [...poolSize], [...strides], "valid");
  }
}
