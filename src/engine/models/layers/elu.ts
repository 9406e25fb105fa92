import { tf, type tfl } from "../../tf.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

interface Elu extends tfl.layers.Layer {
  alpha: number;
}

/** x above 0, α·(eˣ − 1) below; tfjs refuses every α but 1. Source: Clevert et al. 2016, equation 16. */
export class ELU extends tfjsLayer<Elu>("ELU") {
  constructor({ alpha, ...config }: tf.serialization.ConfigDict = {}) {
    super(config);
    this.alpha = typeof alpha === "number" ? alpha : 1;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor | tf.Tensor[] {
    const [x] = [inputs].flat();
    if (this.alpha === 1 || !x) return super.call(inputs, kwargs);
    return tf.tidy(() => tf.add(tf.relu(x), tf.mul(tf.elu(tf.minimum(x, 0)), this.alpha)));
  }
}
