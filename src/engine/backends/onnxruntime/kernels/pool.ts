import { backend_util, type MaxPool3DAttrs, type MaxPoolAttrs, type TensorInfo, util } from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import { type Graph, sizeOf, type Value } from "../graph.ts";
import { blockedMaxPool, folded, unfolded } from "./blocked.ts";
import { planeAxes, transposed } from "./conv.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { noteMasked } from "./mask.ts";
import { firstMaxima, isTiling } from "./maxima.ts";
import { type Axis, after, axesKey, channelsFirst, channelsLast, window, windowAttributes } from "./window.ts";

type Attributes = Partial<MaxPoolAttrs & MaxPool3DAttrs>;
interface Info {
  readonly axes: readonly Axis[];
  readonly shape: readonly number[];
}

function infoOf(x: readonly number[], attrs: Attributes): Info {
  const { filterSize = 1, strides = 1, pad = "valid", dimRoundingMode } = attrs;
  if (x.length === 4) {
    const info = backend_util.computePool2DInfo(
      [...x] as [number, number, number, number],
      filterSize as number,
      strides as number,
      1,
      pad,
      dimRoundingMode,
    );
    return { axes: planeAxes(info), shape: info.outShape };
  }
  const shape5 = [...x] as [number, number, number, number, number];
  const info = backend_util.computePool3DInfo(shape5, filterSize as number, strides as number, 1, pad as "same", dimRoundingMode, "NDHWC");
  const depth: Axis = {
    kernel: info.filterDepth,
    stride: info.strideDepth,
    dilation: 1,
    before: info.padInfo.front,
    input: info.inDepth,
    output: info.outDepth,
  };
  return { axes: [depth, ...planeAxes(info as unknown as backend_util.Conv2DInfo)], shape: info.outShape };
}

/** Pooling attributes; average pooling knows no dilation in this operator set. */
const poolAttributes = (axes: readonly Axis[]) => {
  const { kernel_shape, strides, pads } = windowAttributes(axes);
  return { kernel_shape, strides, pads };
};

const pool = (type: "MaxPool" | "AveragePool") =>
  kernel<{ x: TensorInfo }, Attributes>(({ inputs: { x }, attrs, backend }) => {
    const { axes, shape } = infoOf(x.shape, attrs);
    if (axes.every((a) => a.kernel === 1) && util.arraysEqual(x.shape, [...shape])) return backend.alias(x, x.shape);
    const dtype = type === "MaxPool" ? x.dtype : "float32";
    return backend.record(type, axesKey(axes), [x], { shape, dtype }, (g, v) => {
      // float64 holds every int32.
      const source = g.cast(v, type === "MaxPool" && v.dtype !== "float32" ? "float64" : "float32");
      const inside = axes.every((a) => a.before < a.kernel && after(a) < a.kernel);
      const pooled = inside ? windows(g, source, axes, type) : farPadded(g, source, axes, type);
      return type === "MaxPool" ? g.cast(pooled, v.dtype) : pooled;
    });
  });

const isSliceWise = (depth: Axis): boolean => depth.kernel === 1 && depth.stride === 1 && depth.output === depth.input;

function windows(g: Graph, x: Value, axes: readonly Axis[], type: string): Value {
  const [depth, ...plane] = axes;
  // A window of depth one sees each slice by itself.
  if (axes.length === 3 && depth && isSliceWise(depth)) return unfolded(g, windows(g, folded(g, x), plane, type), depth.output);
  const blocked = type === "MaxPool" && axes.length === 2 ? blockedMaxPool(g, x, axes) : undefined;
  if (blocked) return blocked;
  const out = [x.shape[0] ?? 1, x.shape.at(-1) ?? 1, ...axes.map((a) => a.output)];
  return channelsLast(g, g.op(type, [channelsFirst(g, x)], out, x.dtype, poolAttributes(axes)));
}

/** Some windows may lie wholly in the padding, which onnxruntime refuses: their maximum is -∞ and their mean 0. */
function farPadded(g: Graph, x: Value, axes: readonly Axis[], type: string): Value {
  const pads = [[0, 0] as const, ...axes.map((a) => [a.before, after(a)] as const), [0, 0] as const];
  const inside = axes.map((a): Axis => ({ ...a, before: 0, input: a.before + a.input + after(a) }));
  const pooled = windows(g, g.pad(x, pads, type === "MaxPool" ? Number.NEGATIVE_INFINITY : 0), inside, type);
  if (type === "MaxPool") return pooled;
  const area = axes.reduce((product, a) => product * a.kernel, 1);
  return g.binary("Div", g.binary("Mul", pooled, g.scalar(area)), counts(g, axes));
}

const isDisjoint = (axes: readonly Axis[]): boolean => axes.every((a) => a.stride === a.kernel);

