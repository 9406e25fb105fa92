import { tf, type tfl } from "../../tf.ts";
import { checkGroups, firstShape } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface ShuffleConfig {
  readonly groups: number;
}

/**
 * Channels of groups taken in turn, [b,…,C]: with two groups 0 1 2 3 4 5 becomes 0 3 1 4 2 5. Source: Zhang et al. 2018, "ShuffleNet", section
 * 3.1; in ONNX a Reshape, a Transpose and a Reshape.
 */
export class ChannelShuffle extends SingleInputLayer {
  static readonly className = "ChannelShuffle";
  readonly groups: number;

  constructor({ groups, ...config }: LayerArgs & ShuffleConfig) {
    super(config);
    this.groups = groups;
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    checkGroups(this, firstShape(shape).at(-1) ?? 0);
    super.build(shape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const channels = x.shape.at(-1) ?? 1;
    const grouped = tf.reshape(x, [-1, this.groups, channels / this.groups]);
    return tf.reshape(tf.transpose(grouped, [0, 2, 1]), x.shape);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), groups: this.groups };
  }
}
