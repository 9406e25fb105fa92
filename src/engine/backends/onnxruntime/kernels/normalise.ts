import type {
  EinsumAttrs,
  EinsumInputs,
  FusedBatchNormAttrs,
  FusedBatchNormInputs,
  LRNAttrs,
  LRNGradInputs,
  LRNInputs,
  SoftmaxAttrs,
  SoftmaxInputs,
  TensorInfo,
} from "@tensorflow/tfjs-core";
import { backend_util } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { numeric } from "./convert.ts";
import { type Kernels, kernel } from "./kernel.ts";

/** 1 where two channels are at most `radius` apart, so that x·band sums each channel's neighbourhood. */
function band(g: Graph, channels: number, radius: number): Value {
  const values = Float32Array.from({ length: channels * channels }, (_, i) =>
    Math.abs((i % channels) - Math.floor(i / channels)) <= radius ? 1 : 0,
  );
  return g.initializer([channels, channels], "float32", values);
}
/** bias + alpha · (sum of squares over the neighbouring channels). */
function scaleOf(g: Graph, x: Value, { depthRadius, bias, alpha }: LRNAttrs): Value {
  const sums = g.matmul(g.binary("Mul", x, x), band(g, x.shape.at(-1) ?? 1, depthRadius));
  return g.binary("Add", g.binary("Mul", sums, g.scalar(alpha)), g.scalar(bias));
}

/** x · factor + shift, folded into the weights that x comes from where all three are constant and nothing else reads x. */
function scaledAndShifted(g: Graph, x: Value, factor: Value, shift: Value): Value {
  const isVector = [factor, shift].every((value) => value.constant && value.shape.length === 1 && value.shape[0] === x.shape.at(-1));
  if (x.affine && x.uses === 1 && isVector) return x.affine(factor, shift);
  return g.binary("Add", g.binary("Mul", x, factor), shift);
}

/** gain/√(variance + ε) */
const factorOf = (g: Graph, gain: Value, variance: Value, epsilon: number): Value =>
  g.binary("Div", gain, g.unary("Sqrt", g.binary("Add", variance, g.scalar(epsilon))));

export const normalisation: Kernels = {
  Softmax: kernel<SoftmaxInputs, SoftmaxAttrs>(({ inputs: { logits }, attrs: { dim }, backend }) =>
    backend.record("Softmax", dim, [logits], { shape: logits.shape, dtype: "float32" }, (g, x) =>
      g.unary("Softmax", g.cast(x, "float32"), { axis: dim }),
    ),
  ),
  FusedBatchNorm: kernel<FusedBatchNormInputs, FusedBatchNormAttrs>(({ inputs, attrs, backend }) => {
    const { x, mean, variance, offset, scale } = inputs;
    const epsilon = attrs.varianceEpsilon ?? 0.001;
    const list = [x, mean, variance, ...(offset ? [offset] : []), ...(scale ? [scale] : [])];
    return backend.record(
      "FusedBatchNorm",
      [epsilon, !!offset, !!scale],
      list,
      { shape: x.shape, dtype: "float32" },
      (g, v, m, s, ...rest) => {
        const [shift] = offset ? rest.splice(0, 1) : [];
        const [gain] = rest;
        const factor = factorOf(g, gain ?? g.scalar(1), s, epsilon);
        const moved = g.binary("Mul", m, factor);
        const added = shift ? g.binary("Sub", shift, moved) : g.unary("Neg", moved);
        return scaledAndShifted(g, v, factor, added);
      },
    );
  }),
  BatchNormFactor: kernel<{ scale: TensorInfo; variance: TensorInfo }, { readonly epsilon: number }>(
    ({ inputs: { scale, variance }, attrs: { epsilon }, backend }) =>
      backend.record("BatchNormFactor", epsilon, [scale, variance], { shape: variance.shape, dtype: "float32" }, (g, gain, v) =>
        factorOf(g, gain, v, epsilon),
      ),
  ),
  LRN: kernel<LRNInputs, LRNAttrs>(({ inputs: { x }, attrs, backend }) =>
    backend.record("LRN", attrs, [x], { shape: x.shape, dtype: x.dtype }, (g, v) =>
      g.binary("Mul", v, g.binary("Pow", scaleOf(g, v, attrs), g.scalar(-attrs.beta))),
    ),
  ),
  LRNGrad: kernel<LRNGradInputs, LRNAttrs>(({ inputs: { x, y, dy }, attrs, backend }) =>
    backend.record("LRNGrad", attrs, [x, y, dy], { shape: x.shape, dtype: dy.dtype }, (g, v, out, d) => {
      const scale = scaleOf(g, v, attrs);
      const direct = g.binary("Mul", d, g.binary("Pow", scale, g.scalar(-attrs.beta)));
      const shares = g.matmul(g.binary("Div", g.binary("Mul", d, out), scale), band(g, v.shape.at(-1) ?? 1, attrs.depthRadius));
      return g.binary("Sub", direct, g.binary("Mul", g.binary("Mul", v, shares), g.scalar(2 * attrs.alpha * attrs.beta)));
    }),
  ),
  Einsum: kernel<EinsumInputs, EinsumAttrs>(({ inputs, attrs: { equation }, backend }) => {
    const list = Object.values(inputs);
    const { allDims, idDims } = backend_util.decodeEinsumEquation(equation, list.length);
    backend_util.checkEinsumDimSizes(allDims.length, idDims, list as never);
    const sizes = new Map<string, number>();
    const [left = "", right = ""] = equation.replace(/\s/g, "").split("->");
    for (const [i, term] of left.split(",").entries())
      for (const [d, letter] of [...term].entries()) sizes.set(letter, list[i]?.shape[d] ?? 1);
    const shape = [...right].map((letter) => sizes.get(letter) ?? 1);
    const dtype = list[0]?.dtype === "bool" ? "int32" : (list[0]?.dtype ?? "float32");
    return backend.record("Einsum", equation, list, { shape, dtype }, (g, ...values) => {
      const operands = values.map((value) => numeric(g, value));
      return g.op("Einsum", operands, shape, operands[0]?.dtype ?? "float32", { equation: equation.replace(/\s/g, "") });
    });
  }),
};
