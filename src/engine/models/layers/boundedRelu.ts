import { boundedRelu, type tf } from "../../tf.ts";
import { SingleInputLayer } from "./single.ts";

interface BoundedReluConfig {
  readonly bound?: number;
  readonly name?: string;
}

/**
 * Bounded ReLU: min(max(x, 0), bound), element by element. Its gradient is 1 between 0 and the bound and 0 outside.
 * Source: Zantedeschi et al. 2017, "Efficient defenses against adversarial attacks", section 4.1.
 */
export class BoundedRelu extends SingleInputLayer {
  static readonly className = "BoundedRelu";
  readonly bound: number;

  constructor({ bound = 1, ...config }: BoundedReluConfig = {}) {
    super(config);
    this.bound = bound;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return boundedRelu(x, this.bound);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), bound: this.bound };
  }
}
