import type { Reduction } from "../../../models/layers/index.ts";
import { countOf } from "../../strided.ts";
import { batch } from "../analysis.ts";
import { intOf, textOf } from "../graph.ts";
import { ranked, reshaped, type Stored, withoutOnes } from "../layout.ts";
import { cutsOf, partsOf, reducedAxes } from "../shapes/parts.ts";
import { permutationOf } from "../shapes/reshape.ts";
import { isolated, repeatedAlong, resized, spread, taken } from "./along.ts";
import { globalPooling } from "./images.ts";
import type { Lower } from "./lowering.ts";
import { reduceAlong } from "./reduce.ts";

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

/** Indices take slices, of which a run is one; a scalar index drops the axis, and indices of several axes divide it. */
const gather: Lower = (node, o) => {
  if (!o.isLive(node.inputs[0])) return o.refuse(node, "by indices that depend on the picture: it looks like a model of text");
  const context = o.context(node);
  const indices = o.weight(node, 1);
  const shape = o.shape(node.inputs[0]);
  const axis = context.axis(intOf(node, "axis", 0), shape.length);
  const places = [...indices.data].map((index) => context.axis(index, shape[axis] as number));
  const [first = 0] = places;
  if ((shape[axis] as number) >= batch) o.refuseMixing(node);
  const divided = (value: Stored): Stored =>
    indices.shape.length === 1
      ? value
      : (reshaped(value, [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)]) ?? o.refuse(node, "of that shape"));
  if (shape[axis] === 1 && places.length === 1) return o.set(node.outputs[0], divided(o.stored(node, 0)));
  const at = isolated(node, 0, axis, o);
  const isRun = places.every((place, i) => place === first + i);
  const value = isRun
    ? taken(at, { axis, start: first, step: 1, size: places.length }, node, o, "")
    : resized(at, o.emit("GatherConstant", node, [at.value], { config: { axis: at.group, indices: places } }), places.length);
  o.set(node.outputs[0], divided(withoutOnes(value)));
};

/** Each axis is one factor of the tensor, in any order. */
const isPlain = ({ sizes, axes }: Stored): boolean => axes.length === sizes.length && axes.every((factors) => factors.length === 1);

const reduced =
  (operation: Reduction): Lower =>
  (node, o) => {
    const axes = reducedAxes(o.context(node));
    const value = o.stored(node, 0);
    const gone = new Set(axes.flatMap((axis) => value.axes[axis] ?? []));
    const isImage = value.physical.length === 4 && isPlain(value) && axes.length === 2 && gone.has(1) && gone.has(2);
    const keeps = intOf(node, "keepdims", 1) === 1;
    if (isImage && (operation === "mean" || operation === "max"))
      globalPooling(node, o, { kind: operation === "mean" ? "Average" : "Max", image: value });
    else reduceAlong(node, o, { operation, axes, keeps });
  };

/** Axes of size 1 are repeated, and so are new ones in front. */
const expand: Lower = (node, o) => {
  const shape = o.shape(node.outputs[0] as string);
  o.set(node.outputs[0], spread(ranked(o.stored(node, 0), shape.length), shape, node, o));
};

const tile: Lower = (node, o) => {
  const [before, after] = [o.shape(node.inputs[0] as string), o.shape(node.outputs[0] as string)];
  const all = after.reduceRight<Stored>(
    (value, side, axis) => repeatedAlong(value, axis, side / (before[axis] as number), node, o),
    o.stored(node, 0),
  );
  o.set(node.outputs[0], all);
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
  ["Tile", tile],
  ["Cast", cast],
  ["DepthToSpace", byBlocks(true)],
  ["SpaceToDepth", byBlocks(false)],
  ...["Mean", "Sum", "Max", "Min", "Prod"].map((name): [string, Lower] => [`Reduce${name}`, reduced(name.toLowerCase() as Reduction)]),
  ["ReduceSumSquare", reduced("sumSquare")],
  ["ReduceLogSum", reduced("logSum")],
  ["ReduceLogSumExp", reduced("logSumExp")],
  ["ReduceL1", reduced("l1")],
  ["ReduceL2", reduced("l2")],
];
