import { repeated, tf, tfl } from "../../tf.ts";
import { ownAxis } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface AppendConfig {
  /** Of the constant, without the batch. */
  readonly shape: readonly number[];
  /** Of the input, whose axis 0 is the batch; negative from the end. */
  readonly axis: number;
  /** Before the input, not behind it. */
  readonly atStart?: boolean;
}

/**
 * The same trained values joined to every image along an axis, as the class token of a transformer: [b,t,d] → [b,1 + t,d]. Source: ONNX Concat
 * with a constant; Dosovitskiy et al. 2021, equation 1.
 */
export class AppendConstant extends SingleInputLayer {
  static readonly className = "AppendConstant";
  readonly shape: readonly number[];
  readonly axis: number;
  readonly atStart: boolean;
  #constant: tfl.LayerVariable | undefined;

  constructor({ shape, axis, atStart = false, ...config }: LayerArgs & AppendConfig) {
    super(config);
    this.shape = shape;
    this.axis = axis;
    this.atStart = atStart;
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    this.#constant = this.addWeight("constant", [...this.shape], "float32", tfl.initializers.zeros(), undefined, true);
    super.build(shape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    if (!this.#constant) throw new Error(`Layer ${this.name} has no constant.`);
    const constant = repeated(tf.expandDims(this.#constant.read(), 0), [x.shape[0] ?? 1, ...this.shape]);
    return tf.concat(this.atStart ? [constant, x] : [x, constant], ownAxis(this, this.axis, x.rank));
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    const axis = ownAxis(this, this.axis, shape.length);
    const fits = shape.length === this.shape.length + 1 && this.shape.every((side, i) => i + 1 === axis || side === shape[i + 1]);
    if (!fits) throw new Error(`Layer ${this.name} joins [${this.shape.join(", ")}] to [${shape.join(", ")}], which do not fit`);
    const length = shape[axis] ?? null;
    return shape.with(axis, length === null ? null : length + (this.shape[axis - 1] ?? 0));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), shape: [...this.shape], axis: this.axis, atStart: this.atStart };
  }
}
