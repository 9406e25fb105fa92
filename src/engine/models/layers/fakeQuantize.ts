import { BulwarkError } from "../../../shared/errors.ts";
import { tf } from "../../tf.ts";
import { ownAxis } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

interface QuantizeConfig {
  /** s and z: one for all, or one for each place along `axis`. */
  readonly scale: number | readonly number[];
  readonly zeroPoint: number | readonly number[];
  /** Smallest and largest integer. */
  readonly low: number;
  readonly high: number;
  readonly axis?: number;
}

/**
 * What an 8-bit number makes of x: y = (q − z)·s with q = min(max(round(x/s) + z, low), high), rounded half to even. Its gradient is 1 where
 * low ≤ x/s + z ≤ high and 0 outside: a straight-through estimator, so there is no second derivative. Source: ONNX QuantizeLinear and
 * DequantizeLinear in a row; Bengio et al. 2013.
 */
export class FakeQuantize extends SingleInputLayer {
  static readonly className = "FakeQuantize";
  readonly quantization: Required<QuantizeConfig>;

  constructor({ scale, zeroPoint, low, high, axis = -1, ...config }: LayerArgs & QuantizeConfig) {
    super(config);
    this.quantization = { scale, zeroPoint, low, high, axis };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    if (tf.engine().state.gradientDepth > 1)
      throw new BulwarkError(
        "MODEL_UNSUPPORTED",
        "The model rounds to 8 bits, and rounding has no second derivative.",
        "Use the model as it was before it was quantised.",
      );
    const { low, high } = this.quantization;
    const op = tf.customGrad((input, save) => {
      const exact = input as tf.Tensor;
      (save as (saved: tf.Tensor[]) => void)([exact]);
      const [scale, zero] = this.#constants(exact);
      const rounded = tf.clipByValue(tf.add(tf.round(tf.div(exact, scale)), zero), low, high);
      return {
        value: tf.mul(tf.sub(rounded, zero), scale),
        gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, this.#inside(saved[0] as tf.Tensor)),
      };
    });
    return op(x);
  }

  #inside(x: tf.Tensor): tf.Tensor {
    const { low, high } = this.quantization;
    const [scale, zero] = this.#constants(x);
    const places = tf.add(tf.div(x, scale), zero);
    return tf.cast(tf.logicalAnd(tf.greaterEqual(places, low), tf.lessEqual(places, high)), "float32");
  }

  #constants(x: tf.Tensor): [scale: tf.Tensor, zero: tf.Tensor] {
    const { scale, zeroPoint, axis } = this.quantization;
    const constant = (values: number | readonly number[]): tf.Tensor => {
      if (typeof values === "number") return tf.scalar(values);
      const own = ownAxis(this, axis, x.rank);
      return tf.tensor(
        [...values],
        x.shape.map((_, i) => (i === own ? values.length : 1)),
      );
    };
    return [constant(scale), constant(zeroPoint)];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.quantization as unknown as tf.serialization.ConfigDict) };
  }
}
