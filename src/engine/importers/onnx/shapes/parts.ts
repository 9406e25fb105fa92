import { broadcast, countOf } from "../../strided.ts";
import { intOf, textOf } from "../graph.ts";
import { isConstant } from "../values.ts";
import type { ShapeContext, ShapeRule } from "./context.ts";

/** A slice along one axis. */
export interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly size: number;
}

/** The cuts of a Slice. Negative bounds count from the end, and bounds are clamped to the axis. */
export function cutsOf(o: ShapeContext): readonly Cut[] {
  const shape = o.shape(0);
  const starts = o.attributeOrInput("starts", 1) ?? o.fail("does not say where it starts");
  const ends = o.attributeOrInput("ends", 2) ?? o.fail("does not say where it ends");
  const axes = o.attributeOrInput("axes", 3) ?? starts.map((_, i) => i);
  const steps = o.ints(4) ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length)
    o.fail("does not say a start and an end for every axis");
  return starts.map((start, i) => {
    const axis = o.axis(axes[i] as number, shape.length);
    const [side, step, end] = [shape[axis] as number, steps[i] as number, ends[i] as number];
    if (step === 0) o.fail("takes steps of 0");
    const [low, high] = step > 0 ? [0, side] : [-1, side - 1];
    const inside = (value: number, least: number): number => Math.min(Math.max(value < 0 ? value + side : value, least), high);
    const [first, last] = [inside(start, Math.max(low, 0)), inside(end, low)];
    return { axis, start: first, step, size: Math.max(0, Math.ceil((last - first) / step)) };
  });
}

const slice: ShapeRule = (o) => {
  const shape = [...o.shape(0)];
  for (const { axis, size } of cutsOf(o)) shape[axis] = size;
  return [{ kind: o.input(0).kind, shape }];
};

/** The axis of a Split, and the sizes of its parts. */
export function partsOf(o: ShapeContext): { readonly axis: number; readonly sizes: readonly number[] } {
  const axis = o.axis(intOf(o.node, "axis", 0), o.shape(0).length);
  const side = o.shape(0)[axis] as number;
  const given = o.attributeOrInput("split", 1);
  const count = given?.length ?? intOf(o.node, "num_outputs", o.node.outputs.length);
  const part = Math.ceil(side / count);
  const sizes = given ?? Array.from({ length: count }, (_, i) => Math.max(0, Math.min(part, side - i * part)));
  const isUneven = given === undefined && side % count !== 0 && !o.node.attributes.has("num_outputs");
  if (sizes.reduce((a, b) => a + b, 0) !== side || sizes.length < o.node.outputs.length || isUneven)
    o.fail(`splits ${side} into ${isUneven ? `${count} equal parts` : sizes.join(", ")}`);
  return { axis, sizes };
}

const split: ShapeRule = (o) => {
  const { axis, sizes } = partsOf(o);
  return o.node.outputs.map((_, i) => ({
    kind: o.input(0).kind,
    shape: o.shape(0).map((side, a) => (a === axis ? (sizes[i] as number) : side)),
  }));
};

const concat: ShapeRule = (o) => {
  const inputs = o.node.inputs.map((_, i) => o.input(i));
  const first = inputs.find((value) => !isConstant(value)) ?? o.input(0); // constants may have the file's batch size
  const axis = o.axis(intOf(o.node, "axis", o.node.opset < 4 ? 1 : 0), first.shape.length);
  const fits = inputs.every(({ shape }) => {
    const others = shape.every((side, i) => i === axis || side === first.shape[i] || (o.fixed !== undefined && side === o.fixed.count));
    return shape.length === first.shape.length && others;
  });
  if (!fits) o.fail(`joins ${inputs.map(({ shape }) => `[${shape.join(", ")}]`).join(" and ")} along axis ${axis}`);
  const side = inputs.reduce((sum, { shape }) => sum + (shape[axis] as number), 0);
  return [{ kind: first.kind, shape: first.shape.map((one, i) => (i === axis ? side : one)) }];
};

const gather: ShapeRule = (o) => {
  const shape = o.shape(0);
  const axis = o.axis(intOf(o.node, "axis", 0), shape.length);
  return [{ kind: o.input(0).kind, shape: [...shape.slice(0, axis), ...o.shape(1), ...shape.slice(axis + 1)] }];
};

const gatherNd: ShapeRule = (o) => {
  const places = o.shape(1);
  const depth = intOf(o.node, "batch_dims", 0) + (places.at(-1) ?? 0);
  return [{ kind: o.input(0).kind, shape: [...places.slice(0, -1), ...o.shape(0).slice(depth)] }];
};

const gatherElements: ShapeRule = (o) => [{ kind: o.input(0).kind, shape: o.shape(1) }];

/** The index of an extreme along an axis, which then has size 1, or goes. */
const argument: ShapeRule = (o) => {
  const shape = o.shape(0);
  const axis = o.axis(intOf(o.node, "axis", 0), shape.length);
  return [{ kind: "int", shape: intOf(o.node, "keepdims", 1) === 1 ? shape.with(axis, 1) : shape.toSpliced(axis, 1) }];
};

const topK: ShapeRule = (o) => {
  const axis = o.axis(intOf(o.node, "axis", -1), o.shape(0).length);
  const count = o.ints(1)?.[0] ?? o.fail("does not say how many");
  const side = o.shape(0)[axis] as number;
  if (!Number.isInteger(count) || count < 0 || count > side) o.fail(`takes ${count} of ${side}`);
  const shape = o.shape(0).with(axis, count);
  return [
    { kind: o.input(0).kind, shape },
    { kind: "int", shape },
  ];
};

