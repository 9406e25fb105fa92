import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type Graph, sizeOf, type Value } from "../graph.ts";
import { blockedDomain } from "../nchwc.ts";
import { fromBlocks } from "./blocked.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { blockedDot, blockedMean } from "./perImage.ts";
import { perChannel } from "./reduce.ts";

/*
 * Batch normalisation with the statistics of the batch, over all axes of x [..., C] but the last; see gradients/batchNorm.ts for the
 * formulas. In onnxruntime's blocked layout, a depthwise convolution of kernel 1 scales and shifts every channel, adds another tensor and
 * rectifies in one pass, and one whose kernel is the whole plane is a sum of products.
 */

/** Per-channel arithmetic in one of the two layouts. All coefficients and sums are [C]. */
interface Layout {
  /** x in this layout; undefined where it is not available. */
  readonly of: (x: Value) => Value | undefined;
  readonly sum: (v: Value) => Value;
  readonly dot: (a: Value, b: Value) => Value;
  /** factor·v + shift + addend. */
  readonly affine: (v: Value, factor: Value, shift: Value | undefined, addend?: Value) => Value;
  readonly shifted: (v: Value, shift: Value) => Value;
  readonly result: (v: Value, shape: readonly number[]) => Value;
}

const plain = (g: Graph): Layout => ({
  of: (x) => x,
  sum: (v) => perChannel(g, v),
  dot: (a, b) => perChannel(g, g.binary("Mul", a, b)),
  affine(v, factor, shift, addend) {
    const scaled = g.binary("Mul", v, factor);
    const moved = shift ? g.binary("Add", scaled, shift) : scaled;
    return addend ? g.binary("Add", moved, addend) : moved;
  },
  shifted: (v, shift) => g.binary("Add", v, shift),
  result: (v, shape) => g.reshape(v, shape),
});

const pointwise = { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };

/** On blocks [N,C,H,W] of that shape. */
function inBlocks(g: Graph, shape: readonly number[]): Layout {
  const [n = 1, channels = 1, ...plane] = shape;
  const positions = sizeOf(plane);
  const total = (partial: Value): Value => g.reduce("ReduceSum", g.reshape(partial, [n, channels]), [0]);
  const affine: Layout["affine"] = (v, factor, shift, addend) =>
    g.op(
      "Conv",
      [v, g.reshape(factor, [channels, 1, 1, 1]), shift, addend],
      shape,
      "float32",
      { ...pointwise, group: channels },
      blockedDomain,
    );
  return {
    of(x) {
      const known = g.noted("blocked", x);
      if (known?.shape.join() === shape.join()) return known;
      const [a, h, w, c] = x.shape;
      if (x.shape.length !== 4 || [a, c, h, w].join() !== shape.join()) return undefined;
      return g.op("ReorderInput", [x], shape, "float32", { channels_last: 1 }, blockedDomain);
    },
    sum: (v) => g.binary("Mul", total(blockedMean(g, v)), g.scalar(positions)),
    dot: (a, b) => total(blockedDot(g, a, b)),
    affine,
    shifted: (v, shift) => affine(v, g.expand(g.scalar(1), [channels]), shift),
    result(v, wanted) {
      const unblocked = g.reshape(fromBlocks(g, v), wanted);
      g.note("conv", unblocked, v); // so that a following ReLU can be fused
      return unblocked;
    },
  };
}

/** The layout of x, and x in that layout. */
function layoutOf(g: Graph, x: Value): { on: Layout; v: Value } {
  const known = g.noted("blocked", x);
  if (!known || known.shape[1] !== x.shape.at(-1)) return { on: plain(g), v: x };
  return { on: inBlocks(g, known.shape), v: known };
}

const rootOf = (g: Graph, variance: Value, epsilon: number): Value =>
  g.unary("Reciprocal", g.unary("Sqrt", g.binary("Add", variance, g.scalar(epsilon))));

const product = (g: Graph, first: Value, ...rest: readonly Value[]): Value => rest.reduce((a, b) => g.binary("Mul", a, b), first);

/** Two passes: the mean, then the mean square of the centred values. The gradient uses the centred values instead of x. */
function normalise(g: Graph, x: Value, gamma: Value, beta: Value, epsilon: number): Value[] {
  const { on, v } = layoutOf(g, x);
  const count = g.scalar(sizeOf(x.shape) / (gamma.shape[0] ?? 1));
  const mean = g.binary("Div", on.sum(v), count);
  const centred = on.shifted(v, g.unary("Neg", mean));
  const variance = g.binary("Div", on.dot(centred, centred), count);
  g.note(`centred on ${mean.name}`, x, centred);
  const y = on.affine(centred, product(g, gamma, rootOf(g, variance, epsilon)), beta);
  return [on.result(y, x.shape), mean, variance];
}

/** dx = γs·(dy − Σdy/M − c·s²·Σ(dy·c)/M) + dμ/M + 2c·dv/M with c = x − μ and s = 1/√(v + ε); dγ = s·Σ(dy·c); dβ = Σdy. */
function gradient(g: Graph, inputs: readonly Value[], epsilon: number): Value[] {
  const [x, gamma, mean, variance, dy, dMean, dVariance] = inputs as [Value, Value, Value, Value, Value, Value, Value];
  let { on, v } = layoutOf(g, x);
  let d = on.of(dy);
  if (!d) [on, v, d] = [plain(g), x, dy];
  const centred = (v === x ? undefined : g.noted(`centred on ${mean.name}`, x)) ?? on.shifted(v, g.unary("Neg", mean));
  const part = g.scalar(gamma.shape.reduce((a, b) => a * b, 1) / sizeOf(x.shape));
  const s = rootOf(g, variance, epsilon);
  const [sum, moment] = [on.sum(d), on.dot(d, centred)];
  const slope = product(g, gamma, s);
  const fromMean = product(g, g.binary("Sub", dMean, product(g, slope, sum)), part);
  const fromVariance = product(g, g.binary("Sub", g.binary("Mul", dVariance, g.scalar(2)), product(g, slope, s, s, moment)), part);
  const dx = on.affine(centred, fromVariance, undefined, on.affine(d, slope, fromMean));
  return [on.result(dx, x.shape), product(g, moment, s), sum];
}

interface Attributes {
  readonly epsilon: number;
}
type ForwardInputs = { x: TensorInfo; gamma: TensorInfo; beta: TensorInfo };
type BackwardInputs = Omit<ForwardInputs, "beta"> & {
  mean: TensorInfo;
  variance: TensorInfo;
  dy: TensorInfo;
  dMean: TensorInfo;
  dVariance: TensorInfo;
};
const result = ({ shape }: TensorInfo) => ({ shape, dtype: "float32" as const });

export const batchNorm: Kernels = {
  BatchNormTraining: kernel<ForwardInputs, Attributes>(({ inputs: { x, gamma, beta }, attrs: { epsilon }, backend }) =>
    backend.recordAll("BatchNormTraining", epsilon, [x, gamma, beta], [result(x), result(gamma), result(gamma)], (g, v, scale, shift) =>
      normalise(g, v, scale, shift, epsilon),
    ),
  ),
  BatchNormTrainingGrad: kernel<BackwardInputs, Attributes>(({ inputs, attrs: { epsilon }, backend }) => {
    const { x, gamma, mean, variance, dy, dMean, dVariance } = inputs;
    const list = [x, gamma, mean, variance, dy, dMean, dVariance];
    return backend.recordAll("BatchNormTrainingGrad", epsilon, list, [x, gamma, gamma].map(result), (g, ...values) =>
      gradient(g, values, epsilon),
    );
  }),
};
