import { tf, type tfl } from "../../tf.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

interface LastAxisSoftmax extends tfl.layers.Layer {
  readonly axis: number;
}

/** tfjs' `Softmax` along any axis; tfjs itself has it along the last one alone. */
export class Softmax extends tfjsLayer<LastAxisSoftmax>("Softmax") {
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[] {
    const [x] = [inputs].flat();
    const last = (x?.rank ?? 0) - 1;
    const axis = this.axis < 0 ? this.axis + last + 1 : this.axis;
    if (!x || axis === last) return super.call(inputs, kwargs);
    const swapped = x.shape.map((_, i) => (i === axis ? last : i === last ? axis : i)); // its own inverse
    return tf.tidy(() => tf.transpose(tf.softmax(tf.transpose(x, swapped)), swapped));
  }
}
