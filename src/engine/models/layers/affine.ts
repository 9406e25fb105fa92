import { tf, tfl } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface AffineConfig {
  /** Shapes of a and b, without the batch; null for none. */
  readonly scale: readonly number[] | null;
  readonly offset: readonly number[] | null;
}

/**
 * y = a·x + b with weights a and b that are broadcast to x: [C] for one each channel, [] for a number, [H,W,C] for one each place. Both
 * are trained unless `trainable` is false, as where an imported network normalises its images. Source: ONNX Add, Sub, Mul and Div with a constant.
 */
export class Affine extends SingleInputLayer {
  static readonly className = "Affine";
  readonly shapes: AffineConfig;
  #scale: tfl.LayerVariable | undefined;
  #offset: tfl.LayerVariable | undefined;

  constructor({ scale, offset, ...config }: LayerArgs & AffineConfig) {
    super(config);
    this.shapes = { scale, offset };
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    const { scale, offset } = this.shapes;
    const { ones, zeros } = tfl.initializers;
    if (scale) this.#scale = this.addWeight("scale", [...scale], "float32", ones(), undefined, true);
    if (offset) this.#offset = this.addWeight("offset", [...offset], "float32", zeros(), undefined, true);
    super.build(shape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const scaled = this.#scale ? tf.mul(x, this.#scale.read()) : x;
    return this.#offset ? tf.add(scaled, this.#offset.read()) : scaled;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.shapes as unknown as tf.serialization.ConfigDict) };
  }
}
