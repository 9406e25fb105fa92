import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { absorbRelu, elementwise } from "./blocked.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { relu, sigmoid } from "./unary.ts";

/** Inputs of tfjs' fused kernels. */
export type Fused<Names extends string> = Record<Names, TensorInfo> & { bias?: TensorInfo; preluActivationWeights?: TensorInfo };

/** x where x ≥ 0, slope·x below. */
export const leak = (g: Graph, x: Value, slope: Value): Value =>
  g.where(g.binary("Less", x, g.scalar(0), "bool"), g.binary("Mul", x, slope), x);

const bounded = (g: Graph, x: Value, bound: number): Value => {
  const clip = (v: Value): Value => g.op("Clip", [v, g.scalar(0), g.scalar(bound)], v.shape, "float32");
  return absorbRelu(g, x, bound) ?? elementwise(g, [x], clip);
};

/** dy where 0 < y < bound, else 0. */
function boundedGradient(g: Graph, gradient: Value, y: Value, bound: number): Value {
  return elementwise(g, [gradient, y], (dy, v) => {
    const isInside = g.binary("And", g.binary("Greater", v, g.scalar(0), "bool"), g.binary("Less", v, g.scalar(bound), "bool"), "bool");
    return g.binary("Mul", dy, g.cast(isInside, "float32"));
  });
}

/*
 * The sigmoid is onnxruntime's here, which stops at ±18: swish and its gradient are of the size of x·1.5e-8 there, and below what their
 * sums with other units can show.
 */
function swish(g: Graph, x: Value): Value {
  return elementwise(g, [x], (v) => {
    // Nothing but this reads x: no gradient will ask for the sigmoid.
    if (x.uses === 1 && g.isOnCpu) return g.op("QuickGelu", [v], v.shape, "float32", { alpha: { float: 1 } }, "com.microsoft");
    const s = g.note("sigmoid", v, g.unary("Sigmoid", v));
    return g.note("swish", v, g.binary("Mul", v, s));
  });
}

/** dy·(σ + y − y·σ) */
function swishGradient(g: Graph, gradient: Value, x: Value): Value {
  return elementwise(g, [gradient, x], (dy, v = x) => {
    const s = g.noted("sigmoid", v) ?? g.unary("Sigmoid", v);
    const y = g.noted("swish", v) ?? g.binary("Mul", v, s);
    return g.binary("Mul", dy, g.binary("Add", s, g.binary("Sub", y, g.binary("Mul", y, s))));
  });
}

interface Bound {
  readonly bound: number;
}
const like = ({ shape }: TensorInfo) => ({ shape, dtype: "float32" as const });

/** The kernels of gradients/activation.ts. */
export const activations: Kernels = {
  Swish: kernel<{ x: TensorInfo }>(({ inputs: { x }, backend }) => backend.record("Swish", "", [x], like(x), swish)),
  SwishGrad: kernel<{ dy: TensorInfo; x: TensorInfo }>(({ inputs: { dy, x }, backend }) =>
    backend.record("SwishGrad", "", [dy, x], like(x), swishGradient),
  ),
  BoundedRelu: kernel<{ x: TensorInfo }, Bound>(({ inputs: { x }, attrs: { bound }, backend }) =>
    backend.record("BoundedRelu", bound, [x], like(x), (g, v) => bounded(g, g.cast(v, "float32"), bound)),
  ),
  BoundedReluGrad: kernel<{ dy: TensorInfo; y: TensorInfo }, Bound>(({ inputs: { dy, y }, attrs: { bound }, backend }) =>
    backend.record("BoundedReluGrad", bound, [dy, y], like(y), (g, d, v) => boundedGradient(g, d, v, bound)),
  ),
};

/** The activation that a fused kernel ends in. */
export function activate(g: Graph, x: Value, name = "linear", prelu?: Value, alpha = 0.2): Value {
  switch (name) {
    case "linear":
      return x;
    case "relu":
      return relu(g, x);
    case "relu6":
      return bounded(g, x, 6);
    case "elu":
      return g.unary("Elu", x);
    case "sigmoid":
      return sigmoid(g, x);
    case "leakyrelu":
      return g.unary("LeakyRelu", x, { alpha: { float: alpha } });
    case "prelu":
      if (!prelu) throw new Error("prelu needs its weights");
      return leak(g, x, prelu);
    default:
      throw new Error(`Activation ${name} has not been implemented for the onnxruntime backend.`);
  }
}