const oneHot: ShapeRule = (o) => {
  const shape = o.shape(0);
  const axis = o.axis(intOf(o.node, "axis", -1), shape.length + 1);
  const depth = o.ints(1)?.[0] ?? o.fail("does not say how many classes");
  if (!Number.isInteger(depth) || depth < 1 || depth * countOf(shape) > 2 ** 31) o.fail(`has ${depth} classes`);
  return [{ kind: o.input(2).kind, shape: shape.toSpliced(axis, 0, depth) }];
};

const expand: ShapeRule = (o) => {
  const target = o.ints(1) ?? [];
  const shape = broadcast(o.shape(0), target);
  return [{ kind: o.input(0).kind, shape: shape ?? o.fail(`expands [${o.shape(0).join(", ")}] to [${target.join(", ")}]`) }];
};

const tile: ShapeRule = (o) => {
  const repeats = o.ints(1) ?? [];
  if (repeats.length !== o.shape(0).length || repeats.some((count) => count < 0))
    o.fail(`repeats ${o.shape(0).length} axes ${repeats.join(", ")} times`);
  return [{ kind: o.input(0).kind, shape: o.shape(0).map((side, i) => side * (repeats[i] as number)) }];
};

/** Padding before and after along each axis; negative padding crops. */
export function padsOf(o: ShapeContext): { readonly before: readonly number[]; readonly after: readonly number[]; readonly mode: string } {
  const rank = o.shape(0).length;
  const pads = o.attributeOrInput("pads", 1) ?? o.fail("does not say its pads");
  const axes = o.ints(3)?.map((axis) => o.axis(axis, rank)) ?? Array.from({ length: rank }, (_, i) => i);
  if (pads.length !== 2 * axes.length) o.fail(`has ${pads.length} pads for ${axes.length} axes`);
  const [before, after] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  axes.forEach((axis, i) => {
    before[axis] = pads[i] as number;
    after[axis] = pads[i + axes.length] as number;
  });
  return { before, after, mode: textOf(o.node, "mode", "constant") };
}

const pad: ShapeRule = (o) => {
  const { before, after } = padsOf(o);
  const shape = o.shape(0).map((side, i) => side + (before[i] as number) + (after[i] as number));
  if (shape.some((side) => side < 1)) o.fail(`cuts [${o.shape(0).join(", ")}] to [${shape.join(", ")}]`);
  return [{ kind: o.input(0).kind, shape }];
};

/** Axes that a reduction removes. Without axes it reduces all, or none if `noop_with_empty_axes` is set. */
export function reducedAxes(o: ShapeContext): readonly number[] {
  const rank = o.shape(0).length;
  const given = o.attributeOrInput("axes", 1);
  if (given && given.length > 0) return given.map((axis) => o.axis(axis, rank));
  return intOf(o.node, "noop_with_empty_axes", 0) === 1 ? [] : Array.from({ length: rank }, (_, i) => i);
}

const reduce: ShapeRule = (o) => {
  const axes = reducedAxes(o);
  const keeps = intOf(o.node, "keepdims", 1) === 1;
  const sides = o.shape(0).map((side, i) => (axes.includes(i) ? 1 : side));
  return [{ kind: o.input(0).kind, shape: keeps ? sides : sides.filter((_, i) => !axes.includes(i)) }];
};

const matMul: ShapeRule = (o) => {
  const [a, b] = [o.shape(0), o.shape(1)];
  const [left, right] = [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
  const batch = broadcast(left.slice(0, -2), right.slice(0, -2));
  if (!batch || a.length === 0 || b.length === 0 || left.at(-1) !== right.at(-2))
    return o.fail(`multiplies [${a.join(", ")}] by [${b.join(", ")}]`);
  const shape = [...batch, ...(a.length === 1 ? [] : [left.at(-2) as number]), ...(b.length === 1 ? [] : [right.at(-1) as number])];
  return [{ kind: "float", shape }];
};

const gemm: ShapeRule = (o) => {
  const [a, b] = [o.shape(0), o.shape(1)];
  const [m, k] = intOf(o.node, "transA", 0) === 1 ? [a[1], a[0]] : a;
  const [inner, n] = intOf(o.node, "transB", 0) === 1 ? [b[1], b[0]] : b;
  if (a.length !== 2 || b.length !== 2 || k !== inner) o.fail(`multiplies [${a.join(", ")}] by [${b.join(", ")}]`);
  const shape = [m as number, n as number];
  if (o.inputs[2] && broadcast(o.shape(2), shape)?.join() !== shape.join())
    o.fail(`adds [${o.shape(2).join(", ")}] to [${shape.join(", ")}]`);
  return [{ kind: "float", shape }];
};

/** Operators that slice, join, pad, reduce and multiply. */
export const partShapes: readonly [string, ShapeRule][] = [
  ["Slice", slice],
  ["Split", split],
  ["Concat", concat],
  ["Gather", gather],
  ["GatherND", gatherNd],
  ["GatherElements", gatherElements],
  ["ArgMax", argument],
  ["ArgMin", argument],
  ["TopK", topK],
  ["OneHot", oneHot],
  ["Expand", expand],
  ["Tile", tile],
  ["Pad", pad],
  ["MatMul", matMul],
  ["Gemm", gemm],
  ...["Mean", "Sum", "Max", "Min", "Prod", "SumSquare", "LogSum", "LogSumExp", "L1", "L2"].map((name): [string, ShapeRule] => [
    `Reduce${name}`,
    reduce,
  ]),
];
