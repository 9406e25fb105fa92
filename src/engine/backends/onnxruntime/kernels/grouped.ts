import { backend_util, type TensorInfo } from "@tensorflow/tfjs-core";
import type { GroupedAttributes } from "../../../gradients/index.ts";
import type { Graph, Value } from "../graph.ts";
import { blockedConv } from "./blocked.ts";
import { biasAfter, conv2d, conv2dInputGradient, plainConv, planeAxes, transposed, withFactor } from "./conv.ts";
import { conv2dFilterGradient } from "./filterGradient.ts";
import { scaledFilter, turnedFilter } from "./filters.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { stridedInputGradient } from "./strided.ts";
import { type Axis, axesKey, channelsFirst, channelsLast } from "./window.ts";

type Shape4 = [number, number, number, number];

/** Both axes of the plane, and the shape [N,OH,OW,O] of the result; `filter` is [kh,kw,C/groups,O]. */
function infoOf(input: readonly number[], filter: readonly number[], { strides, pad }: GroupedAttributes) {
  const whole = filter.with(2, input[3] ?? 1) as Shape4;
  const info = backend_util.computeConv2DInfo([...input] as Shape4, whole, [...strides], 1, pad);
  return { axes: planeAxes(info), shape: info.outShape };
}

/** Smallest number of groups whose channels and filters together fill whole blocks; 0 where there is none. `inputs` and `outputs` are those of one group. */
function together(g: Graph, inputs: number, outputs: number, groups: number): number {
  if (g.block === 0) return 0;
  for (let count = 1; count <= groups; count++)
    if (groups % count === 0 && (count * inputs) % g.block === 0 && (count * outputs) % g.block === 0) return count;
  return 0;
}

/** Merges the filters of each `count` groups: [kh,kw,count·I,O], with zeros where a group would see the channels of another. */
function widened(g: Graph, w: Value, groups: number, count: number): Value {
  if (count === 1) return w;
  const [kh = 1, kw = 1, inputs = 1, outputs = 1] = w.shape;
  const own = Float32Array.from({ length: count * count }, (_, i) => (Math.floor(i / count) === i % count ? 1 : 0));
  const mask = g.initializer([count, 1, 1, count, 1], "float32", own);
  const apart = g.reshape(w, [kh, kw, 1, inputs, groups / count, count, outputs / groups]);
  return g.reshape(g.binary("Mul", apart, mask), [kh, kw, count * inputs, outputs]);
}

/** Convolution of x [N,H,W,C] in groups with w [kh,kw,C/groups,O]; the bias [O] may be left out. */
function groupedConv(g: Graph, x: Value, w: Value, axes: readonly Axis[], groups: number, bias?: Value): Value {
  if (groups === 1) return conv2d(g, x, w, axes, bias);
  const count = together(g, w.shape[2] ?? 1, (w.shape[3] ?? 1) / groups, groups);
  const blocked = count > 0 ? blockedConv(g, x, widened(g, w, groups, count), axes, bias, groups / count) : undefined;
  const result = blocked ?? plainConv(g, x, w, axes, bias, groups);
  if (!w.constant || (bias && !bias.constant)) return result;
  return {
    ...result,
    affine: (factor, shift) => groupedConv(g, x, scaledFilter(g, w, factor), axes, groups, biasAfter(g, bias, factor, shift)),
  };
}

/** Within each group inputs and outputs exchanged: [kh,kw,C/groups,O] → [kh,kw,O/groups,C]. */
function exchanged(g: Graph, w: Value, groups: number): Value {
  const [kh = 1, kw = 1, inputs = 1, outputs = 1] = w.shape;
  const apart = g.reshape(w, [kh, kw, inputs, groups, outputs / groups]);
  return g.reshape(g.transpose(apart, [0, 1, 4, 3, 2]), [kh, kw, outputs / groups, groups * inputs]);
}

