import { tf, tfl } from "../../tf.ts";
import { firstShape } from "./shapes.ts";

export type LayerArgs = NonNullable<ConstructorParameters<typeof tfl.layers.Layer>[0]>;

/** A layer with one input and one output. Shapes include the batch, which is `null` before there are images. */
export abstract class SingleInputLayer extends tfl.layers.Layer {
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat();
    if (!x) throw new Error(`Layer ${this.name} has no input.`);
    return tf.tidy(() => this.compute(x));
  }

  /** Called in a tidy. */
  protected abstract compute(x: tf.Tensor): tf.Tensor;

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return this.shapeAfter(firstShape(shape));
  }

  /** Shape of the output; that of the input by default. */
  protected shapeAfter(shape: tfl.Shape): tfl.Shape {
    return shape;
  }
}
