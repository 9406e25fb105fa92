import { tf } from "../../tf.ts";
import { SingleInputLayer } from "./single.ts";

/** 1 for the largest element along the last axis, of equal ones the first, and 0 for all others. Its gradient is 0. Source: ONNX Hardmax. */
export class Hardmax extends SingleInputLayer {
  static readonly className = "Hardmax";

  protected override compute(x: tf.Tensor): tf.Tensor {
    return tf.cast(tf.oneHot(tf.argMax(x, -1), x.shape.at(-1) ?? 1), "float32");
  }
}