/** Gradient with respect to x [N,H,W,C]: a convolution with the kernel turned by 180°, and inputs and outputs of each group exchanged. */
function inputGradient(g: Graph, gradient: Value, filter: Value, axes: readonly Axis[], groups: number): Value {
  if (groups === 1) return conv2dInputGradient(g, gradient, filter, axes);
  const [dy, w] = withFactor(g, gradient, filter);
  if (axes.every((a) => a.stride === 1 && a.kernel - 1 - a.before >= 0)) {
    const mirrored = axes.map((a): Axis => ({ ...a, before: a.kernel - 1 - a.before, input: a.output, output: a.input }));
    return groupedConv(g, dy, exchanged(g, turnedFilter(g, w), groups), mirrored, groups);
  }
  const channels = groups * (w.shape[2] ?? 1);
  const alternating = stridedInputGradient(g, w, axes, channels, (part, along) =>
    groupedConv(g, dy, exchanged(g, turnedFilter(g, part), groups), along, groups),
  );
  return alternating ?? channelsLast(g, transposed(g, channelsFirst(g, dy), g.transpose(w, [3, 2, 0, 1]), axes, channels, groups));
}

/** Gradient with respect to w [kh,kw,C/groups,O]: that of a plain filter for `count` groups at a time, of which each group keeps its own part. */
function filterGradient(g: Graph, x: Value, dy: Value, axes: readonly Axis[], groups: number): Value {
  const kernel = axes.map((a) => a.kernel);
  const [inputs, outputs] = [(x.shape[3] ?? 1) / groups, (dy.shape[3] ?? 1) / groups];
  const count = Math.max(1, together(g, inputs, outputs, groups));
  const part = (value: Value, width: number, i: number): Value =>
    g.slice(value, [0, 0, 0, i * count * width], value.shape.with(3, count * width));
  const wide = Array.from({ length: groups / count }, (_, i) => conv2dFilterGradient(g, part(x, inputs, i), part(dy, outputs, i), axes));
  const own = wide.flatMap((one) =>
    Array.from({ length: count }, (_, i) => g.slice(one, [0, 0, i * inputs, i * outputs], [...kernel, inputs, outputs])),
  );
  return g.concat(own, 3);
}

type Of<Name extends string> = Record<Name, TensorInfo>;
export const grouped: Kernels = {
  GroupedConv2D: kernel<Of<"x" | "filter">, GroupedAttributes>(({ inputs: { x, filter }, attrs, backend }) => {
    const { axes, shape } = infoOf(x.shape, filter.shape, attrs);
    return backend.record("GroupedConv2D", [axesKey(axes), attrs.groups], [x, filter], { shape, dtype: "float32" }, (g, v, w) =>
      groupedConv(g, v, w, axes, attrs.groups),
    );
  }),
  GroupedConv2DBackpropInput: kernel<Of<"dy" | "filter">, GroupedAttributes & { readonly inputShape: Shape4 }>(
    ({ inputs: { dy, filter }, attrs, backend }) => {
      const { inputShape: shape, groups } = attrs;
      const { axes } = infoOf(shape, filter.shape, attrs);
      const key = [axesKey(axes), groups];
      return backend.record("GroupedConv2DBackpropInput", key, [dy, filter], { shape, dtype: "float32" }, (g, d, w) =>
        inputGradient(g, d, w, axes, groups),
      );
    },
  ),
  GroupedConv2DBackpropFilter: kernel<Of<"x" | "dy">, GroupedAttributes & { readonly filterShape: Shape4 }>(
    ({ inputs: { x, dy }, attrs, backend }) => {
      const { filterShape: shape, groups } = attrs;
      const { axes } = infoOf(x.shape, shape, attrs);
      const key = [axesKey(axes), groups];
      return backend.record("GroupedConv2DBackpropFilter", key, [x, dy], { shape, dtype: "float32" }, (g, v, d) =>
        filterGradient(g, v, d, axes, groups),
      );
    },
  ),
};
