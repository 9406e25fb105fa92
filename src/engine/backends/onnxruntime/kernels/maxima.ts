import { type Graph, sizeOf, type Value } from "../graph.ts";
import { fromBlocks, toBlocks } from "./blocked.ts";
import { type Axis, window } from "./window.ts";

/** Windows that lie side by side, few elements each and all inside the input. */
export const isTiling = (axes: readonly Axis[]): boolean =>
  axes.every((a) => a.stride === a.kernel && a.before === 0 && a.output * a.kernel <= a.input) && area(axes) <= 16;
const area = (axes: readonly Axis[]): number => axes.reduce((product, a) => product * a.kernel, 1);

/**
 * Gradient of max pooling over side-by-side windows: each element of a window is compared with the window's maximum y, and the first that
 * equals it gets dy. Element-wise work in the layout that the neighbours use, in place of indices and a scatter.
 */
export function firstMaxima(g: Graph, dy: Value, x: Value, y: Value, axes: readonly Axis[]): Value {
  // In blocks, a group of channels is an image of its own.
  const [blockedX, blockedY] = [x, y].map((value) => g.noted("blocked", value));
  if (blockedX && blockedY && axes.length === 2) {
    const images = ({ shape: [n = 1, c = 1, ...plane] }: Value): number[] => [(n * c) / g.block, ...plane, g.block];
    const [d, v, m] = [toBlocks(g, dy), blockedX, blockedY].map((value) => g.reshape(value, images(value)));
    if (d && v && m) {
      const gradient = g.reshape(route(g, d, v, m, axes), blockedX.shape);
      return fromBlocks(g, gradient);
    }
  }
  return route(g, dy, x, y, axes);
}

/** [A,…h,C] with windows side by side as [window, elements]: element k of every window in row k. */
function byPlace(g: Graph, x: Value, axes: readonly Axis[]): Value {
  const [first = 1, channels = 1] = [x.shape[0], x.shape.at(-1)];
  const whole = axes.reduce((value, a, i) => window(g, value, i + 1, 0, a.output * a.kernel), x);
  const apart = g.reshape(whole, [first, ...axes.flatMap((a) => [a.output, a.kernel]), channels]);
  const places = axes.map((_, i) => 2 * i + 2);
  const rest = apart.shape.map((_, d) => d).filter((d) => !places.includes(d));
  return g.reshape(g.transpose(apart, [...places, ...rest]), [area(axes), sizeOf(whole.shape) / area(axes)]);
}

/** The opposite of `byPlace`: zeros where no window reaches. */
function inPlace(g: Graph, rows: Value, axes: readonly Axis[], shape: readonly number[]): Value {
  const [first = 1, channels = 1] = [shape[0], shape.at(-1)];
  const m = axes.length;
  const apart = g.reshape(rows, [...axes.map((a) => a.kernel), first, ...axes.map((a) => a.output), channels]);
  const perm = [m, ...axes.flatMap((_, i) => [m + 1 + i, i]), 2 * m + 1];
  const whole = g.reshape(g.transpose(apart, perm), [first, ...axes.map((a) => a.output * a.kernel), channels]);
  return axes.reduce((value, a, i) => window(g, value, i + 1, 0, a.input), whole);
}

function route(g: Graph, dy: Value, x: Value, y: Value, axes: readonly Axis[]): Value {
  const count = area(axes);
  const elements = sizeOf(y.shape);
  const flat = (value: Value): Value => g.reshape(value, [1, elements]);
  const equal = g.binary("Equal", byPlace(g, x, axes), flat(y), "bool");
  let taken: Value | undefined;
  const first = Array.from({ length: count }, (_, k): Value => {
    const here = g.slice(equal, [k, 0], [1, elements]);
    const wins = taken ? g.binary("And", here, g.unary("Not", taken)) : here;
    taken = taken ? g.binary("Or", taken, here) : here;
    return wins;
  });
  const gradient = g.binary("Mul", flat(dy), g.cast(g.concat(first, 0), "float32"));
  return inPlace(g, gradient, axes, x.shape);
}
