import { tf, type tfl } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface ReshapeConfig {
  /** Of the result behind the batch. */
  readonly targetShape: readonly number[];
  /** Rows of the result for each row of the input. */
  readonly multiple?: number;
  /** Rows of the input for each row of the result. */
  readonly divisor?: number;
}

/**
 * The same values in the same order, with another batch: [b,…] → [b·multiple/divisor,…targetShape], as where the windows of an image are
 * images of their own. Source: ONNX Reshape between shapes that both hold a multiple of the batch.
 */
export class BatchReshape extends SingleInputLayer {
  static readonly className = "BatchReshape";
  readonly targetShape: readonly number[];
  readonly multiple: number;
  readonly divisor: number;

  constructor({ targetShape, multiple = 1, divisor = 1, ...config }: LayerArgs & ReshapeConfig) {
    super(config);
    this.targetShape = targetShape;
    this.multiple = multiple;
    this.divisor = divisor;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return tf.reshape(x, this.shapeAfter(x.shape) as number[]);
  }

  protected override shapeAfter([batch = null, ...sides]: tfl.Shape): tfl.Shape {
    const [size, target] = [sides, this.targetShape].map((all) => all.reduce<number>((a, b) => a * (b ?? Number.NaN), 1)) as [
      number,
      number,
    ];
    if (size * this.divisor !== target * this.multiple)
      throw new Error(`Layer ${this.name} makes [${this.targetShape.join(", ")}] of [${sides.join(", ")}], which do not hold as much`);
    return [batch === null ? null : (batch * this.multiple) / this.divisor, ...this.targetShape];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), targetShape: [...this.targetShape], multiple: this.multiple, divisor: this.divisor };
  }
}
