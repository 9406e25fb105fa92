import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { relu, sigmoid } from "./unary.ts";

/** Inputs of tfjs' fused kernels. */
export type Fused<Names extends string> = Record<Names, TensorInfo> & { bias?: TensorInfo; preluActivationWeights?: TensorInfo };

/** x where x ≥ 0, slope·x below. */
export const leak = (g: Graph, x: Value, slope: Value): Value =>
  g.where(g.binary("Less", x, g.scalar(0), "bool"), g.binary("Mul", x, slope), x);

/** The activation that a fused kernel ends in. */
export function activate(g: Graph, x: Value, name = "linear", prelu?: Value, alpha = 0.2): Value {
  switch (name) {
    case "linear":
      return x;
    case "relu":
      return relu(g, x);
    case "relu6":
      return g.binary("Min", relu(g, x), g.scalar(6));
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
