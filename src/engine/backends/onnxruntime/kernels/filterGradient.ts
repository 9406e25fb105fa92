import { type Graph, sizeOf, type Value } from "../graph.ts";
import { blockedDomain } from "../nchwc.ts";
import { toBlocks } from "./blocked.ts";
import { type Axis, after, window } from "./window.ts";

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
function filterGradientByRows(g: Graph, x: Value, dy: Value, axes: readonly Axis[]): Value | undefined {
  const [inputs = 1, outputs = 1] = [x.shape.at(-1), dy.shape.at(-1)];
  const count = axes.reduce((product, a) => product * a.output, x.shape[0] ?? 1);
  if (inputs <= 8 || count < 128 * inputs) return undefined;
  const gradient = g.reshape(dy, [count, outputs]);
  const products = channelRows(g, x, axes).map((part) => g.matmul(part, gradient));
  return g.reshape(g.concat(products, 0), [...axes.map((a) => a.kernel), inputs, outputs]);
}

/** Groups of images whose gradients are summed afterwards: enough that every thread has as many pieces of the work as the others. */
function groupsOf(threads: number, blocks: number, pieces: number): number {
  let groups = 1;
  while (threads > 1 && blocks % (2 * groups) === 0 && pieces * groups < 4 * threads && (pieces * groups) % threads !== 0) groups *= 2;
  return groups;
}

/** A Gather copies on several threads, a Transpose on one; but its list of places would be large for large images. */
const mostPlaces = 2 ** 18;

/** dy in blocks, laid out as blocked filters whose inputs are the images and whose outputs are dy's channels, a set for each group. */
function imagesAsInputs(g: Graph, dy: Value, groups: number): Value {
  const { block } = g;
  const [images = 1, outputs = 1, ...plane] = dy.shape;
  const positions = sizeOf(plane);
  const apart = [groups, images / block / groups, block, outputs / block, positions, block];
  const order = [0, 3, 1, 4, 2];
  const count = sizeOf(dy.shape) / block;
  if (g.threads === 1 || count > mostPlaces) return g.transpose(g.reshape(dy, apart), [...order, 5]);
  let places = [0];
  for (const axis of order) {
    const stride = sizeOf(apart.slice(axis + 1, 5));
    places = places.flatMap((place) => Array.from({ length: apart[axis] ?? 1 }, (_, i) => place + i * stride));
  }
  return g.op("Gather", [g.reshape(dy, [count, block]), g.ints(places)], [count, block], "float32", { axis: 0 });
}

/**
 * Gradient with respect to w [kh,kw,Cin,Cout] as one convolution in blocks: the images are its input channels, dy its filters and the
 * shifts of the kernel its output positions. Along the width, Cin neighbours of a row stand side by side and are stepped over by dilation.
 * Undefined where Cout does not fill whole blocks, the width is dilated, or filling the last block of images would cost too much.
 */
function blockedFilterGradient(g: Graph, x: Value, dy: Value, axes: readonly Axis[]): Value | undefined {
  const [n = 1, , , inputs = 1] = x.shape;
  const outputs = dy.shape[3] ?? 1;
  const [rows, columns] = axes;
  const images = Math.ceil(n / (g.block || 1)) * g.block;
  if (!rows || !columns || g.block === 0 || outputs % g.block !== 0 || columns.dilation !== 1 || images > 1.25 * n) return undefined;
  const reach = (a: Axis): number => (a.kernel - 1) * a.dilation + (a.output - 1) * a.stride + 1;
  const behind = reach(rows) - rows.before - rows.input;
  let source = window(g, x, 2, -columns.before, reach(columns));
  source = window(g, window(g, source, 1, 0, rows.input + Math.min(behind, 0)), 0, 0, images);
  const plane = [1, images, source.shape[1] ?? 1, (source.shape[2] ?? 1) * inputs];
  const input = g.op("ReorderInput", [g.reshape(source, plane)], plane, "float32", { channels_last: 0 }, blockedDomain);

  const groups = groupsOf(g.threads, images / g.block, Math.ceil(outputs / (4 * g.block)) * rows.kernel);
  const window2d = [rows.output, columns.output];
  const blocks = imagesAsInputs(g, window(g, toBlocks(g, dy), 0, 0, images), groups);
  const filter = g.reshape(blocks, [groups * outputs, images / groups, ...window2d]);
  const shape = [1, groups * outputs, rows.kernel, columns.kernel * inputs];
  const attributes = {
    kernel_shape: window2d,
    strides: [rows.dilation, 1],
    dilations: [rows.stride, columns.stride * inputs],
    pads: [rows.before, 0, Math.max(behind, 0), 0],
    group: groups,
  };
  const raw = g.op("Conv", [input, filter], shape, "float32", attributes, blockedDomain);
  const total = [1, outputs, ...shape.slice(2)];
  const sum = groups === 1 ? raw : g.reshape(g.reduce("ReduceSum", g.reshape(raw, [groups, sizeOf(total)]), [0]), total);
  const gradient = g.op(
    "ReorderOutput",
    [sum],
    [1, ...shape.slice(2), outputs],
    "float32",
    { channels: outputs, channels_last: 1 },
    blockedDomain,
  );
  return g.reshape(gradient, [rows.kernel, columns.kernel, inputs, outputs]);
}

/** Gradient with respect to w [kh,kw,Cin,Cout]: one matrix product for each kernel element, or a single one where Cin is small. */
export function conv2dFilterGradient(g: Graph, x: Value, dy: Value, axes: readonly Axis[]): Value {
  const [batch = 1, rows = 1, columns = 1, outputs = 1] = dy.shape;
  const inputs = x.shape[3] ?? 1;
  const count = batch * rows * columns;
  const gradient = g.reshape(dy, [count, outputs]);
  const kernel = axes.map((a) => a.kernel);
  const known = blockedFilterGradient(g, x, dy, axes) ?? filterGradientByRows(g, x, dy, axes);
  if (known) return known;
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
