import { tf, tfl } from "../../tf.ts";
import { checkGroups, firstShape } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface GroupNormConfig {
  /** −1 for one for each channel. */
  readonly groups?: number;
  readonly axis?: number;
  readonly epsilon?: number;
  readonly center?: boolean;
  readonly scale?: boolean;
}

/**
 * γ·(x − μ)/√(σ² + ε) + β for [b,…,C], where μ and σ² are of one image and one group of channels, and γ and β of a channel. Source: Wu & He
 * 2018, "Group normalization"; Keras GroupNormalization, ONNX GroupNormalization, and InstanceNormalization with a group for each channel.
 */
export class GroupNormalization extends SingleInputLayer {
  static readonly className = "GroupNormalization";
  readonly groups: number;
  readonly axis: number;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  #gamma: tfl.LayerVariable | undefined;
  #beta: tfl.LayerVariable | undefined;

  constructor({ groups = 32, axis = -1, epsilon = 1e-3, center = true, scale = true, ...config }: LayerArgs & GroupNormConfig = {}) {
    super(config);
    this.axis = axis;
    this.groups = groups;
    this.epsilon = epsilon;
    this.center = center;
    this.scale = scale;
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    const sides = firstShape(shape);
    const channels = sides.at(-1) ?? 0;
    if (this.axis !== -1 && this.axis !== sides.length - 1)
      throw new Error(`Layer ${this.name} normalises groups along axis ${this.axis}, which is not the last`);
    if (this.groups !== -1) checkGroups(this, channels);
    const { ones, zeros } = tfl.initializers;
    if (this.scale) this.#gamma = this.addWeight("gamma", [channels], "float32", ones(), undefined, true);
    if (this.center) this.#beta = this.addWeight("beta", [channels], "float32", zeros(), undefined, true);
    super.build(shape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const channels = x.shape.at(-1) ?? 1;
    const groups = this.groups === -1 ? channels : this.groups;
    const grouped = tf.reshape(x, [x.shape[0] ?? 0, -1, groups, channels / groups]);
    const centred = tf.sub(grouped, tf.mean(grouped, [1, 3], true));
    const variance = tf.mean(tf.square(centred), [1, 3], true);
    const normal = tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, this.epsilon))), x.shape);
    const scaled = this.#gamma ? tf.mul(normal, this.#gamma.read()) : normal;
    return this.#beta ? tf.add(scaled, this.#beta.read()) : scaled;
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { groups, axis, epsilon, center, scale } = this;
    return { ...super.getConfig(), groups, axis, epsilon, center, scale };
  }
}
