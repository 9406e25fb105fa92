import { tf, type tfl } from "../../tf.ts";
import { SingleInputLayer } from "./single.ts";

/** The logit z of the second of two classes as the scores of both: [b,1] → [b,2], [0, z], so that softmax gives sigmoid(z). */
export class TwoClasses extends SingleInputLayer {
  static readonly className = "TwoClasses";

  protected override shapeAfter([batch = null]: tfl.Shape): tfl.Shape {
    return [batch, 2];
  }

  protected override compute(z: tf.Tensor): tf.Tensor {
    return tf.concat([tf.zerosLike(z), z], 1);
  }
}
