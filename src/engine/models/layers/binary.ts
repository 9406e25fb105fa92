import { tf, tfl } from "../../tf.ts";
import { combinedShape } from "./shapes.ts";
import type { LayerArgs } from "./single.ts";

type Combine = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
const compared =
  (compare: Combine): Combine =>
  (a, b) =>
    tf.cast(compare(a, b), "float32");

const isTrue = (x: tf.Tensor): tf.Tensor => tf.notEqual(x, 0);
/** The remainder with the sign of a. */
const remainder: Combine = (a, b) => tf.mul(tf.sign(a), tf.mod(tf.abs(a), tf.abs(b)));

/** A comparison is 1 or 0, and has the gradient 0; so are and, or and xor, for which all but 0 is true. */
const operations = {
  add: tf.add,
  sub: tf.sub,
  mul: tf.mul,
  div: tf.div,
  pow: tf.pow,
  min: tf.minimum,
  max: tf.maximum,
  equal: compared(tf.equal),
  less: compared(tf.less),
  lessOrEqual: compared(tf.lessEqual),
  greater: compared(tf.greater),
  greaterOrEqual: compared(tf.greaterEqual),
  and: compared((a, b) => tf.logicalAnd(isTrue(a), isTrue(b))),
  or: compared((a, b) => tf.logicalOr(isTrue(a), isTrue(b))),
  xor: compared((a, b) => tf.notEqual(isTrue(a), isTrue(b))),
  fmod: remainder,
} satisfies Readonly<Record<string, Combine>>;
export type BinaryOperation = keyof typeof operations;

interface BinaryConfig {
  readonly operation: BinaryOperation;
  /** Shape of the constant operand, without the batch; null where both operands are inputs. */
  readonly constant?: readonly number[] | null;
  /** The constant is the first operand. */
  readonly reversed?: boolean;
}

/**
 * Two tensors combined element by element, [b,…] and [b,…] of the same rank, of which axes of length 1 are repeated; or one with a constant,
 * which is a weight. Of equal values the first is the minimum or maximum. Source: ONNX Add, Sub, Mul, Div, Pow, Min, Max, Equal, Less,
 * Greater, And, Or, Xor, Mod and their kind.
 */
export class Binary extends tfl.layers.Layer {
  static readonly className = "Binary";
  readonly operation: BinaryOperation;
  readonly constant: readonly number[] | null;
  readonly reversed: boolean;
  #constant: tfl.LayerVariable | undefined;

  constructor({ operation, constant = null, reversed = false, ...config }: LayerArgs & BinaryConfig) {
    super(config);
    if (!Object.hasOwn(operations, operation)) throw new Error(`Layer ${this.name} computes "${operation}", which is not known`);
    this.operation = operation;
    this.constant = constant;
    this.reversed = reversed;
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    if (this.constant) this.#constant = this.addWeight("constant", [...this.constant], "float32", tfl.initializers.ones(), undefined, true);
    super.build(shape);
  }

  override computeOutputShape(shapes: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return combinedShape(this, shapes, this.constant);
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const operands = [...[inputs].flat(), ...(this.#constant ? [this.#constant.read()] : [])];
    const [a, b] = this.reversed ? operands.reverse() : operands;
    if (!a || !b) throw new Error(`Layer ${this.name} needs two operands.`);
    return tf.tidy(() => (operations[this.operation] as Combine)(a, b));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), operation: this.operation, constant: this.constant as number[] | null, reversed: this.reversed };
  }
}
