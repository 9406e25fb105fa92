import { tf } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

type Apply = (x: tf.Tensor, alpha: number, beta: number) => tf.Tensor;

/** max(0, min(1, αx + β)) */
const hardSigmoid: Apply = (x, alpha, beta) => tf.clipByValue(tf.add(tf.mul(x, alpha), beta), 0, 1);

const truth = (x: tf.Tensor): tf.Tensor => tf.cast(x, "float32");

/** By ONNX' own names, in camel case. floor, ceil, round (half to even), sign, isNaN and not have the gradient 0. */
const operations = {
  abs: tf.abs,
  ceil: tf.ceil,
  celu: (x, alpha) => tf.add(tf.relu(x), tf.mul(tf.elu(tf.div(tf.minimum(x, 0), alpha)), alpha)),
  cos: tf.cos,
  erf: tf.erf,
  exp: tf.exp,
  floor: tf.floor,
  hardSigmoid,
  hardSwish: (x) => tf.mul(x, hardSigmoid(x, 1 / 6, 0.5)),
  isNaN: (x) => truth(tf.isNaN(x)),
  log: tf.log,
  mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  neg: tf.neg,
  not: (x) => truth(tf.equal(x, 0)),
  reciprocal: tf.reciprocal,
  round: tf.round,
  sign: tf.sign,
  sin: tf.sin,
  softplus: tf.softplus,
  softsign: (x) => tf.div(x, tf.add(tf.abs(x), 1)),
  sqrt: tf.sqrt,
  square: tf.square,
} satisfies Readonly<Record<string, Apply>>;
export type Operation = keyof typeof operations;
export const elementwiseOperations = Object.keys(operations) as readonly Operation[];

interface ElementwiseConfig {
  readonly operation: Operation;
  /** Of celu and hardSigmoid. */
  readonly alpha?: number;
  /** Of hardSigmoid. */
  readonly beta?: number;
}

/**
 * A function of each element, any shape: y = f(x). celu is max(0, x) + min(0, α(e^{x/α} − 1)), hardSigmoid max(0, min(1, αx + β)), hardSwish
 * x·max(0, min(1, x/6 + ½)), mish x·tanh(ln(1 + eˣ)), softsign x/(1 + |x|). Source: the ONNX operators of these names.
 */
export class Elementwise extends SingleInputLayer {
  static readonly className = "Elementwise";
  readonly operation: Operation;
  readonly alpha: number;
  readonly beta: number;

  constructor({ operation, alpha, beta, ...config }: LayerArgs & ElementwiseConfig) {
    super(config);
    if (!Object.hasOwn(operations, operation)) throw new Error(`Layer ${this.name} computes "${operation}", which is not known`);
    this.operation = operation;
    this.alpha = alpha ?? (operation === "hardSigmoid" ? 0.2 : 1);
    this.beta = beta ?? 0.5;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return (operations[this.operation] as Apply)(x, this.alpha, this.beta);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), operation: this.operation, alpha: this.alpha, beta: this.beta };
  }
}
