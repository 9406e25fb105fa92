import type { Graph, Value } from "../graph.ts";
import { blockedDomain } from "../nchwc.ts";
import { type Axis, after, channelsFirst, window, windowAttributes } from "./window.ts";

/*
 * Convolutions with trainable filters in onnxruntime's blocked layout. It converts constant filters by itself and runs them several times
 * faster than plain ones; for filters that are inputs we write the conversion into the graph. Each result exists in both layouts, and the
 * one that nobody reads is dropped.
 */

/** x [N,H,W,C] in blocks, taken from the operator that made it where there was one. */
export function toBlocks(g: Graph, x: Value): Value {
  const known = g.noted("blocked", x);
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

/** [kh,kw,Cin,Cout] as a blocked convolution wants it. Few input channels are read as they are: only the outputs are blocked then. */
function blockedFilter(g: Graph, w: Value): Value {
  const [kh = 1, kw = 1, inputs = 1, outputs = 1] = w.shape;
  const block = g.block;
  const filter =
    inputs < block
      ? g.transpose(g.reshape(w, [kh, kw, inputs, outputs / block, block]), [3, 2, 0, 1, 4])
      : g.transpose(g.reshape(w, [kh, kw, inputs / block, block, outputs / block, block]), [4, 2, 0, 1, 3, 5]);
  return g.reshape(filter, [outputs, inputs, kh, kw]);
}

/** The convolution in blocks, [N,OH,OW,Cout]; undefined where the channels do not fill whole blocks. */
export function blockedConv(
  g: Graph,
  x: Value,
  w: Value,
  axes: readonly Axis[],
  shape: readonly number[],
  bias?: Value,
): Value | undefined {
  const [, , inputs = 1, outputs = 1] = w.shape;
  const block = g.block;
  if (block === 0 || outputs % block !== 0 || (inputs >= block && inputs % block !== 0)) return undefined;
  const source = inputs < block ? channelsFirst(g, x) : toBlocks(g, x);
  const values = [source, blockedFilter(g, w), ...(bias ? [bias] : [])];
  const raw = g.op("Conv", values, shape, "float32", windowAttributes(axes), blockedDomain);
  const result = fromBlocks(g, raw);
  g.note("conv", result, raw);
  return result;
}

/** An element-wise operation on values that are all in blocks stays there; undefined where one is not. The result has `like`'s shape. */
export function inBlocks(g: Graph, like: Value, values: readonly Value[], body: (...blocked: Value[]) => Value): Value | undefined {
  const known = values.flatMap((value) => (value.shape.join() === like.shape.join() ? (g.noted("blocked", value) ?? []) : []));
  if (known.length < values.length) return undefined;
  const blocked = body(...known);
  const result = g.reshape(fromBlocks(g, blocked), like.shape);
  g.note("blocked", result, blocked);
  return result;
}

/** Writes a following ReLU into a blocked convolution, where nothing else reads what lies between. */
export function absorbRelu(g: Graph, x: Value): Value | undefined {
  const raw = g.noted("conv", x);
  const node = raw && g.producer(raw);
  if (x.uses !== 1 || node?.domain !== blockedDomain || node.attributes["activation"]) return undefined;
  node.attributes = { ...node.attributes, activation: "Relu" };
  return x;
}

/** Maximum over windows [h,w] of what is in blocks already, as [N,OH,OW,C]. */
export function blockedMaxPool(g: Graph, x: Value, axes: readonly Axis[]): Value | undefined {
  const known = g.noted("blocked", x);
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
 * The slices of x [N,D,H,W,C] that each slice of a filter's depth meets: [N·OD,H,W,C] for each, in the layout that x has.
 * In blocks a slice of the depth is one piece of memory, so nothing but whole slices is ever copied.
 */
export function depthSlices(g: Graph, x: Value, depth: Axis): Value[] {
  const [n = 1, d = 1, ...rest] = x.shape;
  const blocked = g.noted("blocked", folded(g, x));
  const image = blocked ? blocked.shape.slice(1) : rest;
  const volume = window(g, g.reshape(blocked ?? x, [n, d, ...image]), 1, -depth.before, d + depth.before + after(depth));
  const none = image.map(() => 0);
  const ones = image.map(() => 1);
  return Array.from({ length: depth.kernel }, (_, i) => {
    const slices = g.slice(volume, [0, i * depth.dilation, ...none], [n, depth.output, ...image], [1, depth.stride, ...ones]);
    const flat = g.reshape(slices, [n * depth.output, ...image]);
    return blocked ? fromBlocks(g, flat) : flat;
  });
}

/** A 3-D convolution as a sum of 2-D ones, one for each slice of the filter's depth, each of which adds itself to the sum so far. */
export function blockedConv3d(g: Graph, x: Value, w: Value, [depth, ...plane]: readonly [Axis, Axis, Axis]): Value | undefined {
  const [, , , inputs = 1, outputs = 1] = w.shape;
  if (g.block === 0 || outputs % g.block !== 0 || inputs % g.block !== 0) return undefined;
  const [n = 1] = x.shape;
  g.note("blocked", x, toBlocks(g, folded(g, x)));
  const shape = [n * depth.output, outputs, ...plane.map((a) => a.output)];
  const sum = depthSlices(g, x, depth).reduce<Value | undefined>((before, slices, i) => {
    const filter = blockedFilter(g, g.reshape(g.slice(w, [i, 0, 0, 0, 0], [1, ...w.shape.slice(1)]), w.shape.slice(1)));
    const values = [toBlocks(g, slices), filter, ...(before ? [undefined, before] : [])];
    return g.op("Conv", values, shape, "float32", windowAttributes(plane), blockedDomain);
  }, undefined);
  if (!sum) return undefined;
  const result = fromBlocks(g, sum);
  g.note("conv", result, sum);
  return unfolded(g, result, depth.output);
}
