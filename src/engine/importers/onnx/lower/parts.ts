import { countOf } from "../../strided.ts";
import { batch } from "../analysis.ts";
import { intOf, type Node, textOf } from "../graph.ts";
import { everyFactor, physicalGroups, reshaped, type Stored, shapeOfStored } from "../layout.ts";
import { type Cut, cutsOf, partsOf, reducedAxes } from "../shapes/parts.ts";
import { permutationOf } from "../shapes/reshape.ts";
import { globalPooling } from "./images.ts";
import type { Lower, Lowering } from "./lowering.ts";

const same: Lower = (node, o) => o.set(node.outputs[0], o.stored(node, 0));

/** Only relabels axes, unless sizes do not divide each other: then numbers are brought into the file's order first. */
const reshape: Lower = (node, o) => {
  const target = o.shape(node.outputs[0] as string);
  const value = o.stored(node, 0);
  const found = reshaped(value, target);
  if (found) return o.set(node.outputs[0], found);
  const order = value.axes.flat();
  if (order[0] !== 0) return o.refuse(node, "across the pictures of a batch");
  const moved = o.arranged(node, 0, [[0], order.slice(1)]);
  const sizes = [batch, countOf(moved.physical.slice(1))];
  const flat = reshaped({ ref: moved.ref, physical: sizes, sizes, axes: [[0], [1]] }, target);
  o.set(node.outputs[0], flat ?? o.refuse(node, "across the pictures of a batch"));
};

const transpose: Lower = (node, o) => {
  const value = o.stored(node, 0);
  o.set(node.outputs[0], { ...value, axes: permutationOf(o.context(node)).map((axis) => value.axes[axis] ?? []) });
};

interface Isolated {
  readonly value: Stored;
  /** Axis of the tensor. */
  readonly group: number;
  readonly factor: number;
}

/** An input whose given axis is an axis of its tensor, for a layer that works along it. */
function isolated(node: Node, index: number, axis: number, o: Lowering): Isolated {
  const single = o.replace(node.inputs[index], o.layout.single(o.stored(node, index), axis, node));
  const [factor] = single.axes[axis] ?? [];
  if (factor === 0) return o.refuseMixing(node);
  if (factor === undefined) return o.refuse(node, "along an axis of size 1");
  const own = physicalGroups(single);
  const place = own.findIndex((group) => group.includes(factor));
  if (own[place]?.length === 1) return { value: single, group: place, factor };
  const value = o.arranged(
    node,
    index,
    everyFactor(single).map((one) => [one]),
  );
  return { value, group: factor, factor };
}

/** The value after a layer that changes the size of one factor. */
function resized({ value, group, factor }: Isolated, ref: Stored["ref"], size: number): Stored {
  return { ...value, ref, physical: value.physical.with(group, size), sizes: value.sizes.with(factor, size) };
}

/** A slice along one axis. */
function taken(at: Isolated, { start, step, size }: Cut, node: Node, o: Lowering, suffix: string): Stored {
  const side = at.value.sizes[at.factor] as number;
  const last = start + step * size;
  const end = last < 0 ? -side - 1 : last;
  const config = { axes: [at.group], starts: [start], ends: [end], steps: [step] };
  return resized(at, o.emit("SliceLayer", node, [at.value], { suffix, config }), size);
}

const slice: Lower = (node, o) => {
  const shape = o.shape(node.inputs[0] as string);
  const context = o.context(node);
  const cuts = cutsOf(context).filter(({ axis, size, step }) => size !== context.shape(0)[axis] || step !== 1);
  if (cuts.some(({ axis }) => (shape[axis] as number) >= batch)) o.refuseMixing(node);
  let value = o.stored(node, 0);
  let source = node;
  cuts.forEach((cut, i) => {
    if (shape[cut.axis] === 1) return;
    const at = isolated(source, 0, cut.axis, o);
    value = taken(at, cut, node, o, i === 0 ? "" : `_${cut.axis}`);
    const name = `${node.outputs[0]}/${cut.axis}`;
    o.set(name, value);
    source = { ...node, inputs: [name] };
  });
  o.set(node.outputs[0], value);
};

const split: Lower = (node, o) => {
  const { axis, sizes } = partsOf(o.context(node));
  let start = 0;
  node.outputs.forEach((name, i) => {
    const size = sizes[i] as number;
    const isUsed = o.isUsed(name);
    if (isUsed && node.outputs.length === 1) o.set(name, o.stored(node, 0));
    else if (isUsed) o.set(name, taken(isolated(node, 0, axis, o), { axis, start, step: 1, size }, node, o, `_${i}`));
    start += size;
  });
};

