import { tf, type tfl } from "../../tf.ts";
import { SingleInputLayer } from "./single.ts";

interface OpaqueAlphaConfig {
  readonly alpha?: number;
  readonly axis?: number;
  readonly name?: string;
}

/** A constant fourth channel behind RGB: [b,H,W,3] → [b,H,W,4], or [b,3,H,W] → [b,4,H,W] with axis 1. */
export class OpaqueAlpha extends SingleInputLayer {
  static readonly className = "OpaqueAlpha";
  /** Of an opaque pixel in the network's own range. */
  alpha: number;
  readonly axis: number;

  constructor({ alpha = 1, axis = 3, ...config }: OpaqueAlphaConfig = {}) {
    super(config);
    this.alpha = alpha;
    this.axis = axis;
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    return shape.map((side, i) => (i === this.axis ? 4 : side));
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const shape = x.shape.map((side, i) => (i === this.axis ? 1 : side));
    return tf.concat([x, tf.fill(shape, this.alpha)], this.axis);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), alpha: this.alpha, axis: this.axis };
  }
}
