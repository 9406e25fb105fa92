import { tf } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface ClipConfig {
  /** null for no limit. */
  readonly minValue: number | null;
  readonly maxValue: number | null;
}

/** y = min(max(x, minValue), maxValue); its gradient is 1 within the limits, them included, and 0 outside. Source: ONNX Clip. */
export class Clip extends SingleInputLayer {
  static readonly className = "Clip";
  readonly limits: ClipConfig;

  constructor({ minValue, maxValue, ...config }: LayerArgs & ClipConfig) {
    super(config);
    this.limits = { minValue, maxValue };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const high = this.limits.maxValue ?? Number.POSITIVE_INFINITY;
    const low = Math.min(this.limits.minValue ?? Number.NEGATIVE_INFINITY, high); // where they cross, the maximum counts
    if (low < high) return tf.clipByValue(x, low, high);
    return tf.add(tf.mul(x, 0), high); // tfjs would cut the result off from x
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.limits };
  }
}
