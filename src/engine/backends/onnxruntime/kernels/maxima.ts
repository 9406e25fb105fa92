import type { Graph, Value } from "../graph.ts";
import { fromBlocks, toBlocks } from "./blocked.ts";
import type { Axis } from "./window.ts";

/** Windows that lie side by side, few elements each and all inside the input. */
export const isTiling = (axes: readonly Axis[]): boolean =>
  axes.every((a) => a.stride === a.kernel && a.before === 0 && a.output * a.kernel <= a.input) && area(axes) <= 16;
const area = (axes: readonly Axis[]): number => axes.reduce((product, a) => product * a.kernel, 1);

/**
 * Gradient of max pooling over side-by-side windows: each element of a window is compared with the window's maximum y, and the first that
 * equals it gets dy. Element-wise work on strided slices, in the layout that the neighbours use, in place of indices and a scatter.
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

function route(g: Graph, dy: Value, x: Value, y: Value, axes: readonly Axis[]): Value {
  const steps = [1, ...axes.map((a) => a.kernel), 1];
  let open: Value | undefined;
  let parts = Array.from({ length: area(axes) }, (_, k): Value => {
    let rest = k;
    const offsets = axes.toReversed().map((a) => {
      const offset = rest % a.kernel;
      rest = Math.floor(rest / a.kernel);
      return offset;
    });
    const equal = g.binary("Equal", g.slice(x, [0, ...offsets.reverse(), 0], y.shape, steps), y, "bool");
    const first = open ? g.binary("And", open, equal) : equal;
    open = k === area(axes) - 1 ? open : open ? g.binary("And", open, g.unary("Not", equal)) : g.unary("Not", equal);
    return g.binary("Mul", dy, g.cast(first, "float32"));
  });
  // Interleaves the parts again, axis by axis from the last.
  for (let i = axes.length; i > 0; i--) {
    const kernel = axes[i - 1]?.kernel ?? 1;
    parts = Array.from({ length: parts.length / kernel }, (_, k) => {
      const group = parts.slice(k * kernel, (k + 1) * kernel);
      const shape = group[0]?.shape ?? [];
      const apart = group.map((part) => g.reshape(part, shape.toSpliced(i + 1, 0, 1)));
      return g.reshape(g.concat(apart, i + 1), shape.with(i, (shape[i] ?? 1) * kernel));
    });
  }
  const [whole] = parts;
  if (!whole) throw new Error("a window has at least one element");
  return g.pad(
    whole,
    x.shape.map((size, d) => [0, size - (whole.shape[d] ?? size)]),
  );
}
