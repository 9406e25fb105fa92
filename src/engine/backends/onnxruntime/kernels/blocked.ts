import type { Graph, Value } from "../graph.ts";
import { blockedDomain } from "../nchwc.ts";
import type { OnnxNode } from "../onnx.ts";
import { blockedFilter } from "./filters.ts";
import { type Axis, after, channelsFirst, window, windowAttributes } from "./window.ts";

/*
 * Convolutions with trainable filters in onnxruntime's blocked layout. It converts constant filters by itself and runs them several times
 * faster than plain ones; for filters that are inputs we write the conversion into the graph. Each result exists in both layouts, and the
 * one that is never read is dropped.
 */

/**
 * x [N,H,W,C] in blocks, [N,C,H,W], where the operator that produced it left them. A reshaped value may have its blocks in another
 * arrangement (slice by slice), which only element-wise operations and sums can use.
 */
export function blocksOf(g: Graph, x: Value): Value | undefined {
  const known = g.noted("blocked", x);
  const [n, h, w, c] = x.shape;
  return known?.shape.join() === [n, c, h, w].join() ? known : undefined;
}

/** x [N,H,W,C] in blocks, taken from the operator that made it where there was one. */
export function toBlocks(g: Graph, x: Value): Value {
  const known = blocksOf(g, x);
  if (known) return known;
  const [n = 1, h = 1, w = 1, c = 1] = x.shape;
  return g.note("blocked", x, g.op("ReorderInput", [x], [n, c, h, w], "float32", { channels_last: 1 }, blockedDomain));
}

/** Back to [N,H,W,C]; the blocked form stays known. */
export function fromBlocks(g: Graph, blocked: Value): Value {
  const [n = 1, c = 1, h = 1, w = 1] = blocked.shape;
  const x = g.op("ReorderOutput", [blocked], [n, h, w, c], "float32", { channels: c, channels_last: 1 }, blockedDomain);
  g.note("blocked", x, blocked);
  return x;
}

/** Outputs with the zeros that fill the last block. */
export function filled(g: Graph, w: Value): Value {
  const missing = (g.block - ((w.shape.at(-1) ?? 1) % g.block)) % g.block;
  return g.pad(
    w,
    w.shape.map((_, d) => [0, d === w.shape.length - 1 ? missing : 0]),
  );
}

/** Whether filters with this many inputs can be laid out in blocks. */
const fits = (g: Graph, inputs: number): boolean => g.block > 0 && (inputs < g.block || inputs % g.block === 0);

/** What a blocked convolution made, [N,OH,OW,Cout]. Its blocks stay known where Cout fills them. */
export function unblocked(g: Graph, raw: Value, outputs: number): Value {
  const [n = 1, c = 1, h = 1, w = 1] = raw.shape;
  if (c !== outputs)
    return g.op("ReorderOutput", [raw], [n, h, w, outputs], "float32", { channels: outputs, channels_last: 1 }, blockedDomain);
  const result = fromBlocks(g, raw);
  g.note("conv", result, raw);
  return result;
}

/**
 * The convolution in blocks, [N,OH,OW,Cout]; undefined where there are no blocks or the input's channels do not fill whole ones. With several
 * groups, the channels and filters of each have to fill whole blocks.
 */
export function blockedConv(g: Graph, x: Value, w: Value, axes: readonly Axis[], bias?: Value, group = 1): Value | undefined {
  const [, , inputs = 1, outputs = 1] = w.shape;
  if (!fits(g, inputs)) return undefined;
  const source = inputs < g.block ? channelsFirst(g, x) : toBlocks(g, x);
  const filter = filled(g, w);
  const shape = [x.shape[0] ?? 1, filter.shape[3] ?? 1, ...axes.map((a) => a.output)];
  const values = [source, blockedFilter(g, filter), ...(bias ? [filled(g, bias)] : [])];
  const attributes = { ...windowAttributes(axes), group };
  return unblocked(g, g.op("Conv", values, shape, "float32", attributes, blockedDomain), outputs);
}

/** The depthwise convolution with w [kh,kw,C,1] in blocks, [N,OH,OW,C]; undefined where the channels do not fill whole ones. */
export function blockedDepthwise(g: Graph, x: Value, w: Value, axes: readonly Axis[], bias?: Value): Value | undefined {
  const [kh = 1, kw = 1, channels = 1, multiplier = 1] = w.shape;
  if (g.block === 0 || multiplier !== 1 || channels % g.block !== 0) return undefined;
  const filter = g.transpose(g.reshape(w, [kh, kw, channels / g.block, g.block]), [2, 0, 1, 3]);
  const values = [toBlocks(g, x), g.reshape(filter, [channels, 1, kh, kw]), ...(bias ? [bias] : [])];
  const shape = [x.shape[0] ?? 1, channels, ...axes.map((a) => a.output)];
  return unblocked(g, g.op("Conv", values, shape, "float32", { ...windowAttributes(axes), group: channels }, blockedDomain), channels);
}

/** x [N,H,W,C] in blocks with stride − 1 rows and columns of zeros behind each of its own: [N,H·s,W·s,C]. */
export function spreadInBlocks(g: Graph, x: Value, [rows, columns]: readonly [number, number]): Value {
  const [n = 1, c = 1, h = 1, w = 1] = toBlocks(g, x).shape;
  const grid = g.reshape(toBlocks(g, x), [(n * c) / g.block, h, 1, w, 1, g.block]);
  const none = [0, 0] as const;
  const spread = g.pad(grid, [none, none, [0, rows - 1], none, [0, columns - 1], none]);
  return fromBlocks(g, g.reshape(spread, [n, c, h * rows, w * columns]));
}

