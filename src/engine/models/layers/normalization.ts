import { tf, tfl } from "../../tf.ts";
import { firstShape } from "./shapes.ts";
import { SingleInputLayer } from "./single.ts";

interface NormalizationConfig {
  readonly axis?: number | readonly number[] | null;
  /** Of each channel, or one for all; weights of the layer where the configuration does not say them. */
  readonly mean?: number | readonly number[] | null;
  readonly variance?: number | readonly number[] | null;
  readonly invert?: boolean;
  readonly name?: string;
}
type Moment = number | readonly number[] | null;

/** Keras' `Normalization`: (x − mean) / max(√variance, 1e-7) along the last axis, or its inverse. */
export class Normalization extends SingleInputLayer {
  static readonly className = "Normalization";
  readonly axis: number | readonly number[] | null;
  readonly moments: { readonly mean: Moment; readonly variance: Moment };
  readonly invert: boolean;
  #mean: tfl.LayerVariable | undefined;
  #variance: tfl.LayerVariable | undefined;

  constructor({ axis = -1, mean = null, variance = null, invert = false, ...config }: NormalizationConfig = {}) {
    super(config);
    this.axis = axis;
    this.moments = { mean: flat(mean), variance: flat(variance) };
    this.invert = invert;
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    const sides = firstShape(shape);
    const axes = this.axis === null ? [] : [this.axis].flat();
    if (axes.some((axis) => axis !== -1 && axis !== sides.length - 1))
      throw new Error(`Layer ${this.name} normalises along an axis other than the last`);
    if (this.moments.mean === null) {
      const kept = axes.length === 0 ? [] : [sides.at(-1) ?? 1];
      this.#mean = this.addWeight("mean", kept, "float32", tfl.initializers.zeros(), undefined, false);
      this.#variance = this.addWeight("variance", kept, "float32", tfl.initializers.ones(), undefined, false);
    }
    super.build(shape);
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const mean = this.#mean?.read() ?? constant(this.moments.mean ?? 0);
    const variance = this.#variance?.read() ?? constant(this.moments.variance ?? 1);
    const deviation = tf.maximum(tf.sqrt(variance), 1e-7);
    return this.invert ? tf.add(mean, tf.mul(x, deviation)) : tf.div(tf.sub(x, mean), deviation);
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { mean, variance } = this.moments as { mean: number | number[] | null; variance: number | number[] | null };
    return { ...super.getConfig(), axis: this.axis as number | number[] | null, mean, variance, invert: this.invert };
  }
}

const constant = (value: number | readonly number[]): tf.Tensor => (typeof value === "number" ? tf.scalar(value) : tf.tensor1d([...value]));
/** Keras also writes [[[[a, b, c]]]]. */
const flat = (value: unknown): Moment => (Array.isArray(value) ? (value.flat(8) as number[]) : typeof value === "number" ? value : null);
