import { tf, type tfl } from "../../tf.ts";
import { sliceAlong, zerosBehind } from "./along.ts";
import { ownAxis } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface SliceConfig {
  /** Of the input, whose axis 0 is the batch; negative from the end. The other lists have an entry for each. */
  readonly axes: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps?: readonly number[];
}
interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly count: number;
  readonly step: number;
}

/**
 * Part of a tensor: along each axis the elements start, start + step, … before end. Negative places count from the end, places beyond
 * it are moved to it, and a negative step goes backwards. Source: ONNX Slice, and Split as one of these for each part.
 */
export class SliceLayer extends SingleInputLayer {
  static readonly className = "SliceLayer";
  readonly cut: Required<SliceConfig>;

  constructor({ axes, starts, ends, steps, ...config }: LayerArgs & SliceConfig) {
    super(config);
    this.cut = { axes, starts, ends, steps: steps ?? axes.map(() => 1) };
    if (this.cut.steps.includes(0)) throw new Error(`Layer ${this.name} slices with a step of 0`);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const cuts = this.#cuts(x.shape);
    const plain = cuts.filter(({ step }) => step === 1);
    const [begin, size] = [x.shape.map(() => 0), [...x.shape]];
    for (const { axis, start, count } of plain) [begin[axis], size[axis]] = [start, count];
    const whole = plain.every(({ axis, count }) => count === x.shape[axis]);
    return cuts.filter(({ step }) => step !== 1).reduce(picked, whole ? x : tf.slice(x, begin, size));
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    const found = [...shape];
    for (const { axis, count } of this.#cuts(shape)) found[axis] = count;
    return found;
  }

  #cuts(shape: tfl.Shape): Cut[] {
    const { axes, starts, ends, steps } = this.cut;
    return axes.map((written, i) => {
      const axis = ownAxis(this, written, shape.length);
      const [length, step] = [shape[axis], steps[i] ?? 1];
      if (typeof length !== "number") throw new Error(`Layer ${this.name} slices an axis of unknown length`);
      const place = (at: number, low: number, high: number): number => Math.min(high, Math.max(low, at < 0 ? at + length : at));
      const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
      const start = place(starts[i] ?? 0, 0, high);
      const count = Math.max(0, Math.ceil((place(ends[i] ?? length, low, high) - start) / step));
      return { axis, start, count, step };
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.cut as unknown as tf.serialization.ConfigDict) };
  }
}

/** Every `step`-th element: the first of each of `count` rows of that length. Every backend has the kernels of its gradients. */
function picked(x: tf.Tensor, { axis, start, count, step }: Cut): tf.Tensor {
  const isBackward = step < 0;
  const stride = Math.abs(step);
  const length = x.shape[axis] ?? 0;
  const source = isBackward ? tf.reverse(x, axis) : x;
  const begin = isBackward ? length - 1 - start : start;
  const taken = Math.min(length - begin, count * stride);
  const part = sliceAlong(source, axis, begin, taken);
  const missing = count * stride - taken;
  const padded = missing === 0 ? part : zerosBehind(part, axis, missing);
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const rows = tf.reshape(padded, [product(before), count, stride, product(after)]);
  return tf.reshape(sliceAlong(rows, 2, 0, 1), [...before, count, ...after]);
}

const product = (sides: readonly number[]): number => sides.reduce((a, b) => a * b, 1);
