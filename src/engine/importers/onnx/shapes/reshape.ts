import { countOf } from "../../strided.ts";
import { intOf } from "../graph.ts";
import { isConstant } from "../values.ts";
import type { FixedBatch, ShapeContext, ShapeRule } from "./context.ts";

const text = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** Target sizes of a Reshape, resolved: 0 copies the input's size at that axis, −1 is inferred. Undefined if the counts differ. */
function wantedSizes(o: ShapeContext, target: readonly number[], shape: readonly number[]): number[] | undefined {
  const isZeroReal = intOf(o.node, "allowzero", 0) === 1;
  if (isZeroReal && target.includes(0)) o.fail("makes a tensor of no numbers");
  const sizes = target.map((side, i) => (side === 0 ? (shape[i] ?? o.fail(`copies the size of axis ${i}, which does not exist`)) : side));
  if (sizes.filter((side) => side === -1).length > 1 || sizes.some((side) => side < -1)) o.fail(`asks for the sizes ${text(target)}`);
  const known = countOf(sizes.filter((side) => side !== -1));
  const rest = countOf(shape) / known;
  if (!Number.isInteger(rest)) return undefined;
  const all = sizes.map((side) => (side === -1 ? rest : side));
  return countOf(all) === countOf(shape) ? all : undefined;
}

const reshape: ShapeRule = (o) => {
  const shape = o.shape(0);
  const target = o.ints(1) ?? o.node.attributes.get("shape")?.ints ?? o.fail("does not say its sizes");
  const { fixed } = o;
  const isLiteral = fixed !== undefined && !isConstant(o.input(0)) && isWrittenOut(o, target, fixed);
  const sizes = isLiteral ? withBatch(o, target, fixed) : wantedSizes(o, target, shape);
  return [{ kind: o.input(0).kind, shape: sizes ?? o.fail(`reshapes ${text(shape)} to ${text(target)}`) }];
};

/** Target sizes that are the same for another batch size, although some may be computed from the sizes of a picture, as Swin's windows are. */
function isWrittenOut({ node }: ShapeContext, target: readonly number[], fixed: FixedBatch): boolean {
  const before = fixed.numbers(node.inputs[1] ?? "");
  return before === undefined || target.every((side, i) => side === before[i]);
}

/** The target sizes with B in place of the file's N. */
function withBatch(o: ShapeContext, target: readonly number[], fixed: FixedBatch): number[] | undefined {
  const shape = o.shape(0);
  const before = fixed.literal(o.node.inputs[0] as string);
  const after = wantedSizes(o, target, before);
  const from = shape.findIndex((side, i) => side !== before[i]);
  if (!after || from < 0) return after;
  const first = countOf(before.slice(0, from));
  const open = readingsOf(after, [(first * (before[from] as number)) / fixed.count, first], fixed.count);
  const chosen = open.length > 1 ? open[fixed.reading(open.length)] : open[0];
  if (chosen === undefined) return undefined;
  return after.map((side, i) => (i === chosen ? (side / fixed.count) * fixed.batch : side));
}

/**
 * Axes that the batch size N may have gone into. Before the Reshape N stood after `places` elements, at the end or start of its axis. A size
 * of N at such a position is certain. Otherwise N is part of the next size, as in heads·B of torch, or of the previous one.
 */
function readingsOf(sizes: readonly number[], places: readonly [end: number, start: number], count: number): number[] {
  const starts = sizes.map((_, i) => countOf(sizes.slice(0, i)));
  const fits = (i: number): boolean => (sizes[i] as number) % count === 0;
  const at = (place: number): number[] => starts.flatMap((start, i) => (start === place && fits(i) ? [i] : []));
  const exact = places.flatMap(at).find((i) => sizes[i] === count);
  if (exact !== undefined) return [exact];
  const [end, start] = places;
  const found = [start, end].flatMap((place) => {
    const following = at(place).find((i) => sizes[i] !== 1);
    const previous = starts.findLastIndex((begin, i) => begin * (sizes[i] as number) === place && sizes[i] !== 1 && fits(i));
    return [following ?? -1, previous].filter((i) => i >= 0);
  });
  const around = starts.findIndex((begin, i) => begin <= start && start < begin * (sizes[i] as number));
  return [...new Set(found.length > 0 ? found : [around])].filter((i) => i >= 0);
}

const flatten: ShapeRule = (o) => {
  const shape = o.shape(0);
  const given = intOf(o.node, "axis", 1);
  const axis = given === shape.length ? given : o.axis(given, shape.length);
  return [{ kind: o.input(0).kind, shape: [countOf(shape.slice(0, axis)), countOf(shape.slice(axis))] }];
};

/** The permutation of a Transpose. Negative axes, which no ONNX file has, order the last ones of a value whose rank was not known. */
export function permutationOf(o: ShapeContext): readonly number[] {
  const rank = o.shape(0).length;
  const given = o.node.attributes.get("perm")?.ints ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  const leading = Array.from({ length: Math.max(0, rank - given.length) }, (_, i) => i);
  const order = given.some((axis) => axis < 0) ? [...leading, ...given.map((axis) => rank + axis)] : given;
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

/** Operators that only relabel axes. */
export const reshapeShapes: readonly [string, ShapeRule][] = [
  ["Reshape", reshape],
  ["Flatten", flatten],
  ["Transpose", transpose],
  ["Squeeze", squeeze],
  ["Unsqueeze", unsqueeze],
];