/** An element-wise operation on values that are all in blocks stays there; undefined where one is not. The result has `like`'s shape. */
export function inBlocks(g: Graph, like: Value, values: readonly Value[], body: (...blocked: Value[]) => Value): Value | undefined {
  const known = values.flatMap((value) => (value.shape.join() === like.shape.join() ? (g.noted("blocked", value) ?? []) : []));
  if (known.length < values.length || known.some(({ shape }) => shape.join() !== known[0]?.shape.join())) return undefined;
  const blocked = body(...known);
  const result = g.reshape(fromBlocks(g, blocked), like.shape);
  g.note("blocked", result, blocked);
  return result;
}

/** An element-wise operation, in blocks where all values are. */
export function elementwise(g: Graph, values: readonly [Value, ...Value[]], body: (first: Value, ...rest: Value[]) => Value): Value {
  const [like] = values;
  return inBlocks(g, like, values, (first, ...rest) => body(first ?? like, ...rest)) ?? body(...values);
}

/** The nodes that compute a convolution: one, or several whose results are concatenated. */
export function convolutionsOf(g: Graph, raw: Value | undefined): OnnxNode[] {
  if (!raw) return [];
  const parts: Value[] = [];
  for (let part = g.noted("part 0", raw); part; part = g.noted(`part ${parts.length}`, raw)) parts.push(part);
  return (parts.length > 0 ? parts : [raw]).flatMap((part) => g.producer(part) ?? []);
}

/** Writes a following ReLU, or one with a largest value, into a blocked convolution, where nothing else reads what lies between. */
export function absorbRelu(g: Graph, x: Value, bound?: number): Value | undefined {
  const nodes = convolutionsOf(g, g.noted("conv", x));
  const isFree = nodes.length > 0 && nodes.every(({ domain, attributes }) => domain === blockedDomain && !attributes["activation"]);
  if (x.uses !== 1 || !isFree) return undefined;
  const activation = bound === undefined ? { activation: "Relu" } : { activation: "Clip", activation_params: { floats: [0, bound] } };
  for (const node of nodes) node.attributes = { ...node.attributes, ...activation };
  return { ...x, affine: undefined };
}

/** Maximum over windows [h,w] of what is in blocks already, as [N,OH,OW,C]. */
export function blockedMaxPool(g: Graph, x: Value, axes: readonly Axis[]): Value | undefined {
  const known = blocksOf(g, x);
  if (!known) return undefined;
  const shape = [...known.shape.slice(0, 2), ...axes.map((a) => a.output)];
  return fromBlocks(g, g.op("MaxPool", [known], shape, "float32", windowAttributes(axes), blockedDomain));
}

/** [N·D,H,W,C], in either layout, as [N,D,H,W,C]. */
export function unfolded(g: Graph, x: Value, depth: number): Value {
  const [slices = 1, ...rest] = x.shape;
  const volume = g.reshape(x, [slices / depth, depth, ...rest]);
  for (const what of ["blocked", "conv"]) {
    const known = g.noted(what, x);
    if (known) g.note(what, volume, known);
  }
  return volume;
}

/** [N,D,H,W,C] as [N·D,H,W,C], in either layout. */
export function folded(g: Graph, x: Value): Value {
  const [n = 1, d = 1, ...rest] = x.shape;
  const flat = g.reshape(x, [n * d, ...rest]);
  const known = g.noted("blocked", x);
  if (known) g.note("blocked", flat, known);
  return flat;
}

/**
 * The slices of x [N,D,H,W,C] that each output depth meets, side by side as channels: [N·OD,H,W,kd·C]. A 3-D convolution is a 2-D one over
 * them. In blocks a slice is one piece of memory.
 */
export function foldDepth(g: Graph, x: Value, depth: Axis): Value {
  const [n = 1, d = 1, h = 1, w = 1, c = 1] = x.shape;
  const deeper = (volume: Value): Value => window(g, volume, 1, -depth.before, d + depth.before + after(depth));
  if (!fits(g, c) || c < g.block) {
    const volume = deeper(x);
    const parts = Array.from({ length: depth.kernel }, (_, k) =>
      g.slice(volume, [0, k * depth.dilation, 0, 0, 0], [n, depth.output, h, w, c], [1, depth.stride, 1, 1, 1]),
    );
    return g.reshape(g.concat(parts, 4), [n * depth.output, h, w, depth.kernel * c]);
  }
  const blocked = g.note("blocked", x, toBlocks(g, folded(g, x)));
  const places = Array.from({ length: depth.output * depth.kernel }, (_, i) => {
    return Math.floor(i / depth.kernel) * depth.stride + (i % depth.kernel) * depth.dilation;
  });
  const slices = deeper(g.reshape(blocked, [n, d, h * w * c]));
  const picked = g.op("Gather", [slices, g.ints(places)], [n, places.length, h * w * c], "float32", { axis: 1 });
  return fromBlocks(g, g.reshape(picked, [n * depth.output, depth.kernel * c, h, w]));
}
