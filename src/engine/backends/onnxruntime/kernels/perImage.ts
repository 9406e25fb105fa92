import type { Graph, Value } from "../graph.ts";
import { isSameShape } from "../keys.ts";
import { blockedDomain } from "../nchwc.ts";
import { blocksOf, fromBlocks, toBlocks } from "./blocked.ts";

/*
 * One number for each image and channel beside feature maps [N,H,W,C] in onnxruntime's blocked layout, as where channels are weighed by
 * their means ("squeeze and excitation"). To a depthwise convolution N images of C channels are one of N·C: with kernel 1 it scales and
 * shifts each, with a kernel of the whole plane it is a sum of products, each in one pass and without leaving the layout.
 */
const sizes = (blocked: Value): [n: number, c: number, h: number, w: number] => blocked.shape as [number, number, number, number];

function depthwise(g: Graph, x: Value, filter: Value, bias?: Value): Value {
  const [n, c, h, w] = sizes(x);
  const [, , kh = 1, kw = 1] = filter.shape;
  const group = n * c;
  const attributes = { kernel_shape: [kh, kw], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group };
  const inputs = [g.reshape(x, [1, group, h, w]), filter, bias && g.reshape(bias, [group])];
  return g.op("Conv", inputs, [1, group, h - kh + 1, w - kw + 1], "float32", attributes, blockedDomain);
}

const isPerImage = (value: Value, [n, c]: readonly number[]): boolean => value.shape.join() === [n, 1, 1, c].join();

/** x · factor + shift for a factor and a shift of [N,1,1,C]; what is left out is 1 and 0. Undefined where x is not in blocks. */
function affine(g: Graph, x: Value, factor: Value | undefined, shift: Value | undefined): Value | undefined {
  const blocked = blocksOf(g, x);
  if (!blocked || [factor, shift].some((value) => value && !isPerImage(value, blocked.shape))) return undefined;
  const [n, c] = sizes(blocked);
  const filter = factor ? g.reshape(factor, [n * c, 1, 1, 1]) : g.expand(g.scalar(1), [n * c, 1, 1, 1]);
  return fromBlocks(g, g.reshape(depthwise(g, blocked, filter, shift), blocked.shape));
}

/** The product of a feature map and numbers per image and channel, either way round. */
export function scaledPerImage(g: Graph, a: Value, b: Value): Value | undefined {
  const [x, factor] = blocksOf(g, a) ? [a, b] : [b, a];
  const product = affine(g, x, factor, undefined);
  if (!product) return undefined;
  g.note("scaled", product, x);
  return g.note("scaled by", product, factor) && product;
}

/** The sum of a feature map and numbers per image and channel that were repeated over its plane, either way round. */
export function shiftedPerImage(g: Graph, a: Value, b: Value): Value | undefined {
  const [x, repeated] = g.noted("expanded from", a) ? [b, a] : [a, b];
  const shift = g.noted("expanded from", repeated);
  if (!shift || !isSameShape(x.shape, repeated.shape)) return undefined; // numbers that were repeated may be added to one number each
  const factor = x.uses === 1 ? g.noted("scaled by", x) : undefined;
  return affine(g, (factor && g.noted("scaled", x)) ?? x, factor, shift);
}

/**
 * The product of a feature map [N,H,W,C] and one number for each of its places [N,H,W,1], in blocks as well, where the map is in blocks, or is
 * a single image's [1,H,W,C] that meets many of them. The numbers are repeated for the channels of one block, so that all products are of
 * long vectors.
 */
export function scaledPerPlace(g: Graph, x: Value, factor: Value): Value | undefined {
  const [images = 1, h = 1, w = 1, c = 1] = x.shape;
  const [n = 1] = factor.shape;
  if (factor.shape.join() !== [n, h, w, 1].join() || c === 1 || g.block === 0 || c % g.block !== 0) return undefined;
  const isSpread = images === 1 && n > 1;
  if (!isSpread && (images !== n || !blocksOf(g, x))) return undefined;
  const length = h * w * g.block;
  const repeated = g.reshape(g.expand(g.reshape(factor, [n, h * w, 1]), [n, h * w, g.block]), [n, 1, length]);
  const blocked = g.binary("Mul", g.reshape(toBlocks(g, x), [images, c / g.block, length]), repeated);
  const product = g.binary("Mul", x, factor);
  return g.note("blocked", product, g.reshape(blocked, [n, c, h, w])) && product;
}

const isPlane = (x: Value, axes: readonly number[]): boolean => x.shape.length === 4 && axes.join() === "1,2";

/** Σ a·b over the plane, [N,C,1,1], where the sum is of such a product in blocks. */
export function planeDot(g: Graph, product: Value, axes: readonly number[]): Value | undefined {
  const [left, right] = [g.noted("left of", product), g.noted("right of", product)];
  const [a, b] = [left && blocksOf(g, left), right && blocksOf(g, right)];
  if (!a || !b || !isPlane(product, axes) || a.shape.join() !== b.shape.join()) return undefined;
  return blockedDot(g, a, b);
}

/** Σ a·b over each plane of blocks [N,C,H,W]: [N,C,1,1]. */
export function blockedDot(g: Graph, a: Value, b: Value): Value {
  const [n, c, h, w] = sizes(b);
  return g.reshape(depthwise(g, a, g.reshape(b, [n * c, 1, h, w])), [n, c, 1, 1]);
}

/** The mean over the plane of what is in blocks, [N,C,1,1]. */
export function planeMean(g: Graph, x: Value, axes: readonly number[]): Value | undefined {
  const blocked = isPlane(x, axes) ? blocksOf(g, x) : undefined;
  return blocked && blockedMean(g, blocked);
}

/** The mean of each plane of blocks [N,C,H,W]: [N,C,1,1]. */
export function blockedMean(g: Graph, blocked: Value): Value {
  const [n, c] = sizes(blocked);
  return g.op("GlobalAveragePool", [blocked], [n, c, 1, 1], "float32", {}, blockedDomain);
}
