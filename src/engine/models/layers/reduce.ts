import { tf, type tfl } from "../../tf.ts";
import { sliceAlong } from "./along.ts";
import { ownAxis } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

type Apply = (x: tf.Tensor, axes: number[]) => tf.Tensor;

/** All keep the axes, with the length 1. */
const operations = {
  mean: (x, axes) => tf.mean(x, axes, true),
  sum: (x, axes) => tf.sum(x, axes, true),
  max: (x, axes) => tf.max(x, axes, true),
  min: (x, axes) => tf.min(x, axes, true),
  prod: (x, axes) => axes.reduce(product, x),
  sumSquare: (x, axes) => tf.sum(tf.square(x), axes, true),
  l1: (x, axes) => tf.sum(tf.abs(x), axes, true),
  l2: (x, axes) => tf.sqrt(tf.sum(tf.square(x), axes, true)),
  logSum: (x, axes) => tf.log(tf.sum(x, axes, true)),
  logSumExp: (x, axes) => tf.logSumExp(x, axes, true),
} satisfies Readonly<Record<string, Apply>>;
export type Reduction = keyof typeof operations;

interface ReduceConfig {
  readonly operation: Reduction;
  /** Of the input, whose axis 0 is the batch; negative from the end. */
  readonly axes: readonly number[];
  /** With the length 1. */
  readonly keepDims?: boolean;
}

/**
 * One number for all elements along some axes: their mean, sum, Σx², Σ|x|, √Σx², ln Σx, ln Σeˣ, … Source: ONNX ReduceMean and its kind, whose
 * names these are.
 */
export class Reduce extends SingleInputLayer {
  static readonly className = "Reduce";
  readonly operation: Reduction;
  readonly axes: readonly number[];
  readonly keepDims: boolean;

  constructor({ operation, axes, keepDims = true, ...config }: LayerArgs & ReduceConfig) {
    super(config);
    if (!Object.hasOwn(operations, operation)) throw new Error(`Layer ${this.name} computes "${operation}", which is not known`);
    this.operation = operation;
    this.axes = axes;
    this.keepDims = keepDims;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const axes = this.axes.map((axis) => ownAxis(this, axis, x.rank));
    const reduced = (operations[this.operation] as Apply)(x, axes);
    return this.keepDims ? reduced : tf.reshape(reduced, this.shapeAfter(x.shape) as number[]);
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    const axes = new Set(this.axes.map((axis) => ownAxis(this, axis, shape.length)));
    if (!this.keepDims) return shape.filter((_, axis) => !axes.has(axis));
    return shape.map((side, axis) => (axes.has(axis) ? 1 : side));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), operation: this.operation, axes: [...this.axes], keepDims: this.keepDims };
  }
}

/** One half times the other until one element is left: tfjs' own product has no second derivative. */
function product(x: tf.Tensor, axis: number): tf.Tensor {
  const length = x.shape[axis] ?? 1;
  if (length === 1) return x;
  const half = Math.floor(length / 2);
  const part = (begin: number, count: number): tf.Tensor => sliceAlong(x, axis, begin, count);
  const pairs = product(tf.mul(part(0, half), part(half, half)), axis);
  return length % 2 === 0 ? pairs : tf.mul(pairs, part(length - 1, 1));
}
