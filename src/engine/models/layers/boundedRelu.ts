import { boundedRelu, type tf, tfl } from "../../tf.ts";

interface BoundedReluConfig {
  readonly bound?: number;
  readonly name?: string;
}

/**
 * Bounded ReLU: min(max(x, 0), bound), element by element. Its gradient is 1 between 0 and the bound and 0 outside.
 * Source: Zantedeschi et al. 2017, "Efficient defenses against adversarial attacks", section 4.1.
 */
export class BoundedRelu extends tfl.layers.Layer {
  static readonly className = "BoundedRelu";
  readonly bound: number;

  constructor({ bound = 1, ...config }: BoundedReluConfig = {}) {
    super(config);
    this.bound = bound;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat();
    if (!x) throw new Error(`Layer ${this.name} has no input.`);
    return boundedRelu(x, this.bound);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), bound: this.bound };
  }
}
