import { tf, type tfl } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";
import type { Sides } from "./windows.ts";

interface PadConfig {
  /** Of the slices, rows and columns. */
  readonly padding: readonly [Sides, Sides, Sides];
}

/** Zeros around volumes, [b,D,H,W,C] → [b,D′,H′,W′,C]. Source: Keras ZeroPadding3D, with the padding of both sides of each axis. */
export class ZeroPadding3D extends SingleInputLayer {
  static readonly className = "ZeroPadding3D";
  readonly padding: readonly Sides[];

  constructor({ padding, ...config }: LayerArgs & PadConfig) {
    super(config);
    this.padding = padding;
    if (padding.length !== 3 || padding.flat().some((side) => side < 0)) throw new Error(`Layer ${this.name} needs padding for three axes`);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return tf.pad(x, [[0, 0], ...this.padding.map(([before, after]): [number, number] => [before, after]), [0, 0]]);
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    return shape.map((side, axis) => {
      const [before, after] = this.padding[axis - 1] ?? [0, 0];
      return side === null ? null : before + side + after;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), padding: this.padding as unknown as number[][] };
  }
}
