import { type Graph, sizeOf, type Value } from "../graph.ts";
import { blocksOf, fromBlocks, toBlocks } from "./blocked.ts";
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
  const [blockedX, blockedY] = [x, y].map((value) => blocksOf(g, value));
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

/** For each element of a plane, its number when the planes' windows are sorted by the place in the window. */
function sortedByPlace(axes: readonly Axis[]): number[] {
  let [places, windows] = [[0], [0]];
  for (const { kernel, output } of axes) {
    const along = Array.from({ length: output * kernel }, (_, i) => i);
    places = places.flatMap((place) => along.map((i) => place * kernel + (i % kernel)));
    windows = windows.flatMap((origin) => along.map((i) => origin * output + Math.floor(i / kernel)));
  }
  const count = axes.reduce((product, a) => product * a.output, 1);
  return places.map((place, i) => place * count + (windows[i] ?? 0));
}

/** [A,…H,C] with windows side by side as [A, place in the window, windows · C]. A Gather copies on several threads, a Transpose on one. */
function byPlace(g: Graph, x: Value, axes: readonly Axis[]): Value {
  const [first = 1, channels = 1] = [x.shape[0], x.shape.at(-1)];
  const whole = axes.reduce((value, a, i) => window(g, value, i + 1, 0, a.output * a.kernel), x);
  const sorted = sortedByPlace(axes);
  const sources = sorted.slice();
  for (const [element, number] of sorted.entries()) sources[number] = element;
  const pixels = g.reshape(whole, [first, sorted.length, channels]);
  const parts = g.op("Gather", [pixels, g.ints(sources)], pixels.shape, "float32", { axis: 1 });
  return g.reshape(parts, [first, area(axes), (sorted.length / area(axes)) * channels]);
}

/** The opposite of `byPlace`; zeros where no window reaches. */
function inPlace(g: Graph, parts: Value, axes: readonly Axis[], shape: readonly number[]): Value {
  const [first = 1, channels = 1] = [shape[0], shape.at(-1)];
  const sorted = sortedByPlace(axes);
  const pixels = g.reshape(parts, [first, sorted.length, channels]);
  const whole = g.op("Gather", [pixels, g.ints(sorted)], pixels.shape, "float32", { axis: 1 });
  const plane = g.reshape(whole, [first, ...axes.map((a) => a.output * a.kernel), channels]);
  return axes.reduce((value, a, i) => window(g, value, i + 1, 0, a.input), plane);
}

function route(g: Graph, dy: Value, x: Value, y: Value, axes: readonly Axis[]): Value {
  const first = x.shape[0] ?? 1;
  const single = [first, 1, sizeOf(y.shape) / first];
  const equal = g.binary("Equal", byPlace(g, x, axes), g.reshape(y, single), "bool");
  let taken: Value | undefined;
  const winners = Array.from({ length: area(axes) }, (_, k): Value => {
    const here = g.slice(equal, [0, k, 0], single);
    const wins = taken ? g.binary("And", here, g.unary("Not", taken)) : here;
    taken = taken ? g.binary("Or", taken, here) : here;
    return wins;
  });
  const gradient = g.binary("Mul", g.reshape(dy, single), g.cast(g.concat(winners, 1), "float32"));
  return inPlace(g, gradient, axes, x.shape);
}
