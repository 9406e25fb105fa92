import type { Graph, Value } from "../graph.ts";
import { elementwise } from "./blocked.ts";

/*
 * The gradient of a ReLU is dy · mask. Where dy is the gradient of a max pool over that ReLU, it may as well be masked before it is spread
 * over the windows: the element that receives it has the window's maximum as its value. That touches a quarter of the elements, or fewer.
 */

/** 1 where the ReLU's result is positive, 0 elsewhere, in the layout that the result has. */
export function reluMask(g: Graph, rectified: Value): Value {
  const mask = (v: Value): Value => g.cast(g.binary("Greater", v, g.scalar(0), "bool"), "float32");
  const result = elementwise(g, [rectified], mask);
  g.note("mask of", result, rectified);
  return result;
}

/** dy · mask, in the layout that both have. */
const masked = (g: Graph, dy: Value, mask: Value): Value => elementwise(g, [dy, mask], (a, b = mask) => g.binary("Mul", a, b));

/** Records, beside the gradient of a max pool x → y, the same gradient with x's ReLU mask applied first. A variant that is never read is not written to the graph. */
export function noteMasked(g: Graph, gradient: Value, x: Value, dy: Value, y: Value, spread: (dy: Value) => Value): Value {
  g.note(`masked by ${x.name}`, gradient, spread(masked(g, dy, reluMask(g, y))));
  return gradient;
}

/** The recorded dy · mask, where there is one. */
export function knownMasked(g: Graph, dy: Value, mask: Value): Value | undefined {
  const rectified = g.noted("mask of", mask);
  return rectified && g.noted(`masked by ${rectified.name}`, dy);
}
