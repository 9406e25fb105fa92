import { tf, type tfl } from "../../tf.ts";
import { type CompactConfig, checkCompact, compactFactor, startingAlpha } from "./compact.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

interface Volumes extends tfl.layers.Layer {
  readonly kernel: tfl.LayerVariable;
  readonly bias: tfl.LayerVariable | null;
  readonly kernelSize: readonly [number, number, number];
  readonly strides: readonly [number, number, number];
  readonly padding: "same" | "valid";
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
}
type Config = Parameters<typeof tfl.layers.conv3d>[0] & CompactConfig;

/**
 * A convolution of volumes whose every product is divided by the norm of the patch it sees, [b,Z,H,W,C] → [b,Z′,H′,W′,filters] (see `compact.ts`): a
 * patch is as deep as the kernel. Channels are last and kernels are not dilated.
 */
export class CompactConv3D extends tfjsLayer<Volumes>("Conv3D") {
  static override readonly className = "CompactConv3D";
  readonly #compact: Required<CompactConfig>;
  #alpha: tfl.LayerVariable | undefined;

  constructor({ alpha, delta, ...config }: Config) {
    super(config as unknown as tf.serialization.ConfigDict);
    this.#compact = checkCompact({ ...(alpha === undefined ? {} : { alpha }), ...(delta === undefined ? {} : { delta }) });
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    super.build(shape);
    const fanIn = (this.kernel.shape as number[]).slice(0, -1).reduce((a, b) => a * b, 1);
    this.#alpha = this.addWeight("alpha", [], "float32", startingAlpha(this.#compact.alpha, fanIn), undefined, true);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat() as tf.Tensor5D[];
    if (!x) throw new Error(`Layer ${this.name} has no input.`);
    return tf.tidy(() => {
      const strides: [number, number, number] = [...this.strides];
      const sums = tf.sum<tf.Tensor5D>(tf.square(x), 4, true);
      const squares = tf.conv3d(sums, tf.ones([...this.kernelSize, 1, 1]) as tf.Tensor5D, strides, this.padding);
      const products = tf.conv3d(x, this.kernel.read() as tf.Tensor5D, strides, this.padding);
      const scaled = tf.mul(products, compactFactor(this.#alpha?.read() as tf.Tensor, squares, this.#compact.delta));
      const shifted = this.bias ? tf.add(scaled, this.bias.read()) : scaled;
      return this.activation ? this.activation.apply(shifted) : shifted;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#compact };
  }
}
