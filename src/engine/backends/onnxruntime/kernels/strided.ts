import type { Graph, Value } from "../graph.ts";
import { blocksOf, fromBlocks, spreadInBlocks } from "./blocked.ts";
import { type Axis, window } from "./window.ts";

type Convolve = (filter: Value, axes: readonly Axis[]) => Value;

/**
 * Gradient with respect to x [N,H,W,C] of a convolution with strides, in blocks: pixels of x that lie at the same place between two strides
 * see the same part of the kernel [kh,kw,I,O], so that dx is one convolution of dy for each such place, and their results alternate along
 * the rows and columns. `convolve` convolves dy with a part of the kernel, turned by 180° and with inputs and outputs exchanged. Undefined
 * where C does not fill whole blocks, or where a kernel of several pixels is smaller than the stride, so that some places see none of it.
 */
export function stridedInputGradient(g: Graph, w: Value, axes: readonly Axis[], channels: number, convolve: Convolve): Value | undefined {
  const [rows, columns] = axes;
  if (!rows || !columns || g.block === 0 || channels % g.block !== 0 || axes.some((a) => a.dilation !== 1)) return undefined;
  const isPoint = axes.every((a) => a.kernel === 1);
  if (!isPoint && axes.some((a) => a.kernel < a.stride)) return undefined;
  const places = (a: Axis): number[] => Array.from({ length: Math.min(a.kernel, a.stride) }, (_, i) => i);
  const parts = places(rows).map((row) => places(columns).map((column) => part(g, w, [rows, columns], [row, column], convolve)));
  const [[only] = []] = parts;
  const whole = isPoint ? only && spreadInBlocks(g, only, [rows.stride, columns.stride]) : alternating(g, parts);
  return whole && axes.reduce((dx, a, i) => cropped(g, dx, i + 1, a), whole);
}

/** The pixels at one place between two strides: those whose distance from the first, padding included, leaves that remainder. */
function part(g: Graph, w: Value, axes: readonly [Axis, Axis], place: readonly [number, number], convolve: Convolve): Value {
  const sides = axes.map((a, i) => Math.ceil((a.kernel - (place[i] ?? 0)) / a.stride));
  const filter = g.slice(w, [...place, 0, 0], [...sides, ...w.shape.slice(2)], [...axes.map((a) => a.stride), 1, 1]);
  const along = axes.map((a, i): Axis => {
    const kernel = sides[i] ?? 1;
    return { kernel, stride: 1, dilation: 1, before: kernel - 1, input: a.output, output: Math.ceil((a.input + a.before) / a.stride) };
  });
  return convolve(filter, along);
}

/** Interleaves values in blocks along both axes; undefined where one is not in blocks. */
function alternating(g: Graph, parts: readonly (readonly Value[])[]): Value | undefined {
  const blocked = parts.map((row) => row.map((one) => blocksOf(g, one)));
  const [n = 1, c = 1, h = 1, w = 1] = blocked[0]?.[0]?.shape ?? [];
  if (blocked.flat().includes(undefined)) return undefined;
  const rows = blocked.map((row) => {
    const beside = row.map((one) => g.reshape(one as Value, [(n * c) / g.block, h, 1, w, 1, g.block]));
    return g.concat(beside, 4);
  });
  return fromBlocks(g, g.reshape(g.concat(rows, 2), [n, c, h * rows.length, w * (parts[0]?.length ?? 1)]));
}

/** Crops the padding, also from values in blocks. */
function cropped(g: Graph, x: Value, axis: number, { before, input }: Axis): Value {
  if (before === 0 && x.shape[axis] === input) return x;
  const known = blocksOf(g, x);
  if (!known) return window(g, x, axis, before, input);
  const [n = 1, c = 1, h = 1, w = 1] = known.shape;
  const cut = window(g, g.reshape(known, [(n * c) / g.block, h, w, g.block]), axis, before, input);
  return fromBlocks(g, g.reshape(cut, [n, c, cut.shape[1] ?? 1, cut.shape[2] ?? 1]));
}
