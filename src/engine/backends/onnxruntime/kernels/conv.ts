import type { backend_util } from "@tensorflow/tfjs-core";
import { type Graph, sizeOf, type Value } from "../graph.ts";
import { blockedConv, convolutionsOf } from "./blocked.ts";
import { exchangedFilter, scaledFilter, turnedFilter } from "./filters.ts";
import { stridedInputGradient } from "./strided.ts";
import { type Axis, channelsFirst, channelsLast, extent, window, windowAttributes } from "./window.ts";

/** Both spatial axes of a 2-D convolution, from tfjs' own arithmetic. */
export const planeAxes = (info: backend_util.Conv2DInfo): [Axis, Axis] => [
  {
    kernel: info.filterHeight,
    stride: info.strideHeight,
    dilation: info.dilationHeight,
    before: info.padInfo.top,
    input: info.inHeight,
    output: info.outHeight,
  },
  {
    kernel: info.filterWidth,
    stride: info.strideWidth,
    dilation: info.dilationWidth,
    before: info.padInfo.left,
    input: info.inWidth,
    output: info.outWidth,
  },
];

const isPointwise = (axes: readonly Axis[]): boolean =>
  axes.every((a) => a.kernel === 1 && a.stride === 1 && a.before === 0 && a.output === a.input);

/** Convolution of x [N,H,W,Cin] with w [kh,kw,Cin,Cout]; the bias [Cout] may be left out. */
export function conv2d(g: Graph, x: Value, w: Value, axes: readonly Axis[], bias?: Value): Value {
  const result =
    (isBlocked(g, x, w, axes) ? blockedConv(g, x, w, axes, bias) : undefined) ??
    (isPointwise(axes) ? pointwise(g, x, w, bias) : plainConv(g, x, w, axes, bias));
  if (!w.constant || (bias && !bias.constant)) return result;
  return { ...result, affine: (factor, shift) => conv2d(g, x, scaledFilter(g, w, factor), axes, biasAfter(g, bias, factor, shift)) };
}

/**
 * A pointwise convolution is also a matrix product, which is no slower and needs no blocks. Among the other layers of a network under attack
 * it stays in blocks; a single position, few channels, or weights that change make it a product.
 */
function isBlocked(g: Graph, x: Value, w: Value, axes: readonly Axis[]): boolean {
  return !isPointwise(axes) || (w.constant === true && sizeOf(x.shape.slice(1, -1)) > 1 && (w.shape[2] ?? 1) >= g.block);
}

/** bias · factor + shift */
export const biasAfter = (g: Graph, bias: Value | undefined, factor: Value, shift: Value): Value =>
  bias ? g.binary("Add", g.binary("Mul", bias, factor), shift) : shift;

/** A 1×1 convolution as a matrix product. */
function pointwise(g: Graph, x: Value, w: Value, bias?: Value): Value {
  const [batch = 1, rows = 1, columns = 1, inputs = 1] = x.shape;
  const outputs = w.shape[3] ?? 1;
  const product = g.matmul(g.reshape(x, [batch * rows * columns, inputs]), g.reshape(w, [inputs, outputs]));
  return g.reshape(bias ? g.binary("Add", product, bias) : product, [batch, rows, columns, outputs]);
}

export function plainConv(g: Graph, x: Value, w: Value, axes: readonly Axis[], bias?: Value, group = 1): Value {
  const shape = [x.shape[0] ?? 1, w.shape[3] ?? 1, ...axes.map((a) => a.output)];
  const filter = g.transpose(w, [3, 2, 0, 1]);
  const raw = g.op("Conv", [channelsFirst(g, x), filter, ...(bias ? [bias] : [])], shape, "float32", { ...windowAttributes(axes), group });
  const result = channelsLast(g, raw);
  return g.note("conv", result, raw) && result;
}

/**
 * A convolution with few outputs leaves most of a block of channels empty. Here each column of the kernel has outputs of its own, so that
 * one narrower convolution fills the block; they are shifted and summed afterwards. Undefined where that does not fit into one block.
 */
export function byColumns(
  g: Graph,
  w: Value,
  axes: readonly Axis[],
  convolve: (w: Value, axes: readonly Axis[]) => Value,
): Value | undefined {
  const columns = axes.at(-1);
  const [inputs = 1, outputs = 1] = w.shape.slice(-2);
  if (!columns || columns.kernel === 1 || outputs * columns.kernel > g.block || inputs % g.block !== 0) return undefined;
  if (columns.stride !== 1 || columns.dilation !== 1) return undefined;
  const rest = w.shape.slice(0, -3);
  const r = rest.length;
  const beside = g.transpose(w, [...rest.keys(), r + 1, r, r + 2]);
  const filter = g.reshape(beside, [...rest, 1, inputs, columns.kernel * outputs]);
  const wide = convolve(filter, [...axes.slice(0, -1), { ...columns, kernel: 1, before: 0, output: columns.input }]);
  const shifted = Array.from({ length: columns.kernel }, (_, k) => {
    const begin = wide.shape.map((_, d) => (d === wide.shape.length - 1 ? k * outputs : 0));
    const part = g.slice(wide, begin, [...wide.shape.slice(0, -1), outputs]);
    return window(g, part, wide.shape.length - 2, k - columns.before, columns.output);
  });
  return shifted.reduce((sum, part) => g.binary("Add", sum, part));
}

