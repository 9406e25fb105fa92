import { tf, type tfl } from "../../tf.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

interface BatchNorm extends tfl.layers.Layer {
  axis: number;
  readonly trainable: boolean;
}
interface LayerNorm extends tfl.layers.Layer {
  /** From 0, once it is built. */
  readonly axis: readonly number[];
  readonly epsilon: number;
  readonly scale: boolean;
  readonly center: boolean;
  readonly gamma: tfl.LayerVariable | null;
  readonly beta: tfl.LayerVariable | null;
}

/** The most axes for which tfjs has a kernel. */
const mostAxes = 4;

/**
 * tfjs' `BatchNormalization` along any axis and with any number of axes. Along another than the last one tfjs repeats the moments, which the plain
 * backend reads in the wrong order and which has no gradient: that axis is brought to the end here. With more than four axes all others become one.
 * One that is frozen keeps its statistics while other layers are trained, as in Keras since version 2.
 */
export class BatchNormalization extends tfjsLayer<BatchNorm>("BatchNormalization") {
  override call(inputs: tf.Tensor | tf.Tensor[], given: Record<string, unknown>): tf.Tensor | tf.Tensor[] {
    const kwargs = this.trainable ? given : { ...given, training: false };
    const [x] = [inputs].flat();
    const last = (x?.rank ?? 0) - 1;
    const own = this.axis;
    const axis = own < 0 ? own + last + 1 : own;
    if (!x || (axis === last && x.rank <= mostAxes)) return super.call(inputs, kwargs);
    const swapped = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i)); // its own inverse
    this.axis = x.rank > mostAxes ? 1 : last;
    try {
      return tf.tidy(() => {
        const moved = axis === last ? x : tf.transpose(x, swapped);
        const flat = x.rank > mostAxes ? tf.reshape(moved, [-1, moved.shape.at(-1) ?? 1]) : moved;
        const normal = tf.reshape(super.call(flat, kwargs) as tf.Tensor, moved.shape);
        return axis === last ? normal : tf.transpose(normal, swapped);
      });
    } finally {
      this.axis = own;
    }
  }
}

/** tfjs' `LayerNormalization`, which has no gradient without a scale or an offset, and four axes at most: γ·(x − μ)/√(σ² + ε) + β. */
export class LayerNormalization extends tfjsLayer<LayerNorm>("LayerNormalization") {
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[] {
    const [x] = [inputs].flat();
    if (!x || (this.scale && this.center && x.rank <= mostAxes)) return super.call(inputs, kwargs);
    return tf.tidy(() => {
      const { mean, variance } = tf.moments(x, [...this.axis], true);
      const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, this.epsilon)));
      const sides = x.shape.map((side, i) => (this.axis.includes(i) ? side : 1));
      const scaled = this.gamma ? tf.mul(normal, tf.reshape(this.gamma.read(), sides)) : normal;
      return this.beta ? tf.add(scaled, tf.reshape(this.beta.read(), sides)) : scaled;
    });
  }
}