/** Every output's value laid over its whole window and summed where windows overlap: [N,…out,C] → [N,…in,C]. */
function spread(g: Graph, v: Value, axes: readonly Axis[], inputShape: readonly number[]): Value {
  const [batch = 1, channels = 1] = [inputShape[0], inputShape.at(-1)];
  if (isDisjoint(axes)) {
    const apart = [batch, ...axes.flatMap((a) => [a.output, 1]), channels];
    const wide = [batch, ...axes.flatMap((a) => [a.output, a.kernel]), channels];
    let out = g.reshape(g.expand(g.reshape(v, apart), wide), [batch, ...axes.map((a) => a.output * a.kernel), channels]);
    for (const [i, a] of axes.entries()) out = window(g, out, i + 1, a.before, a.input);
    return out;
  }
  const flat = g.reshape(channelsFirst(g, v), [batch * channels, 1, ...axes.map((a) => a.output)]);
  const ones = g.expand(g.scalar(1), [1, 1, ...axes.map((a) => a.kernel)]);
  const out = transposed(g, flat, ones, axes, 1, 1);
  return channelsLast(g, g.reshape(out, [batch, channels, ...axes.map((a) => a.input)]));
}

/** How many real elements each window holds, at least one, [1,…out,1]. */
function counts(g: Graph, axes: readonly Axis[]): Value {
  let values = [1];
  for (const a of axes) {
    const inside = Array.from({ length: a.output }, (_, o) => {
      const begin = o * a.stride - a.before;
      return Math.max(1, Math.min(begin + a.kernel, a.input) - Math.max(begin, 0));
    });
    values = values.flatMap((value) => inside.map((n) => value * n));
  }
  const shape = [1, ...axes.map((a) => a.output), 1];
  return g.initializer(shape, "float32", Float32Array.from(values));
}

const averageGradient = (backend: OnnxBackend, dy: TensorInfo, input: TensorInfo, attrs: Attributes): TensorInfo => {
  const { axes } = infoOf(input.shape, attrs);
  return backend.record("AvgPoolGrad", axesKey(axes), [dy], { shape: input.shape, dtype: "float32" }, (g, d) =>
    spread(g, g.binary("Div", d, counts(g, axes)), axes, input.shape),
  );
};

/** dy goes to the first maximum of each window in raster order, as on the cpu backend. */
function maxGradient(backend: OnnxBackend, { dy, input, output }: MaxInputs, attrs: Attributes): TensorInfo {
  const { axes } = infoOf(input.shape, attrs);
  return backend.record("MaxPoolGrad", axesKey(axes), [dy, input, output], { shape: input.shape, dtype: "float32" }, (g, d, x, y) => {
    const spreadOut = (from: Value): Value => routed(g, from, x, y, axes);
    return noteMasked(g, spreadOut(d), x, d, y, spreadOut);
  });
}

function routed(g: Graph, d: Value, x: Value, y: Value, axes: readonly Axis[]): Value {
  const [depth, ...plane] = axes;
  if (axes.length === 3 && depth && isSliceWise(depth) && isTiling(plane))
    return unfolded(g, firstMaxima(g, folded(g, d), folded(g, x), folded(g, y), plane), depth.output);
  if (isTiling(axes)) return firstMaxima(g, d, x, y, axes);
  const [batch = 1, channels = 1] = [x.shape[0], x.shape.at(-1)];
  const out = [batch, channels, ...axes.map((a) => a.output)];
  const ports = [
    { shape: out, dtype: "float32" as const },
    { shape: out, dtype: "int64" as const },
  ];
  const [, indices] = g.emit("MaxPool", [channelsFirst(g, x)], ports, poolAttributes(axes));
  if (!indices) throw new Error("MaxPool has two results");
  const total = sizeOf(x.shape);
  const zeros = g.expand(g.scalar(0), [total]);
  const updates = g.reshape(channelsFirst(g, d), [sizeOf(out)]);
  const flat = g.op("ScatterElements", [zeros, g.reshape(indices, [sizeOf(out)]), updates], [total], "float32", {
    axis: 0,
    reduction: "add",
  });
  return channelsLast(g, g.reshape(flat, [batch, channels, ...axes.map((a) => a.input)]));
}

type GradientInputs = { dy: TensorInfo; input: TensorInfo };
type MaxInputs = GradientInputs & { output: TensorInfo };
const average = kernel<GradientInputs, Attributes>(({ inputs, attrs, backend }) =>
  averageGradient(backend, inputs.dy, inputs.input, attrs),
);
const maximum = kernel<MaxInputs, Attributes>(({ inputs, attrs, backend }) => maxGradient(backend, inputs, attrs));

export const pooling: Kernels = {
  MaxPool: pool("MaxPool"),
  MaxPool3D: pool("MaxPool"),
  AvgPool: pool("AveragePool"),
  AvgPool3D: pool("AveragePool"),
  MaxPoolGrad: maximum,
  MaxPool3DGrad: maximum,
  AvgPoolGrad: average,
  AvgPool3DGrad: average,
};
