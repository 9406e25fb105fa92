import { tf, type tfl } from "../../tf.ts";
import { firstShape } from "./shapes.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

type Config = LayerArgs & {
  /** Of the dense layer that every place has for itself. */
  readonly dense: tf.serialization.ConfigDict;
};

/**
 * A dense layer of its own at every place of a volume: y[b,z,:] = x[b,z,:]·W[z] + c[z], [b,Z,M] → [b,Z,L], without an activation. All places
 * start from the same weights, those that one dense layer would start from.
 * Source: "its respective" weights of Ghebrechristos & Alaghband 2024, section 3.3, read literally.
 */
export class SliceDense extends SingleInputLayer {
  static readonly className = "SliceDense";
  readonly dense: tf.serialization.ConfigDict;

  constructor({ dense, ...config }: Config) {
    super(config);
    this.dense = dense;
  }

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    const [, Z, inputs] = firstShape(shape) as [null, number, number];
    const single = this.#single();
    single.build([null, inputs]);
    const own = single.getWeights();
    for (const [i, name] of ["kernel", "bias"].slice(0, own.length).entries()) {
      const start = own[i] as tf.Tensor;
      const repeated = { apply: () => tf.tidy(() => tf.tile(start.expandDims(0), [Z, ...start.shape.map(() => 1)])) };
      this.addWeight(name, [Z, ...start.shape], "float32", repeated as unknown as ReturnType<typeof tfl.initializers.zeros>);
    }
    for (const weight of single.weights) weight.dispose();
    super.build(shape);
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    return [...shape.slice(0, -1), Number(this.dense["units"])];
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const [kernel, bias] = this.weights.map((weight) => weight.read());
    if (!kernel) throw new Error(`Layer ${this.name} has no weights.`);
    const y = tf.transpose(tf.matMul(tf.transpose(x, [1, 0, 2]), kernel), [1, 0, 2]);
    return bias ? tf.add(y, bias) : y;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), dense: this.dense };
  }

  #single(): tfl.layers.Layer {
    const found = tf.serialization.SerializationMap.getMap().classNameMap["Dense"];
    if (!found) throw new Error("tfjs has no dense layer.");
    return found[1](found[0], { ...this.dense, name: `${this.name}_single` }) as tfl.layers.Layer;
  }
}
