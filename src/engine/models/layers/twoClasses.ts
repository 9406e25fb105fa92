import { tf, tfl } from "../../tf.ts";

/** The logit z of the second of two classes as the scores of both: [b,1] → [b,2], [0, z], so that softmax gives sigmoid(z). */
export class TwoClasses extends tfl.layers.Layer {
  static readonly className = "TwoClasses";

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return [(shape as tfl.Shape)[0] ?? null, 2];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [z] = [inputs].flat();
    if (!z) throw new Error(`Layer ${this.name} has no input.`);
    return tf.tidy(() => tf.concat([tf.zerosLike(z), z], 1));
  }
}