/** Writes a following bias into the convolution itself, where nothing else reads what lies between. */
export function absorbBias(g: Graph, x: Value, bias: Value): Value | undefined {
  const flat = bias.shape.length === 1 ? bias : g.noted("reshaped from", bias);
  if (x.uses !== 1 || flat?.shape.length !== 1 || x.dtype !== "float32") return undefined;
  if (bias.shape.at(-1) !== x.shape.at(-1) || flat.shape[0] !== x.shape.at(-1)) return undefined;
  const nodes = convolutionsOf(g, g.noted("conv", x));
  if (nodes.length === 0 || nodes.some((node) => node.inputs[2] || !g.isBefore(flat, node))) return undefined;
  for (const node of nodes) node.inputs[2] = flat.name;
  return shifted(g, x, flat, x);
}

/** `sum`, which is x + bias. It can be folded into x's weights wherever x can and the bias is a constant vector along the last axis. */
export function shifted(g: Graph, x: Value, bias: Value, sum: Value): Value {
  const { affine, uses } = x;
  const isVector = bias.constant && bias.shape.length === 1 && bias.shape[0] === x.shape.at(-1);
  return {
    ...sum,
    affine: affine && uses === 1 && isVector ? (factor, shift) => affine(factor, biasAfter(g, bias, factor, shift)) : undefined,
  };
}

/** Gradient with respect to x [N,H,W,Cin] of a convolution without dilation: dy [N,OH,OW,Cout], w [kh,kw,Cin,Cout]. */
export function conv2dInputGradient(g: Graph, gradient: Value, filter: Value, axes: readonly Axis[]): Value {
  const [dy, w] = withFactor(g, gradient, filter);
  if (axes.some((a, i) => dy.shape[i + 1] !== a.output)) {
    // tfjs lets conv2dTranspose ask for less than its input would give; what lies beyond is not read.
    const [n = 1, , , c = 1] = dy.shape;
    return conv2dInputGradient(g, g.slice(dy, [0, 0, 0, 0], [n, ...axes.map((a) => a.output), c]), w, axes);
  }
  const simple = axes.every((a) => a.stride === 1 && a.kernel - 1 - a.before >= 0);
  if (simple) {
    const mirrored = axes.map((a): Axis => ({ ...a, before: a.kernel - 1 - a.before, input: a.output, output: a.input }));
    if (isPointwise(mirrored)) return conv2d(g, dy, exchangedFilter(g, w), mirrored);
    // Flipped in space, input and output channels exchanged.
    const exchanged = exchangedFilter(g, turnedFilter(g, w));
    return byColumns(g, exchanged, mirrored, (columns, along) => conv2d(g, dy, columns, along)) ?? conv2d(g, dy, exchanged, mirrored);
  }
  const channels = w.shape[2] ?? 1;
  const alternating = stridedInputGradient(g, w, axes, channels, (part, along) =>
    conv2d(g, dy, exchangedFilter(g, turnedFilter(g, part)), along),
  );
  return alternating ?? channelsLast(g, transposed(g, channelsFirst(g, dy), g.transpose(w, [3, 2, 0, 1]), axes, channels, 1));
}

/**
 * Replaces dy = d · factor, which is how batch normalisation's gradient ends, and w by d and w · factor: the product of constants is computed
 * once, at compile time. The factor is a vector along dy's last axis; `outputs` is its shape as the last axes of the filter.
 */
export function withFactor(g: Graph, dy: Value, w: Value, outputs = w.shape.slice(-1)): [Value, Value] {
  const [plain, factor] = [g.noted("unscaled", dy), g.noted("factor", dy)];
  if (!plain || !factor || dy.uses !== 1 || !w.constant) return [dy, w];
  return [plain, scaledFilter(g, w, factor, outputs)];
}

/** ConvTranspose without padding, then exactly the rows and columns that the input has. */
export function transposed(g: Graph, dy: Value, filter: Value, axes: readonly Axis[], channels: number, group: number): Value {
  const full = axes.map((a) => (a.output - 1) * a.stride + extent(a));
  const attributes = {
    kernel_shape: axes.map((a) => a.kernel),
    strides: axes.map((a) => a.stride),
    dilations: axes.map((a) => a.dilation),
    group,
  };
  let out = g.op("ConvTranspose", [dy, filter], [dy.shape[0] ?? 1, channels, ...full], "float32", attributes);
  for (const [i, a] of axes.entries()) out = window(g, out, i + 2, a.before, a.input);
  return out;
}
