import { tf, type tfl } from "../../tf.ts";
import { type CompactConfig, checkCompact, compactFactor, startingAlpha } from "./compact.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

interface Features extends tfl.layers.Layer {
  readonly kernel: tfl.LayerVariable;
  readonly bias: tfl.LayerVariable | null;
  readonly units: number;
  readonly activation: { apply(x: tf.Tensor): tf.Tensor } | null;
}
type Config = Parameters<typeof tfl.layers.dense>[0] & CompactConfig;

/**
 * A dense layer whose products are divided by the norm of its input, [b,…,M] → [b,…,units] (see `compact.ts`). As the layer of the scores it is the
 * L2-softmax of Ranjan, Castillo & Chellappa 2017, "L2-constrained softmax loss": features of length α.
 */
export class CompactDense extends tfjsLayer<Features>("Dense") {
  static override readonly className = "CompactDense";
  readonly #compact: Required<CompactConfig>;
  #alpha: tfl.LayerVariable | undefined;

  constructor({ alpha, delta, ...config }: Config) {
    super(config as unknown as tf.serialization.ConfigDict);
    this.#compact = checkCompact({ ...(alpha === undefined ? {} : { alpha }), ...(delta === undefined ? {} : { delta }) });
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    super.build(shape);
    this.#alpha = this.addWeight("alpha", [], "float32", startingAlpha(this.#compact.alpha, this.kernel.shape[0] ?? 1), undefined, true);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat();
    if (!x) throw new Error(`Layer ${this.name} has no input.`);
    return tf.tidy(() => {
      const rows = tf.reshape(x, [-1, x.shape.at(-1) ?? 1]) as tf.Tensor2D;
      const factor = compactFactor(this.#alpha?.read() as tf.Tensor, tf.sum(tf.square(rows), 1, true), this.#compact.delta);
      const scaled = tf.mul(tf.matMul(rows, this.kernel.read() as tf.Tensor2D), factor);
      const shifted = this.bias ? tf.add(scaled, this.bias.read()) : scaled;
      const whole = tf.reshape(shifted, [...x.shape.slice(0, -1), this.units]);
      return this.activation ? this.activation.apply(whole) : whole;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#compact };
  }
}
