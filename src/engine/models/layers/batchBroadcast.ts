import { repeated, type tf, type tfl } from "../../tf.ts";
import { commonShape } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface BroadcastConfig {
  /** Without the batch, of the rank that the input has. */
  readonly shape: readonly number[];
}

/** A tensor repeated along its axes of length 1, for every image alike: [b,1,1,C] → [b,H,W,C]. Source: ONNX Expand. */
export class BatchBroadcast extends SingleInputLayer {
  static readonly className = "BatchBroadcast";
  readonly shape: readonly number[];

  constructor({ shape, ...config }: LayerArgs & BroadcastConfig) {
    super(config);
    this.shape = shape;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return repeated(x, this.shapeAfter(x.shape) as number[]);
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    return commonShape(this, [shape, [1, ...this.shape]]);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), shape: [...this.shape] };
  }
}
