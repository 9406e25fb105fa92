import type { Graph, Value } from "../graph.ts";
import { blockedDomain } from "../nchwc.ts";
import { type Axis, channelsFirst, windowAttributes } from "./window.ts";

/*
 * Convolutions with trainable filters in onnxruntime's blocked layout. It converts constant filters by itself and runs them several times
 * faster than plain ones; for filters that are inputs we write the conversion into the graph. Each result exists in both layouts, and the
 * one that nobody reads is dropped.
 */

/** x [N,H,W,C] in blocks, taken from the operator that made it where there was one. */
function toBlocks(g: Graph, x: Value): Value {
  const known = g.noted("blocked", x);
  if (known) return known;
  const [n = 1, h = 1, w = 1, c = 1] = x.shape;
  return g.note("blocked", x, g.op("ReorderInput", [x], [n, c, h, w], "float32", { channels_last: 1 }, blockedDomain));
}

/** Back to [N,H,W,C]; the blocked form stays known. */
function fromBlocks(g: Graph, blocked: Value): Value {
  const [n = 1, c = 1, h = 1, w = 1] = blocked.shape;
  const x = g.op("ReorderOutput", [blocked], [n, h, w, c], "float32", { channels: c, channels_last: 1 }, blockedDomain);
  g.note("blocked", x, blocked);
  return x;
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
  const [kh = 1, kw = 1, inputs = 1, outputs = 1] = w.shape;
  const block = g.block;
  if (block === 0 || outputs % block !== 0 || (inputs >= block && inputs % block !== 0)) return undefined;
  const filterShape = [outputs, inputs, kh, kw];
  // Few input channels are read as they are; the filter is blocked over its outputs alone.
  const narrow = inputs < block;
  const filter = narrow
    ? g.transpose(g.reshape(w, [kh, kw, inputs, outputs / block, block]), [3, 2, 0, 1, 4])
    : g.transpose(g.reshape(w, [kh, kw, inputs / block, block, outputs / block, block]), [4, 2, 0, 1, 3, 5]);
  const source = narrow ? channelsFirst(g, x) : toBlocks(g, x);
  const values = [source, g.reshape(filter, filterShape), ...(bias ? [bias] : [])];
  const raw = g.op("Conv", values, shape, "float32", windowAttributes(axes), blockedDomain);
  const result = fromBlocks(g, raw);
  g.note("conv", result, raw);
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

/** Maximum over windows of what is in blocks already. */
export function blockedMaxPool(g: Graph, x: Value, axes: readonly Axis[], shape: readonly number[]): Value | undefined {
  const known = g.noted("blocked", x);
  if (!known) return undefined;
  return fromBlocks(g, g.op("MaxPool", [known], shape, "float32", windowAttributes(axes), blockedDomain));
}
