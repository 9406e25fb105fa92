import type { tfl } from "../../tf.ts";

/** tfjs gives the shape of a single input as it is, and that of a list with one input as a list. */
export const firstShape = (shape: tfl.Shape | tfl.Shape[]): tfl.Shape => {
  const [first] = shape;
  return Array.isArray(first) ? first : (shape as tfl.Shape);
};

/** An axis, which may be negative, counted from the start. @throws Error naming the layer, for an axis that does not exist, or the batch */
export function ownAxis(layer: { readonly name: string }, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(found) && found > 0 && found < rank) return found;
  throw new Error(`Layer ${layer.name} works along axis ${axis}, but its input has the axes 1 to ${rank - 1} behind the batch`);
}

/** @throws Error naming the layer, for channels that its groups cannot share */
export function checkGroups(layer: { readonly name: string; readonly groups: number }, channels: number): void {
  if (channels % layer.groups !== 0)
    throw new Error(`Layer ${layer.name} has ${layer.groups} groups, which cannot share the ${channels} channels of its input`);
}

/** Shapes of several inputs as a list, also where there is one alone. */
export const allShapes = (shapes: tfl.Shape | tfl.Shape[]): tfl.Shape[] => (Array.isArray(shapes[0]) ? shapes : [shapes]) as tfl.Shape[];

/** Shape that these broadcast to, aligned at their ends; axes of length 1 are repeated. @throws Error naming the layer */
export function commonShape(layer: { readonly name: string }, shapes: readonly tfl.Shape[]): tfl.Shape {
  return shapes.reduce((a, b) => {
    const rank = Math.max(a.length, b.length);
    return Array.from({ length: rank }, (_, axis): number | null => {
      const [first = 1, second = 1] = [a[a.length - rank + axis], b[b.length - rank + axis]];
      if (first === second || second === 1) return first;
      if (first === 1 || first === null) return second;
      if (second === null) return first;
      throw new Error(`Layer ${layer.name} combines tensors [${a.join(", ")}] and [${b.join(", ")}], which do not fit`);
    });
  });
}

/** Shape that inputs of the same rank and a constant without a batch broadcast to. @throws Error naming the layer */
export function combinedShape(
  layer: { readonly name: string },
  shapes: tfl.Shape | tfl.Shape[],
  constant: readonly number[] | null,
): tfl.Shape {
  const inputs = allShapes(shapes);
  sameRank(layer, inputs);
  return commonShape(layer, [...inputs, ...(constant ? [[...constant]] : [])]);
}

/** @throws Error naming the layer, for inputs of different rank: their batch axes would not line up */
export function sameRank(layer: { readonly name: string }, shapes: readonly tfl.Shape[]): void {
  if (new Set(shapes.map((shape) => shape.length)).size > 1) throw new Error(`Layer ${layer.name} combines tensors of different rank`);
}
