import type { tf, tfl } from "../../tf.ts";
import { tfjsLayer } from "./tfjsLayer.ts";

/** tfjs' `Flatten`, also of what is flat already, [b,n], as in Keras: it then changes nothing. */
export class Flatten extends tfjsLayer<tfl.layers.Layer>("Flatten") {
  constructor(config: tf.serialization.ConfigDict = {}) {
    super(config);
    for (const spec of this.inputSpec) spec.minNDim = 2;
  }
}
