import { intOf } from "../graph.ts";
import { countOf } from "../strided.ts";
import { isConstant } from "../values.ts";
import type { FixedBatch, ShapeContext, ShapeRule } from "./context.ts";

const text = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** The sizes that a Reshape asks for: 0 copies the input's at that place, −1 is what is left. */
function wantedSizes(o: ShapeContext, target: readonly number[], shape: readonly number[]): number[] | undefined {
  const isZeroReal = intOf(o.node, "allowzero", 0) === 1;
  if (isZeroReal && target.includes(0)) o.fail("makes a tensor of no numbers");
  const sizes = target.map((side, i) => (side === 0 ? (shape[i] ?? o.fail(`copies the size of axis ${i}, which there is not`)) : side));
  if (sizes.filter((side) => side === -1).length > 1 || sizes.some((side) => side < -1)) o.fail(`asks for the sizes ${text(target)}`);
  const known = countOf(sizes.filter((side) => side !== -1));
  const rest = countOf(shape) / known;
  if (!Number.isInteger(rest)) return undefined;
  const all = sizes.map((side) => (side === -1 ? rest : side));
  return countOf(all) === countOf(shape) ? all : undefined;
}

/** Zero as the target's size copies, so that a target of B by Shape is right for any B. */
const reshape: ShapeRule = (o) => {
  const shape = o.shape(0);
  const target = o.ints(1) ?? o.node.attributes.get("shape")?.ints ?? o.fail("does not say its sizes");
  const value = o.inputs[1];
  const { fixed } = o;
  const isLiteral = fixed !== undefined && !isConstant(o.input(0)) && !(isConstant(value) && value.isOfBatch);
  const sizes = isLiteral ? withBatch(o, target, fixed) : wantedSizes(o, target, shape);
  return [{ kind: o.input(0).kind, shape: sizes ?? o.fail(`reshapes ${text(shape)} to ${text(target)}`) }];
};

/**
 * The sizes with B in the place of the file's N. N·k may mean B at more than one place where N is 1: it goes to a 1 at its place among the
 * factors, else into the size that follows (torch writes heads·B so) or, as another reading, into the one before.
 */
function withBatch(o: ShapeContext, target: readonly number[], fixed: FixedBatch): number[] | undefined {
  const shape = o.shape(0);
  const before = fixed.literal(o.node.inputs[0] as string);
  const after = wantedSizes(o, target, before);
  const from = shape.findIndex((side, i) => side !== before[i]);
  if (!after || from < 0) return after;
  const place = countOf(before.slice(0, from));
  const places = after.map((_, i) => countOf(after.slice(0, i)));
  const at = (i: number): boolean => places[i] === place && (after[i] as number) % fixed.count === 0;
  const exact = after.findIndex((side, i) => at(i) && side === fixed.count);
  const following = after.findIndex((side, i) => at(i) && side !== 1);
  const previous = after.findLastIndex((side, i) => (places[i] as number) * side === place && side !== 1);
  const around = after.findIndex((side, i) => (places[i] as number) <= place && place < (places[i] as number) * side);
  const open = [following, previous].filter((i) => i >= 0);
  const chosen = exact >= 0 ? exact : open.length > 1 ? (open[fixed.reading()] as number) : (open[0] ?? around);
  if (chosen < 0) return undefined;
  return after.map((side, i) => (i === chosen ? (side / fixed.count) * fixed.batch : side));
}

const flatten: ShapeRule = (o) => {
  const shape = o.shape(0);
  const given = intOf(o.node, "axis", 1);
  const axis = given === shape.length ? given : o.axis(given, shape.length);
  return [{ kind: o.input(0).kind, shape: [countOf(shape.slice(0, axis)), countOf(shape.slice(axis))] }];
};

/** The order that a Transpose gives the axes. */
export function permutationOf(o: ShapeContext): readonly number[] {
  const rank = o.shape(0).length;
  const order = o.node.attributes.get("perm")?.ints ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const isOrder = order.length === rank && [...order].sort((a, b) => a - b).every((axis, i) => axis === i);
  return isOrder ? order : o.fail(`orders ${rank} axes as ${order.join(", ")}`);
}

const transpose: ShapeRule = (o) => [{ kind: o.input(0).kind, shape: permutationOf(o).map((axis) => o.shape(0)[axis] as number) }];

const squeeze: ShapeRule = (o) => {
  const shape = o.shape(0);
  const given = o.attributeOrInput("axes", 1);
  const axes = given ? given.map((axis) => o.axis(axis, shape.length)) : shape.flatMap((side, i) => (side === 1 ? [i] : []));
  if (axes.some((axis) => shape[axis] !== 1)) o.fail(`drops axes ${axes.join(", ")} of ${text(shape)}`);
  return [{ kind: o.input(0).kind, shape: shape.filter((_, i) => !axes.includes(i)) }];
};

const unsqueeze: ShapeRule = (o) => {
  const shape = [...o.shape(0)];
  const given = o.attributeOrInput("axes", 1) ?? o.fail("does not say its axes");
  const rank = shape.length + given.length;
  const axes = new Set(given.map((axis) => o.axis(axis, rank)));
  if (axes.size < given.length) o.fail("names an axis twice");
  return [{ kind: o.input(0).kind, shape: Array.from({ length: rank }, (_, i) => (axes.has(i) ? 1 : (shape.shift() as number))) }];
};

/** Operators that only say otherwise which axes there are. */
export const reshapeShapes: readonly [string, ShapeRule][] = [
  ["Reshape", reshape],
  ["Flatten", flatten],
  ["Transpose", transpose],
  ["Squeeze", squeeze],
  ["Unsqueeze", unsqueeze],
];