/** A scalar index takes one slice and drops the axis; a list takes several. */
const gather: Lower = (node, o) => {
  if (!o.isLive(node.inputs[0])) return o.refuse(node, "by indices that depend on the picture: it looks like a model of text");
  const context = o.context(node);
  const indices = o.weight(node, 1);
  const shape = o.shape(node.inputs[0]);
  const axis = context.axis(intOf(node, "axis", 0), shape.length);
  const places = [...indices.data].map((index) => context.axis(index, shape[axis] as number));
  const [first = 0] = places;
  if (indices.shape.length > 1) o.refuse(node, `by indices [${indices.shape.join(", ")}]`);
  if ((shape[axis] as number) >= batch) o.refuse(node, "across the pictures of a batch");
  const isDropped = indices.shape.length === 0;
  const dropped = (value: Stored): Stored => (isDropped ? { ...value, axes: value.axes.toSpliced(axis, 1) } : value);
  if (shape[axis] === 1 && places.length === 1) return o.set(node.outputs[0], dropped(o.stored(node, 0)));
  const at = isolated(node, 0, axis, o);
  const isRun = places.every((place, i) => place === first + i);
  const value = isRun
    ? taken(at, { axis, start: first, step: 1, size: places.length }, node, o, "")
    : resized(at, o.emit("GatherConstant", node, [at.value], { config: { axis: at.group, indices: places } }), places.length);
  o.set(node.outputs[0], dropped({ ...value, axes: isDropped ? value.axes.with(axis, []) : value.axes }));
};

/** Each axis is one factor of the tensor, in any order. */
const isPlain = ({ sizes, axes }: Stored): boolean => axes.length === sizes.length && axes.every((factors) => factors.length === 1);

const reduced =
  (operation: string): Lower =>
  (node, o) => {
    const axes = reducedAxes(o.context(node));
    const value = o.stored(node, 0);
    const gone = new Set(axes.flatMap((axis) => value.axes[axis] ?? []));
    const isImage = value.physical.length === 4 && isPlain(value) && axes.length === 2 && gone.has(1) && gone.has(2);
    if (isImage && (operation === "mean" || operation === "max"))
      return globalPooling(node, o, { kind: operation === "mean" ? "Average" : "Max", image: value });
    if (gone.has(0)) o.refuse(node, "across the pictures of a batch");
    const isUniform = physicalGroups(value).every((group) => new Set(group.map((factor) => gone.has(factor))).size <= 1);
    const x = isUniform
      ? value
      : o.arranged(
          node,
          0,
          everyFactor(value).map((factor) => [factor]),
        );
    const groups = physicalGroups(x);
    const along = groups.flatMap((group, i) => (group.some((factor) => gone.has(factor)) ? [i] : []));
    const keeps = intOf(node, "keepdims", 1) === 1;
    const left = x.axes.map((factors, axis) => (axes.includes(axis) ? [] : factors)).filter((_, axis) => keeps || !axes.includes(axis));
    const ref = along.length === 0 ? x.ref : o.emit("Reduce", node, [x], { config: { operation, axes: along, keep_dims: true } });
    const sizes = x.sizes.map((size, factor) => (gone.has(factor) ? 1 : size));
    const physical = x.physical.map((size, i) => (along.includes(i) ? 1 : size));
    o.set(node.outputs[0], { ref, physical, sizes, axes: left });
  };

const expand: Lower = (node, o) => {
  const value = o.stored(node, 0);
  if (shapeOfStored(value).join() !== o.shape(node.outputs[0] as string).join()) o.refuse(node, "of a value that depends on the picture");
  same(node, o);
};

/** Casts to float are left out, also for images in bytes: the contract says that these are 0…255. */
const cast: Lower = (node, o) => {
  const to = node.attributes.get("to")?.int ?? 1;
  if (![1, 10, 11, 16].includes(to)) o.refuse(node, "to whole numbers, which has no gradient");
  same(node, o);
};

const byBlocks =
  (isDepth: boolean): Lower =>
  (node, o) => {
    const block = intOf(node, "blocksize", 1);
    const [b = batch, c = 1, h = 1, w = 1] = o.shape(node.inputs[0] as string);
    const deep = c / block ** 2;
    const isCrd = textOf(node, "mode", "DCR") === "CRD";
    const [target, order] = !isDepth
      ? [
          [b, c, h / block, block, w / block, block],
          [0, 3, 5, 1, 2, 4],
        ]
      : isCrd
        ? [
            [b, deep, block, block, h, w],
            [0, 1, 4, 2, 5, 3],
          ]
        : [
            [b, block, block, deep, h, w],
            [0, 3, 4, 1, 5, 2],
          ];
    const cut = reshaped(o.stored(node, 0), target);
    const moved = cut && { ...cut, axes: order.map((axis) => cut.axes[axis] ?? []) };
    const done = moved && reshaped(moved, o.shape(node.outputs[0] as string));
    o.set(node.outputs[0], done ?? o.refuse(node, `of blocks of ${block}`));
  };

/** Operators that rearrange, slice and reduce. */
export const partRules: readonly [string, Lower][] = [
  ...["Reshape", "Flatten", "Squeeze", "Unsqueeze"].map((op): [string, Lower] => [op, reshape]),
  ["Identity", same],
  ["Transpose", transpose],
  ["Slice", slice],
  ["Split", split],
  ["Gather", gather],
  ["Expand", expand],
  ["Cast", cast],
  ["DepthToSpace", byBlocks(true)],
  ["SpaceToDepth", byBlocks(false)],
  ...["Mean", "Sum", "Max", "Min", "Prod"].map((name): [string, Lower] => [`Reduce${name}`, reduced(name.toLowerCase())]),
  ["ReduceSumSquare", reduced("sumSquare")],
  ["ReduceLogSum", reduced("logSum")],
  ["ReduceLogSumExp", reduced("logSumExp")],
  ["ReduceL1", reduced("l1")],
  ["ReduceL2", reduced("l2")],
];
