import type { backend_util } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { blockedConv } from "./blocked.ts";
import { type Axis, after, channelsFirst, channelsLast, extent, window, windowAttributes } from "./window.ts";

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
  const [batch = 1, , , inputs = 1] = x.shape;
  const outputs = w.shape[3] ?? 1;
  const [rows, columns] = [axes[0]?.output ?? 1, axes[1]?.output ?? 1];
  if (isPointwise(axes)) {
    const product = g.matmul(g.reshape(x, [batch * rows * columns, inputs]), g.reshape(w, [inputs, outputs]));
    const shifted = bias ? g.binary("Add", product, bias) : product;
    return g.reshape(shifted, [batch, rows, columns, outputs]);
  }
  const shape = [batch, outputs, rows, columns];
  const blocked = blockedConv(g, x, w, axes, shape, bias);
  if (blocked) return blocked;
  const filter = g.transpose(w, [3, 2, 0, 1]);
  const raw = g.op("Conv", [channelsFirst(g, x), filter, ...(bias ? [bias] : [])], shape, "float32", windowAttributes(axes));
  const result = channelsLast(g, raw);
  return g.note("conv", result, raw) && result;
}

/** Writes a following bias into the convolution itself, where nothing else reads what lies between. */
export function absorbBias(g: Graph, x: Value, bias: Value): Value | undefined {
  if (x.uses !== 1 || bias.shape.length !== 1 || g.producer(bias) || x.dtype !== "float32") return undefined;
  const raw = g.noted("conv", x);
  const node = raw && g.producer(raw);
  if (!node) return undefined;
  if (node.inputs[2] || bias.shape[0] !== x.shape.at(-1)) return undefined;
  node.inputs[2] = bias.name;
  return x;
}

/** Gradient with respect to x [N,H,W,Cin] of a convolution without dilation: dy [N,OH,OW,Cout], w [kh,kw,Cin,Cout]. */
export function conv2dInputGradient(g: Graph, dy: Value, w: Value, axes: readonly Axis[]): Value {
  if (axes.some((a, i) => dy.shape[i + 1] !== a.output)) {
    // tfjs lets conv2dTranspose ask for less than its input would give; what lies beyond is not read.
    const [n = 1, , , c = 1] = dy.shape;
    return conv2dInputGradient(g, g.slice(dy, [0, 0, 0, 0], [n, ...axes.map((a) => a.output), c]), w, axes);
  }
  const simple = axes.every((a) => a.stride === 1 && a.kernel - 1 - a.before >= 0);
  if (simple) {
    const mirrored = axes.map((a): Axis => ({ ...a, before: a.kernel - 1 - a.before, input: a.output, output: a.input }));
    if (isPointwise(mirrored)) return conv2d(g, dy, g.transpose(w, [0, 1, 3, 2]), mirrored);
    // Flipped in space, input and output channels exchanged.
    const flipped = g.slice(w, [...axes.map((a) => a.kernel - 1), 0, 0], w.shape, [-1, -1, 1, 1]);
    return conv2d(g, dy, g.transpose(flipped, [0, 1, 3, 2]), mirrored);
  }
  const filter = g.transpose(w, [3, 2, 0, 1]);
  return channelsLast(g, transposed(g, channelsFirst(g, dy), filter, axes, w.shape[2] ?? 1, 1));
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

/** The parts of x that kernel element (i, j) meets: [N,OH,OW,C] for each, in raster order. */
export function patches(g: Graph, x: Value, axes: readonly Axis[]): Value[] {
  const [rows, columns] = axes;
  if (!rows || !columns) throw new Error("two axes");
  const padded = g.pad(x, [
    [0, 0],
    [rows.before, after(rows)],
    [columns.before, after(columns)],
    [0, 0],
  ]);
  const [batch = 1, , , channels = 1] = x.shape;
  const out: Value[] = [];
  for (let i = 0; i < rows.kernel; i++)
    for (let j = 0; j < columns.kernel; j++)
      out.push(
        g.slice(
          padded,
          [0, i * rows.dilation, j * columns.dilation, 0],
          [batch, rows.output, columns.output, channels],
          [1, rows.stride, columns.stride, 1],
        ),
      );
  return out;
}

/**
 * As patches, for any number of axes, but [Cin, N·OH·OW] for each: long rows make the matrix product faster than many short ones do.
 * The last axis is shifted first, so that the other shifts copy whole rows.
 */
function channelRows(g: Graph, x: Value, axes: readonly Axis[]): Value[] {
  const [batch = 1, channels = 1] = [x.shape[0], x.shape.at(-1)];
  const pads = [[0, 0] as const, ...axes.map((a) => [a.before, after(a)] as const), [0, 0] as const];
  const rank = axes.length;
  const source = g.transpose(g.pad(x, pads), [rank + 1, ...Array.from({ length: rank + 1 }, (_, d) => d)]);
  let shifted = [source];
  for (const [i, a] of [...axes.entries()].reverse()) {
    const along = (begin: number): ((part: Value) => Value) => {
      return (part) =>
        g.slice(
          part,
          part.shape.map((_, d) => (d === i + 2 ? begin : 0)),
          part.shape.with(i + 2, a.output),
          part.shape.map((_, d) => (d === i + 2 ? a.stride : 1)),
        );
    };
    shifted = Array.from({ length: a.kernel }, (_, k) => shifted.map(along(k * a.dilation))).flat();
  }
  const count = axes.reduce((product, a) => product * a.output, batch);
  return shifted.map((part) => g.reshape(part, [channels, count]));
}

/** The same gradient from rows of channels, or undefined where few positions or few channels make the other forms faster (measured). */
export function filterGradientByRows(g: Graph, x: Value, dy: Value, axes: readonly Axis[]): Value | undefined {
  const [inputs = 1, outputs = 1] = [x.shape.at(-1), dy.shape.at(-1)];
  const count = axes.reduce((product, a) => product * a.output, x.shape[0] ?? 1);
  if (inputs <= 8 || count < 128 * inputs) return undefined;
  const gradient = g.reshape(dy, [count, outputs]);
  const products = channelRows(g, x, axes).map((part) => g.matmul(part, gradient));
  return g.reshape(g.concat(products, 0), [...axes.map((a) => a.kernel), inputs, outputs]);
}

/** Gradient with respect to w [kh,kw,Cin,Cout]: one matrix product for each kernel element, or a single one where Cin is small. */
export function conv2dFilterGradient(g: Graph, x: Value, dy: Value, axes: readonly Axis[]): Value {
  const [batch = 1, rows = 1, columns = 1, outputs = 1] = dy.shape;
  const inputs = x.shape[3] ?? 1;
  const count = batch * rows * columns;
  const gradient = g.reshape(dy, [count, outputs]);
  const kernel = axes.map((a) => a.kernel);
  const byRows = filterGradientByRows(g, x, dy, axes);
  if (byRows) return byRows;
  const parts = patches(g, x, axes);
  const product = (part: Value, width: number): Value =>
    g.op("Gemm", [g.reshape(part, [count, width]), gradient], [width, outputs], "float32", { transA: 1 });
  const narrow = inputs <= 8;
  const stacked = narrow
    ? product(g.concat(parts, 3), inputs * parts.length)
    : g.concat(
        parts.map((part) => product(part, inputs)),
        0,
      );
  return g.reshape(stacked, [...kernel, inputs, outputs]);
}
