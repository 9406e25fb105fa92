import { tf } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface GeluConfig {
  readonly approximate?: "none" | "tanh";
}

/**
 * y = x·Φ(x) = ½·x·(1 + erf(x/√2)), or nearly so: ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). Source: Hendrycks & Gimpel 2016, "Gaussian error
 * linear units"; ONNX Gelu.
 */
export class Gelu extends SingleInputLayer {
  static readonly className = "Gelu";
  readonly approximate: "none" | "tanh";

  constructor({ approximate = "none", ...config }: LayerArgs & GeluConfig = {}) {
    super(config);
    if (!["none", "tanh"].includes(approximate)) throw new Error(`Layer ${this.name} approximates by "${approximate}", which is not known`);
    this.approximate = approximate;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const cubed = (): tf.Tensor => tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
    const share = this.approximate === "tanh" ? tf.tanh(cubed()) : tf.erf(tf.mul(x, Math.SQRT1_2));
    return tf.mul(tf.mul(x, 0.5), tf.add(share, 1));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), approximate: this.approximate };
  }
}
