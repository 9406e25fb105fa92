import { repeated, tf, tfl } from "../../tf.ts";
import { allShapes, commonShape, sameRank } from "./shapes.ts";
import type { LayerArgs } from "./single.ts";

interface MatMulConfig {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * Products of matrices, [b,…,m,k]·[b,…,k,n] → [b,…,m,n], either operand transposed first if so wanted; of the axes in front, those of length 1
 * are repeated. Source: ONNX MatMul of two tensors that are no constants.
 */
export class MatMul extends tfl.layers.Layer {
  static readonly className = "MatMul";
  readonly transposeA: boolean;
  readonly transposeB: boolean;

  constructor({ transposeA = false, transposeB = false, ...config }: LayerArgs & MatMulConfig = {}) {
    super(config);
    this.transposeA = transposeA;
    this.transposeB = transposeB;
  }

  override computeOutputShape(shapes: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [a = [], b = []] = allShapes(shapes);
    sameRank(this, [a, b]);
    const [rows = null, inner] = ends(a, this.transposeA);
    const [other, columns = null] = ends(b, this.transposeB);
    if (a.length < 3 || inner !== other)
      throw new Error(`Layer ${this.name} multiplies [${a.join(", ")}] by [${b.join(", ")}], which do not fit`);
    return [...commonShape(this, [a.slice(0, -2), b.slice(0, -2)]), rows, columns];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [a, b] = [inputs].flat();
    if (!a || !b) throw new Error(`Layer ${this.name} needs two operands.`);
    return tf.tidy(() => {
      const front = commonShape(this, [a.shape.slice(0, -2), b.shape.slice(0, -2)]) as number[];
      const [x, y] = [a, b].map((one) => repeated(one, [...front, ...one.shape.slice(-2)])) as [tf.Tensor, tf.Tensor];
      return tf.matMul(x, y, this.transposeA, this.transposeB);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), transposeA: this.transposeA, transposeB: this.transposeB };
  }
}

const ends = (shape: tfl.Shape, isTransposed: boolean): tfl.Shape => (isTransposed ? shape.slice(-2).reverse() : shape.slice(-2));
