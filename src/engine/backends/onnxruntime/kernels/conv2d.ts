import {
  backend_util,
  type Conv2DAttrs,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropFilterInputs,
  type Conv2DBackpropInputAttrs,
  type Conv2DBackpropInputInputs,
  type Conv2DInputs,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import type { Graph, Value } from "../graph.ts";
import { activate, type Fused } from "./activation.ts";
import { conv2d, conv2dInputGradient, planeAxes } from "./conv.ts";
import { conv2dFilterGradient } from "./filterGradient.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { axesKey, channelsFirst, channelsLast } from "./window.ts";

type Shape4 = [number, number, number, number];
type Settings = Omit<Conv2DAttrs, "dilations"> & { dilations?: Conv2DAttrs["dilations"] };

function infoOf(input: readonly number[], filter: readonly number[], attrs: Settings): backend_util.Conv2DInfo {
  const format = backend_util.convertConv2DDataFormat(attrs.dataFormat);
  const { strides, dilations = 1, pad, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    [...input] as Shape4,
    [...filter] as Shape4,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    false,
    format,
  );
}
const isFirst = (info: backend_util.Conv2DInfo): boolean => info.dataFormat === "channelsFirst";
const inner = (g: Graph, x: Value, first: boolean): Value => (first ? channelsLast(g, x) : x);
const outer = (g: Graph, x: Value, first: boolean): Value => (first ? channelsFirst(g, x) : x);

type FusedAttributes = Settings & { activation?: string; leakyreluAlpha?: number };
function convolve(backend: OnnxBackend, inputs: Fused<"x" | "filter">, attrs: FusedAttributes): TensorInfo {
  const { x, filter, bias, preluActivationWeights: prelu } = inputs;
  const { activation = "linear", leakyreluAlpha } = attrs;
  const info = infoOf(x.shape, filter.shape, attrs);
  const [axes, first] = [planeAxes(info), isFirst(info)];
  const list = [x, filter, ...(bias ? [bias] : []), ...(prelu ? [prelu] : [])];
  const key = [axesKey(axes), first, !!bias, !!prelu, activation, leakyreluAlpha];
  return backend.record("Conv2D", key, list, { shape: info.outShape, dtype: "float32" }, (g, v, w, ...rest) => {
    const [shift] = bias ? rest.splice(0, 1) : [];
    const flat = shift && shift.shape.length === 1 ? shift : undefined;
    const raw = outer(g, conv2d(g, inner(g, v, first), w, axes, flat), first);
    const shifted = shift && !flat ? g.binary("Add", raw, shift) : raw;
    const [slope] = rest;
    const perChannel = slope && first && slope.shape.length === 1 ? g.reshape(slope, [slope.shape[0] ?? 1, 1, 1]) : slope;
    return activate(g, shifted, activation, perChannel, leakyreluAlpha);
  });
}

export const convolution2d: Kernels = {
  Conv2D: kernel<Conv2DInputs, Conv2DAttrs>(({ inputs, attrs, backend }) =>
    convolve(backend, { x: inputs.x, filter: inputs.filter }, attrs),
  ),
  FusedConv2D: kernel<Fused<"x" | "filter">, FusedAttributes>(({ inputs, attrs, backend }) => convolve(backend, inputs, attrs)),
  Conv2DBackpropInput: kernel<Conv2DBackpropInputInputs, Conv2DBackpropInputAttrs>(({ inputs: { dy, filter }, attrs, backend }) => {
    const info = infoOf(attrs.inputShape, filter.shape, attrs);
    const [axes, first] = [planeAxes(info), isFirst(info)];
    return backend.record(
      "Conv2DBackpropInput",
      [axesKey(axes), first],
      [dy, filter],
      { shape: info.inShape, dtype: "float32" },
      (g, d, w) => outer(g, conv2dInputGradient(g, inner(g, d, first), w, axes), first),
    );
  }),
  Conv2DBackpropFilter: kernel<Conv2DBackpropFilterInputs, Conv2DBackpropFilterAttrs>(({ inputs: { x, dy }, attrs, backend }) => {
    const info = infoOf(x.shape, attrs.filterShape, attrs);
    const [axes, first] = [planeAxes(info), isFirst(info)];
    const result = { shape: attrs.filterShape, dtype: "float32" as const };
    return backend.record("Conv2DBackpropFilter", [axesKey(axes), first], [x, dy], result, (g, v, d) =>
      conv2dFilterGradient(g, inner(g, v, first), inner(g, d, first), axes),
    );
  }),
};
