import type { Graph, Value } from "../graph.ts";

/** How a kernel or pooling window moves over one spatial axis. */
export interface Axis {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before the first element. */
  readonly before: number;
  readonly input: number;
  readonly output: number;
}

export const extent = (axis: Axis): number => (axis.kernel - 1) * axis.dilation + 1;
/** Zeros behind the last element that the last window needs; tfjs' own figure may be larger (never read) or, with rounding up, smaller. */
export const after = (axis: Axis): number => Math.max(0, (axis.output - 1) * axis.stride + extent(axis) - axis.input - axis.before);

/** ONNX attributes of a convolution or pooling over these axes. */
export const windowAttributes = (axes: readonly Axis[]) => ({
  kernel_shape: axes.map((axis) => axis.kernel),
  strides: axes.map((axis) => axis.stride),
  dilations: axes.map((axis) => axis.dilation),
  pads: [...axes.map((axis) => axis.before), ...axes.map(after)],
});

/** Axes as key text. */
export const axesKey = (axes: readonly Axis[]): string =>
  axes.map((a) => [a.kernel, a.stride, a.dilation, a.before, a.input, a.output].join()).join("|");

/** [N, …, C] → [N, C, …]. */
export const channelsFirst = (g: Graph, x: Value): Value => {
  const rank = x.shape.length;
  return g.transpose(x, [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)]);
};
/** [N, C, …] → [N, …, C]. */
export const channelsLast = (g: Graph, x: Value): Value => {
  const rank = x.shape.length;
  return g.transpose(x, [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1]);
};

/** Crops or zero-pads one axis so that [begin, begin + size) of it is left; `begin` may be negative. */
export function window(g: Graph, x: Value, axis: number, begin: number, size: number): Value {
  const have = x.shape[axis] ?? 1;
  const first = Math.max(0, begin);
  const last = Math.min(have, begin + size);
  const cut = g.slice(
    x,
    x.shape.map((_, d) => (d === axis ? first : 0)),
    x.shape.with(axis, last - first),
  );
  return g.pad(
    cut,
    x.shape.map((_, d) => (d === axis ? [first - begin, begin + size - last] : [0, 0])),
  );
}
