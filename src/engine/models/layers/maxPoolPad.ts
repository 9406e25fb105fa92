import { tf, type tfl } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";
import { pooledShape, type Window } from "./windows.ts";

/**
 * Maxima of windows, [b,H,W,C] → [b,H′,W′,C], with any number of pixels of −∞ on each side: y = max over the part of the window inside the
 * image. A window wholly outside gives −∞. Source: ONNX MaxPool; `withOverhang` makes its `ceil_mode` padding.
 */
export class MaxPoolPad extends SingleInputLayer {
  static readonly className = "MaxPoolPad";
  readonly window: Window;

  constructor({ poolSize, strides, padding, ...config }: LayerArgs & Window) {
    super(config);
    this.window = { poolSize, strides, padding };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const { poolSize, strides, padding } = this.window;
    const [size, steps] = [[...poolSize], [...strides]] as [[number, number], [number, number]];
    const [rows, columns] = padding.map((sides) => [...sides]) as [[number, number], [number, number]];
    const pads: [[number, number], [number, number], [number, number], [number, number]] = [[0, 0], rows, columns, [0, 0]];
    if (tf.getBackend() !== "tensorflow") return tf.maxPool(x as tf.Tensor4D, size, steps, pads);
    // tfjs-node knows no padding but "same" and "valid".
    return tf.maxPool(tf.pad(x as tf.Tensor4D, pads, Number.NEGATIVE_INFINITY), size, steps, "valid");
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    return pooledShape(shape, this.window);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.window as unknown as tf.serialization.ConfigDict) };
  }
}
