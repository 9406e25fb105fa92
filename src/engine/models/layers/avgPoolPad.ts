import { tf, type tfl } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";
import { placesOf, pooledShape, type Sides, type Window } from "./windows.ts";

/**
 * Means of windows, [b,H,W,C] → [b,H′,W′,C], with any number of pixels on each side that do not count: y = Σ/n over the n pixels of the
 * window inside the image. Source: ONNX AveragePool with `count_include_pad` 0; `withOverhang` makes its `ceil_mode` padding. With 1, real
 * zeros come first (ZeroPadding2D), and only the overhang is left to this layer.
 */
export class AvgPoolPad extends SingleInputLayer {
  static readonly className = "AvgPoolPad";
  readonly window: Window;

  constructor({ poolSize, strides, padding, ...config }: LayerArgs & Window) {
    super(config);
    this.window = { poolSize, strides, padding };
  }

  /** The mean over the whole window with zeros outside, times its size over what lies inside: exact in every derivative. */
  protected override compute(x: tf.Tensor): tf.Tensor {
    const { poolSize, strides, padding } = this.window;
    const [rows, columns] = padding.map((sides) => [...sides]) as [[number, number], [number, number]];
    const pads: [[number, number], [number, number], [number, number], [number, number]] = [[0, 0], rows, columns, [0, 0]];
    const padded = padding.flat().some((side) => side > 0) ? tf.pad(x as tf.Tensor4D, pads) : (x as tf.Tensor4D);
    const means = tf.avgPool(padded, [...poolSize] as [number, number], [...strides] as [number, number], "valid");
    const excess = ([1, 2] as const).map((axis) => {
      const i = axis === 1 ? 0 : 1;
      return excesses(x.shape[axis] ?? 1, poolSize[i], strides[i], padding[i]);
    }) as [number[], number[]];
    const factors = excess[0].flatMap((row) => excess[1].map((column) => row * column));
    if (factors.every((factor) => factor === 1)) return means;
    return tf.mul(means, tf.tensor4d(factors, [1, excess[0].length, excess[1].length, 1]));
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    return pooledShape(shape, this.window);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.window as unknown as tf.serialization.ConfigDict) };
  }
}

/** For each place of the window along an axis: its size divided by the part of it inside; 0 for none, which makes a mean of 0. */
const excesses = (input: number, size: number, stride: number, sides: Sides): number[] =>
  Array.from({ length: placesOf(input, size, stride, sides) }, (_, i) => {
    const begin = i * stride - sides[0];
    const inside = Math.min(begin + size, input) - Math.max(begin, 0);
    return inside > 0 ? size / inside : 0;
  });
