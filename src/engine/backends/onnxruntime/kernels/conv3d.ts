import {
  backend_util,
  type Conv3DAttrs,
  type Conv3DBackpropFilterV2Attrs,
  type Conv3DBackpropFilterV2Inputs,
  type Conv3DBackpropInputV2Attrs,
  type Conv3DBackpropInputV2Inputs,
  type Conv3DInputs,
} from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { foldDepth, folded, unfolded } from "./blocked.ts";
import { byColumns, conv2d, conv2dInputGradient, planeAxes } from "./conv.ts";
import { convBySpans, filterGradientBySlices } from "./depth.ts";
import { conv2dFilterGradient } from "./filterGradient.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { type Axis, axesKey, window } from "./window.ts";

type Shape5 = [number, number, number, number, number];
type Axes = readonly [Axis, Axis, Axis];

function infoOf(
  input: readonly number[],
  filter: readonly number[],
  attrs: Pick<Conv3DAttrs, "strides" | "pad"> & { dilations?: Conv3DAttrs["dilations"] },
) {
  const { strides, dilations = 1, pad } = attrs;
  const info = backend_util.computeConv3DInfo([...input] as Shape5, [...filter] as Shape5, strides, dilations, pad);
  const depth: Axis = {
    kernel: info.filterDepth,
    stride: info.strideDepth,
    dilation: info.dilationDepth,
    before: info.padInfo.front,
    input: info.inDepth,
    output: info.outDepth,
  };
  const axes: Axes = [depth, ...planeAxes(info as unknown as backend_util.Conv2DInfo)];
  return { axes, shape: info.outShape };
}

/** The opposite for a gradient: [N·OD,H,W,kd·C] is summed back to [N,D,H,W,C]. */
function unfoldDepth(g: Graph, folded: Value, depth: Axis, shape: readonly number[]): Value {
  const [n = 1, d = 1, h = 1, w = 1, c = 1] = shape;
  const parts = g.reshape(folded, [n, depth.output, h, w, depth.kernel * c]);
  const spaced = (depth.output - 1) * depth.stride + 1;
  let sum: Value | undefined;
  for (let i = 0; i < depth.kernel; i++) {
    let part = g.slice(parts, [0, 0, 0, 0, i * c], [n, depth.output, h, w, c]);
    if (depth.stride > 1) {
      const apart = g.pad(g.reshape(part, [n, depth.output, 1, h, w, c]), [
        [0, 0],
        [0, 0],
        [0, depth.stride - 1],
        [0, 0],
        [0, 0],
        [0, 0],
      ]);
      part = g.slice(g.reshape(apart, [n, depth.output * depth.stride, h, w, c]), [0, 0, 0, 0, 0], [n, spaced, h, w, c]);
    }
    part = window(g, part, 1, depth.before - i * depth.dilation, d);
    sum = sum ? g.binary("Add", sum, part) : part;
  }
  if (!sum) throw new Error("a kernel has at least one slice");
  return sum;
}
/** [kd,kh,kw,Cin,Cout] → [kh,kw,kd·Cin,Cout], to match foldDepth. */
const foldFilter = (g: Graph, w: Value): Value => {
  const [kd = 1, kh = 1, kw = 1, ci = 1, co = 1] = w.shape;
  return g.reshape(g.transpose(w, [1, 2, 0, 3, 4]), [kh, kw, kd * ci, co]);
};

function conv3d(g: Graph, x: Value, w: Value, axes: Axes): Value {
  const [depth, rows, columns] = axes;
  const filter = foldFilter(g, w);
  return convBySpans(g, x, filter, axes) ?? unfolded(g, conv2d(g, foldDepth(g, x, depth), filter, [rows, columns]), depth.output);
}

function inputGradient(g: Graph, dy: Value, w: Value, axes: Axes, shape: readonly number[]): Value {
  const [depth, rows, columns] = axes;
  const mirror = (a: Axis): Axis => ({ ...a, before: a.kernel - 1 - a.before, input: a.output, output: a.input });
  if (axes.every((a) => a.stride === 1 && a.kernel - 1 - a.before >= 0)) {
    const begin = [...axes.map((a) => a.kernel - 1), 0, 0];
    const flipped = g.slice(w, begin, w.shape, [-1, -1, -1, 1, 1]);
    const filter = g.transpose(flipped, [0, 1, 2, 4, 3]);
    const mirrored: Axes = [mirror(depth), mirror(rows), mirror(columns)];
    return byColumns(g, filter, mirrored, (part, along) => conv3d(g, dy, part, along as Axes)) ?? conv3d(g, dy, filter, mirrored);
  }
  const flat = g.reshape(dy, [(dy.shape[0] ?? 1) * depth.output, rows.output, columns.output, dy.shape[4] ?? 1]);
  return unfoldDepth(g, conv2dInputGradient(g, flat, foldFilter(g, w), [rows, columns]), depth, shape);
}

function filterGradient(g: Graph, x: Value, dy: Value, axes: Axes): Value {
  const bySlices = filterGradientBySlices(g, x, dy, axes);
  if (bySlices) return bySlices;
  const [depth, rows, columns] = axes;
  const [ci, co] = [x.shape[4] ?? 1, dy.shape[4] ?? 1];
  const stacked = conv2dFilterGradient(g, foldDepth(g, x, depth), folded(g, dy), [rows, columns]);
  return g.transpose(g.reshape(stacked, [rows.kernel, columns.kernel, depth.kernel, ci, co]), [2, 0, 1, 3, 4]);
}

export const convolution3d: Kernels = {
  Conv3D: kernel<Conv3DInputs, Conv3DAttrs>(({ inputs: { x, filter }, attrs, backend }) => {
    const { axes, shape } = infoOf(x.shape, filter.shape, attrs);
    return backend.record("Conv3D", axesKey(axes), [x, filter], { shape, dtype: "float32" }, (g, v, w) => conv3d(g, v, w, axes));
  }),
  Conv3DBackpropInputV2: kernel<Conv3DBackpropInputV2Inputs, Conv3DBackpropInputV2Attrs>(({ inputs: { dy, filter }, attrs, backend }) => {
    const { axes } = infoOf(attrs.inputShape, filter.shape, attrs);
    return backend.record("Conv3DBackpropInput", axesKey(axes), [dy, filter], { shape: attrs.inputShape, dtype: "float32" }, (g, d, w) =>
      inputGradient(g, d, w, axes, attrs.inputShape),
    );
  }),
  Conv3DBackpropFilterV2: kernel<Conv3DBackpropFilterV2Inputs, Conv3DBackpropFilterV2Attrs>(({ inputs: { x, dy }, attrs, backend }) => {
    const { axes } = infoOf(x.shape, attrs.filterShape, attrs);
    return backend.record("Conv3DBackpropFilter", axesKey(axes), [x, dy], { shape: attrs.filterShape, dtype: "float32" }, (g, v, d) =>
      filterGradient(g, v, d, axes),
    );
  }),
};
