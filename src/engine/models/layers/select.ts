import { repeated, tf, tfl } from "../../tf.ts";
import { combinedShape } from "./shapes.ts";
import type { LayerArgs } from "./single.ts";

interface SelectConfig {
  /** Shape of a constant condition, without the batch; null where it is the first input. */
  readonly condition: readonly number[] | null;
  /** A number in the place of an input; null for an input. */
  readonly whenTrue?: number | null;
  readonly whenFalse?: number | null;
}
/** The largest float32: an infinity cannot be written to a model's JSON, and before a softmax both give the same. */
const largest = 3.4028234663852886e38;
const finite = (value: number | null): number | null => (value === null ? null : Math.min(largest, Math.max(-largest, value)));

/**
 * One value where a condition is other than 0, another where it is 0, element by element. Inputs, as far as they are no constants: condition,
 * values where it holds, values where not, [b,…] of the same rank; a constant condition is a weight. Axes of length 1 are repeated. The
 * gradient goes to the value that was chosen, and none to the condition. Source: ONNX Where.
 */
export class Select extends tfl.layers.Layer {
  static readonly className = "Select";
  readonly condition: readonly number[] | null;
  readonly whenTrue: number | null;
  readonly whenFalse: number | null;
  #condition: tfl.LayerVariable | undefined;

  constructor({ condition, whenTrue = null, whenFalse = null, ...config }: LayerArgs & SelectConfig) {
    super(config);
    this.condition = condition;
    this.whenTrue = finite(whenTrue);
    this.whenFalse = finite(whenFalse);
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    if (this.condition)
      this.#condition = this.addWeight("condition", [...this.condition], "float32", tfl.initializers.ones(), undefined, false);
    super.build(shape);
  }

  override computeOutputShape(shapes: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return combinedShape(this, shapes, this.condition);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const given = [inputs].flat();
      const shape = this.computeOutputShape(given.map((x) => x.shape)) as number[];
      const next = (constant: number | null): tf.Tensor => {
        if (constant !== null) return tf.fill(shape, constant);
        const x = given.shift();
        if (!x) throw new Error(`Layer ${this.name} lacks an input.`);
        return repeated(x, shape);
      };
      const known = this.#condition?.read();
      const condition = known
        ? repeated(tf.reshape(known, [...shape.map(() => 1), ...known.shape].slice(-shape.length)), shape)
        : next(null);
      const [whenTrue, whenFalse] = [next(this.whenTrue), next(this.whenFalse)];
      return tf.where(tf.notEqual(condition, 0), whenTrue, whenFalse);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), condition: this.condition as number[] | null, whenTrue: this.whenTrue, whenFalse: this.whenFalse };
  }
}
