import {
  backend_util,
  type DepthwiseConv2dNativeAttrs,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropFilterInputs,
  type DepthwiseConv2dNativeBackpropInputAttrs,
  type DepthwiseConv2dNativeBackpropInputInputs,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import type { Affine, Graph, Value } from "../graph.ts";
import { activate, type Fused } from "./activation.ts";
import { blockedDepthwise, spreadInBlocks } from "./blocked.ts";
import { planeAxes, transposed, withFactor } from "./conv.ts";
import { patches } from "./filterGradient.ts";
import { turnedFilter } from "./filters.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { type Axis, axesKey, channelsFirst, channelsLast, extent, windowAttributes } from "./window.ts";

type Shape4 = [number, number, number, number];
type Settings = Pick<DepthwiseConv2dNativeAttrs, "strides" | "pad"> & Partial<DepthwiseConv2dNativeAttrs>;
type FusedAttributes = Settings & { activation?: string; leakyreluAlpha?: number };

function infoOf(input: readonly number[], filter: readonly number[], { strides, dilations, pad, dimRoundingMode }: Settings) {
  const info = backend_util.computeConv2DInfo(
    [...input] as Shape4,
    [...filter] as Shape4,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  );
  return { axes: planeAxes(info), shape: info.outShape };
}

/** [kh,kw,C,M] → [C·M,1,kh,kw]: one group a channel. */
const grouped = (g: Graph, w: Value): Value => {
  const [kh = 1, kw = 1, channels = 1, multiplier = 1] = w.shape;
  return g.reshape(g.transpose(w, [2, 3, 0, 1]), [channels * multiplier, 1, kh, kw]);
};

function convolve(backend: OnnxBackend, inputs: Fused<"x" | "filter">, attrs: FusedAttributes): TensorInfo {
  const { x, filter, bias, preluActivationWeights: prelu } = inputs;
  const { activation = "linear", leakyreluAlpha } = attrs;
  const { axes, shape } = infoOf(x.shape, filter.shape, attrs);
  const list = [x, filter, ...(bias ? [bias] : []), ...(prelu ? [prelu] : [])];
  const key = [axesKey(axes), !!bias, !!prelu, activation, leakyreluAlpha];
  return backend.record("DepthwiseConv2d", key, list, { shape, dtype: "float32" }, (g, v, w, ...rest) => {
    const [shift] = bias ? rest.splice(0, 1) : [];
    const out = [shape[0], shape[3], shape[1], shape[2]];
    const attributes = { ...windowAttributes(axes), group: x.shape[3] ?? 1 };
    const plain = (kernels: Value, added?: Value): Value => {
      const convolution = g.op("Conv", [channelsFirst(g, v), grouped(g, kernels), added], out, "float32", attributes);
      return channelsLast(g, convolution);
    };
    const convolved = (kernels: Value, added?: Value): Value => blockedDepthwise(g, v, kernels, axes, added) ?? plain(kernels, added);
    const affine: Affine = (factor, added) => convolved(g.binary("Mul", w, g.reshape(factor, w.shape.slice(2))), added);
    const result = { ...convolved(w), affine: w.constant ? affine : undefined };
    return activate(g, shift ? g.binary("Add", result, shift) : result, activation, rest[0], leakyreluAlpha);
  });
}

/**
 * Gradient with respect to x [N,H,W,C]. With one output per channel it is a convolution with the kernel turned by 180°, of dy with zeros in
 * between where the stride is larger than 1.
 */
function inputGradient(g: Graph, gradient: Value, filter: Value, axes: readonly [Axis, Axis]): Value {
  const [, , channels = 1, multiplier = 1] = filter.shape;
  const [dy, w] = withFactor(g, gradient, filter, [channels, multiplier]);
  const strides = axes.map((a) => a.stride) as [number, number];
  const isStrided = strides.some((stride) => stride > 1);
  // Zeros follow the last element of dy too: with a kernel that is no longer than the stride they can be more than the input has room for.
  const fits = axes.every((a) => extent(a) - 1 - a.before >= 0 && a.input + a.before >= a.output * a.stride);
  const isTurned = multiplier === 1 && fits && (!isStrided || (g.block > 0 && channels % g.block === 0));
  if (!isTurned) return channelsLast(g, transposed(g, channelsFirst(g, dy), grouped(g, w), axes, channels, channels));
  const mirrored = axes.map(
    (a): Axis => ({ ...a, stride: 1, before: extent(a) - 1 - a.before, input: a.output * a.stride, output: a.input }),
  );
  const turned = turnedFilter(g, w);
  const source = isStrided ? spreadInBlocks(g, dy, strides) : dy;
  const blocked = blockedDepthwise(g, source, turned, mirrored);
  if (blocked) return blocked;
  const shape = [dy.shape[0] ?? 1, channels, ...mirrored.map((a) => a.output)];
  const attributes = { ...windowAttributes(mirrored), group: channels };
  return channelsLast(g, g.op("Conv", [channelsFirst(g, dy), grouped(g, turned)], shape, "float32", attributes));
}

function filterGradient(g: Graph, x: Value, dy: Value, axes: readonly Axis[]): Value {
  const [n = 1, rows = 1, columns = 1, outputs = 1] = dy.shape;
  const channels = x.shape[3] ?? 1;
  const multiplier = outputs / channels;
  const gradient = g.reshape(dy, [n, rows, columns, channels, multiplier]);
  const sums = patches(g, x, axes).map((part) => {
    const product = g.binary("Mul", g.reshape(part, [n, rows, columns, channels, 1]), gradient);
    return g.reshape(g.reduce("ReduceSum", product, [0, 1, 2]), [1, channels, multiplier]);
  });
  return g.reshape(g.concat(sums, 0), [...axes.map((a) => a.kernel), channels, multiplier]);
}

export const depthwise: Kernels = {
  DepthwiseConv2dNative: kernel<Fused<"x" | "filter">, Settings>(({ inputs: { x, filter }, attrs, backend }) =>
    convolve(backend, { x, filter }, attrs),
  ),
  FusedDepthwiseConv2D: kernel<Fused<"x" | "filter">, FusedAttributes>(({ inputs, attrs, backend }) => convolve(backend, inputs, attrs)),
  DepthwiseConv2dNativeBackpropInput: kernel<DepthwiseConv2dNativeBackpropInputInputs, DepthwiseConv2dNativeBackpropInputAttrs>(
    ({ inputs: { dy, filter }, attrs, backend }) => {
      const { axes } = infoOf(attrs.inputShape, filter.shape, attrs);
      return backend.record(
        "DepthwiseBackpropInput",
        axesKey(axes),
        [dy, filter],
        { shape: attrs.inputShape, dtype: "float32" },
        (g, d, w) => inputGradient(g, d, w, axes),
      );
    },
  ),
  DepthwiseConv2dNativeBackpropFilter: kernel<DepthwiseConv2dNativeBackpropFilterInputs, DepthwiseConv2dNativeBackpropFilterAttrs>(
    ({ inputs: { x, dy }, attrs, backend }) => {
      const { axes } = infoOf(x.shape, attrs.filterShape, attrs);
      return backend.record("DepthwiseBackpropFilter", axesKey(axes), [x, dy], { shape: attrs.filterShape, dtype: "float32" }, (g, v, d) =>
        filterGradient(g, v, d, axes),
      );
    },
  ),
};
