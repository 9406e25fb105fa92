import type { tf, tfl } from "../../tf.ts";
import { ownAxis } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";
import { take } from "./take.ts";

interface GatherConfig {
  /** Of the input, whose axis 0 is the batch; negative from the end. */
  readonly axis: number;
  /** Negative from the end. */
  readonly indices: readonly number[];
}

/** The elements at given places along an axis, in that order; a place may come several times. Source: ONNX Gather with constant indices. */
export class GatherConstant extends SingleInputLayer {
  static readonly className = "GatherConstant";
  readonly axis: number;
  readonly indices: readonly number[];

  constructor({ axis, indices, ...config }: LayerArgs & GatherConfig) {
    super(config);
    this.axis = axis;
    this.indices = indices;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const axis = ownAxis(this, this.axis, x.rank);
    const length = x.shape[axis] ?? 0;
    return take(
      x,
      this.indices.map((index) => (index < 0 ? index + length : index)),
      axis,
    );
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    const axis = ownAxis(this, this.axis, shape.length);
    const length = shape[axis] ?? 0;
    const outside = this.indices.find((index) => index < -length || index >= length);
    if (outside !== undefined) throw new Error(`Layer ${this.name} takes the element ${outside} of ${length}`);
    return shape.with(axis, this.indices.length);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), axis: this.axis, indices: [...this.indices] };
  }
}
