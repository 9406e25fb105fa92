import type { Graph, Value } from "../graph.ts";
import { blockedDomain } from "../nchwc.ts";
import { filled, folded, fromBlocks, toBlocks, unblocked, unfolded } from "./blocked.ts";
import { conv2dFilterGradient } from "./filterGradient.ts";
import { blockedFilter } from "./filters.ts";
import { type Axis, window, windowAttributes } from "./window.ts";

/*
 * 3-D convolutions whose kernels reach beyond the first and the last slice, without computing products with the zeros there: of a kernel 3
 * deep over 4 slices they are a sixth of the work.
 */

type Axes = readonly [Axis, Axis, Axis];

/** Output depths [from, to) whose windows meet the kernel's slices [first, last) and nothing but zeros in the others. */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly last: number;
}
const mostSpans = 5;

/** The input slice that the k-th slice of the kernel meets at an output depth. */
const placeOf = (depth: Axis, output: number, k: number): number => output * depth.stride + k * depth.dilation - depth.before;

function spansOf(depth: Axis): Span[] {
  const spans: Span[] = [];
  for (let output = 0; output < depth.output; output++) {
    const met = [...Array(depth.kernel).keys()].filter((k) => placeOf(depth, output, k) >= 0 && placeOf(depth, output, k) < depth.input);
    const [first = 0, last = 0] = [met[0], (met.at(-1) ?? -1) + 1];
    const before = spans.at(-1);
    if (before?.first === first && before.last === last) spans[spans.length - 1] = { ...before, to: output + 1 };
    else spans.push({ from: output, to: output + 1, first, last });
  }
  return spans;
}

/** Spans, where they spare more of the work than it costs to put their results together again. */
function usefulSpans(depth: Axis): Span[] | undefined {
  const spans = spansOf(depth);
  const met = spans.reduce((sum, { from, to, first, last }) => sum + (to - from) * (last - first), 0);
  const isUseful = spans.length > 1 && spans.length <= mostSpans && met < (31 / 32) * depth.output * depth.kernel;
  return isUseful && spans.every(({ first, last }) => last > first) ? spans : undefined;
}

/**
 * Convolution of x [N,D,H,W,Cin] with w [kh,kw,kd·Cin,Cout], one in blocks for each span: [N,OD,OH,OW,Cout]. Undefined where there are no
 * blocks, the channels do not fill them, or all windows lie inside.
 */
export function convBySpans(g: Graph, x: Value, w: Value, [depth, ...plane]: Axes): Value | undefined {
  const [n = 1, d = 1, height = 1, width = 1, c = 1] = x.shape;
  const spans = g.block > 0 && c % g.block === 0 ? usefulSpans(depth) : undefined;
  if (!spans) return undefined;
  const slices = g.reshape(g.note("blocked", x, toBlocks(g, folded(g, x))), [n, d, height * width * c]);
  const [kh = 1, kw = 1, , co = 1] = w.shape;
  const whole = filled(g, w);
  const outputs = whole.shape[3] ?? 1;
  const bySlice = g.reshape(blockedFilter(g, whole), [outputs / g.block, depth.kernel, c * kh * kw * g.block]);
  const shape = [outputs, ...plane.map((a) => a.output)];
  const parts = spans.map(({ from, to, first, last }) => {
    const [count, taps] = [to - from, last - first];
    const places = Array.from({ length: count * taps }, (_, i) => placeOf(depth, from + Math.floor(i / taps), first + (i % taps)));
    const picked = g.op("Gather", [slices, g.ints(places)], [n, places.length, height * width * c], "float32", { axis: 1 });
    const filter = g.slice(bySlice, [0, first, 0], bySlice.shape.with(1, taps));
    const inputs = [g.reshape(picked, [n * count, taps * c, height, width]), g.reshape(filter, [outputs, taps * c, kh, kw])];
    return g.op("Conv", inputs, [n * count, ...shape], "float32", windowAttributes(plane), blockedDomain);
  });
  const size = shape.reduce((a, b) => a * b);
  const joined = g.concat(
    parts.map((part) => g.reshape(part, [n, (part.shape[0] ?? 1) / n, size])),
    1,
  );
  const raw = g.reshape(joined, [n * depth.output, ...shape]);
  for (const [i, part] of parts.entries()) g.note(`part ${i}`, raw, part);
  return unfolded(g, unblocked(g, raw, co), depth.output);
}

/**
 * Gradient with respect to w [kd,kh,kw,Cin,Cout] from x [N,D,H,W,Cin] and dy [N,OD,OH,OW,Cout]: that of a 2-D convolution for each slice of
 * the kernel, over the output depths at which it meets the volume. Undefined where the channels do not fill blocks.
 */
export function filterGradientBySlices(g: Graph, x: Value, dy: Value, [depth, rows, columns]: Axes): Value | undefined {
  const [n = 1, , height = 1, , c = 1] = x.shape;
  const [, , oh = 1, ow = 1, co = 1] = dy.shape;
  if (g.block === 0 || c % g.block !== 0 || co % g.block !== 0 || depth.stride !== 1) return undefined;
  const reach = (columns.kernel - 1) * columns.dilation + (columns.output - 1) * columns.stride + 1;
  const wide = window(g, x, 3, -columns.before, reach); // once for all slices
  const gradients = g.reshape(g.note("blocked", dy, toBlocks(g, folded(g, dy))), [n, depth.output, oh * ow * co]);
  const taps: Value[] = [];
  for (let k = 0; k < depth.kernel; k++) {
    const from = Math.max(0, -placeOf(depth, 0, k));
    const count = Math.min(depth.output, depth.input - placeOf(depth, 0, k)) - from;
    if (count < 1) return undefined;
    const met = g.slice(wide, [0, placeOf(depth, from, k), 0, 0, 0], [n, count, height, reach, c]);
    const part = g.slice(gradients, [0, from, 0], [n, count, oh * ow * co]);
    const flat = fromBlocks(g, g.reshape(part, [n * count, co, oh, ow]));
    taps.push(
      conv2dFilterGradient(g, g.reshape(met, [n * count, height, reach, c]), flat, [rows, { ...columns, before: 0, input: reach }]),
    );
  }
  const shape = [1, rows.kernel, columns.kernel, c, co];
  return g.concat(
    taps.map((tap) => g.reshape(tap, shape)),
    0,
  );
}
