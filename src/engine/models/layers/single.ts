import { tf, tfl } from "../../tf.ts";

export type LayerArgs = NonNullable<ConstructorParameters<typeof tfl.layers.Layer>[0]>;

/** A layer that computes one tensor from one. Shapes count the batch, which is `null` until images come. */
export abstract class SingleInputLayer extends tfl.layers.Layer {
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat();
    if (!x) throw new Error(`Layer ${this.name} has no input.`);
    return tf.tidy(() => this.compute(x));
  }

  /** In a tidy. */
  protected abstract compute(x: tf.Tensor): tf.Tensor;

  override computeOutputShape(shape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    return this.shapeAfter(firstShape(shape));
  }

  /** Where it is not the input's own. */
  protected shapeAfter(shape: tfl.Shape): tfl.Shape {
    return shape;
  }
}

/** tfjs gives the shape of a single input as it is, and that of a list with one input as a list. */
export const firstShape = (shape: tfl.Shape | tfl.Shape[]): tfl.Shape => {
  const [first] = shape;
  return Array.isArray(first) ? first : (shape as tfl.Shape);
};

/** An axis that may be counted from the end, from 0 on. @throws Error naming the layer, for one that there is not, or the batch */
export function ownAxis(layer: tfl.layers.Layer, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(found) && found > 0 && found < rank) return found;
  throw new Error(`Layer ${layer.name} works along axis ${axis}, and its input has the axes 1 to ${rank - 1} behind that of the batch`);
}
