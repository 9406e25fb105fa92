import { dilateKernel, groupedConv2d, tf, type tfl } from "../../tf.ts";
import { type CompactConfig, checkCompact, compactFactor, patchSquares, startingAlpha } from "./compact.ts";
import { convolved, isDilated } from "./dilated.ts";
import { GroupedConv2D } from "./groupedConv2d.ts";

type Config = ConstructorParameters<typeof GroupedConv2D>[0] & CompactConfig;

/**
 * A convolution whose every product is divided by the norm of the patch it sees, [b,H,W,C] → [b,H′,W′,filters] (see `compact.ts`). It has the
 * settings and weights of `Conv2D`, or of `GroupedConv2D` where it has groups, whose filters see a norm of their own group, and the weight α behind
 * them.
 */
export class CompactConv2D extends GroupedConv2D {
  static override readonly className = "CompactConv2D";
  readonly #compact: Required<CompactConfig>;
  #alpha: tfl.LayerVariable | undefined;

  constructor({ alpha, delta, ...config }: Config) {
    super(config);
    this.#compact = checkCompact({ ...(alpha === undefined ? {} : { alpha }), ...(delta === undefined ? {} : { delta }) });
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    super.build(shape);
    const [kh = 1, kw = 1, channels = 1] = this.kernel.shape as number[];
    this.#alpha = this.addWeight("alpha", [], "float32", startingAlpha(this.#compact.alpha, kh * kw * channels), undefined, true);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const { strides, padding: pad, groups } = this;
    const spread = (kernel: tf.Tensor4D): tf.Tensor4D => (isDilated(this) ? dilateKernel(kernel, this.dilationRate) : kernel);
    return convolved(this, inputs, (x) => {
      const kernel = spread(this.kernel.read() as tf.Tensor4D);
      const ones = spread(tf.ones([...this.kernelSize, 1, 1]));
      const factor = compactFactor(this.#alpha?.read() as tf.Tensor, patchSquares(x, { ones, strides, pad, groups }), this.#compact.delta);
      if (groups === 1) return tf.mul(tf.conv2d(x, kernel, [...strides], pad), factor);
      const products = groupedConv2d(x, kernel, { strides, pad, groups });
      const [b, h, w, filters] = products.shape;
      const scaled = tf.mul(tf.reshape(products, [b, h, w, groups, filters / groups]), tf.expandDims(factor, 4));
      return tf.reshape(scaled, products.shape);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#compact };
  }
}
