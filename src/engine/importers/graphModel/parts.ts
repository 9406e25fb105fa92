import type { FileNode } from "../onnx/file/model.ts";
import type { Rule, Translation } from "./translation.ts";

const intOf = ({ attributes }: FileNode, name: string, otherwise = 0): number => attributes.get(name)?.int ?? otherwise;

/** An operator of ONNX that does the same with the same inputs. */
const same =
  (op: string): Rule =>
  (o, _, inputs) =>
    o.emit(op, inputs);

/** To the end, in either direction. */
const far = 2 ** 31 - 1;

const identity: Rule = (_, __, inputs) => inputs;

const withoutGradient: Rule = (o, { name }, inputs) => {
  o.notes.add(`gradients pass through "${name}" (StopGradient), as attacks need them`);
  return inputs;
};

/** Types by their names in TensorFlow → the codes of ONNX. */
const types: ReadonlyMap<string, number> = new Map([
  ["DT_FLOAT", 1],
  ["DT_HALF", 1],
  ["DT_DOUBLE", 1],
  ["DT_UINT8", 2],
  ["DT_INT32", 6],
  ["DT_INT64", 7],
  ["DT_BOOL", 9],
]);
const cast: Rule = (o, { attributes }, [x = ""]) => {
  const type = attributes.get("DstT")?.text ?? "";
  return o.emit("Cast", [x], { to: types.get(type) ?? o.refuse(`to ${type}`) });
};

const transpose: Rule = (o, _, [x = "", order]) => o.emit("Transpose", [x], { perm: o.ints(order, "order") });

const squeeze: Rule = (o, { attributes }, [x = ""]) => {
  const axes = attributes.get("squeeze_dims")?.ints ?? attributes.get("axis")?.ints ?? [];
  return o.emit("Squeeze", axes.length === 0 ? [x] : [x, o.list(...axes)]);
};

const concat =
  (isAxisFirst: boolean): Rule =>
  (o, _, inputs) => {
    const axis = isAxisFirst ? inputs[0] : inputs.at(-1);
    return o.emit("Concat", isAxisFirst ? inputs.slice(1) : inputs.slice(0, -1), { axis: o.int(axis, "axis") });
  };

const pack: Rule = (o, node, inputs) => {
  const axis = intOf(node, "axis");
  const parts = inputs.map((x) => o.emit("Unsqueeze", [x, o.list(axis)]));
  return o.emit("Concat", parts, { axis });
};
const unpack: Rule = (o, node, [x = ""]) => {
  const axis = intOf(node, "axis");
  const parts = o.emitAll("Split", [x], { axis }, intOf(node, "num"));
  return parts.map((part) => o.emit("Squeeze", [part, o.list(axis)]));
};

const split: Rule = (o, node, [axis, x = ""]) => o.emitAll("Split", [x], { axis: o.int(axis, "axis") }, countOf(o, node));
const splitBySizes: Rule = (o, node, [x = "", sizes = "", axis]) => {
  if (o.ints(sizes, "sizes").includes(-1)) o.refuse("with a size that is left open");
  return o.emitAll("Split", [x, sizes], { axis: o.int(axis, "axis") }, countOf(o, node));
};
function countOf(o: Translation, node: FileNode): number {
  const count = intOf(node, "num_split", 1);
  return count >= 1 && count <= 1024 ? count : o.refuse(`into ${count} parts`);
}

const slice: Rule = (o, _, [x = "", begin, size]) => {
  const starts = o.ints(begin, "begin");
  const ends = o.ints(size, "size").map((side, i) => (side === -1 ? far : (starts[i] as number) + side));
  return o.emit("Slice", [x, o.list(...starts), o.list(...ends)]);
};

/** What one entry of a StridedSlice does to an axis of the input. */
interface Step {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly isDropped: boolean;
}

/**
 * x[begin:end:strides], where bit i of each mask is about entry i: an open beginning or end, all axes that are left (ellipsis), a new axis of
 * size 1, or an axis that is dropped. Axes behind an ellipsis are counted from the end.
 */
const stridedSlice: Rule = (o, node, [x = "", begin, end, strides]) => {
  const [starts, ends, steps] = [o.ints(begin, "begin"), o.ints(end, "end"), o.ints(strides, "strides")];
  const has = (mask: string, i: number): boolean => ((intOf(node, mask) >> i) & 1) === 1;
  const entries = starts.map((start, i): Step | "rest" | "new" => {
    if (has("ellipsis_mask", i)) return "rest";
    if (has("new_axis_mask", i)) return "new";
    if (has("shrink_axis_mask", i)) return { start, end: start === -1 ? far : start + 1, step: 1, isDropped: true };
    const step = steps[i] as number;
    const [first, last] = step > 0 ? [0, far] : [far, -far];
    return { start: has("begin_mask", i) ? first : start, end: has("end_mask", i) ? last : (ends[i] as number), step, isDropped: false };
  });
  const rest = entries.indexOf("rest");
  const [before, after] = rest < 0 ? [entries, []] : [entries.slice(0, rest), entries.slice(rest + 1)];
  const isStep = (entry: Step | "rest" | "new"): entry is Step => typeof entry !== "string";
  const cuts = [
    ...before.filter(isStep).map((step, i) => ({ ...step, axis: i })),
    ...after.filter(isStep).map((step, i, all) => ({ ...step, axis: i - all.length })),
  ];
  const kept = (entry: Step | "rest" | "new"): boolean => !isStep(entry) || !entry.isDropped;
  const added = [
    ...before.filter(kept).flatMap((entry, i) => (entry === "new" ? [i] : [])),
    ...after.filter(kept).flatMap((entry, i, all) => (entry === "new" ? [i - all.length] : [])),
  ];
  const dropped = cuts.filter(({ isDropped }) => isDropped).map(({ axis }) => axis);
  const list = (key: "start" | "end" | "step" | "axis"): string => o.list(...cuts.map((cut) => cut[key]));
  let value = cuts.length === 0 ? x : o.emit("Slice", [x, list("start"), list("end"), list("axis"), list("step")]);
  if (dropped.length > 0) value = o.emit("Squeeze", [value, o.list(...dropped)]);
  return added.length === 0 ? value : o.emit("Unsqueeze", [value, o.list(...added)]);
};

const gather: Rule = (o, node, [x = "", indices = "", axis]) => {
  if (intOf(node, "batch_dims") !== 0) o.refuse("with batch_dims");
  return o.emit("Gather", [x, indices], { axis: axis === undefined ? 0 : o.int(axis, "axis") });
};

const reduced =
  (name: string): Rule =>
  (o, node, [x = "", axes = ""]) =>
    o.emit(`Reduce${name}`, [x, axes], { keepdims: intOf(node, "keep_dims", intOf(node, "keepdims")), noop_with_empty_axes: 1 });

const batchProduct: Rule = (o, node, [a = "", b = ""]) => {
  const turned = (value: string, name: string): string =>
    intOf(node, name) === 1 ? o.emit("Transpose", [value], { perm: [-1, -2] }) : value;
  return o.emit("MatMul", [turned(a, "adj_x"), turned(b, "adj_y")]);
};

/** Operations that give, cut, join and combine values. */
export const partRules: readonly (readonly [string, Rule])[] = [
  ["Identity", identity],
  ["IdentityN", identity],
  ["Snapshot", identity],
  ["PlaceholderWithDefault", identity],
  ["StopGradient", withoutGradient],
  ["Cast", cast],
  ["Reshape", same("Reshape")],
  ["Transpose", transpose],
  ["Squeeze", squeeze],
  ["ExpandDims", same("Unsqueeze")],
  ["Concat", concat(true)],
  ["ConcatV2", concat(false)],
  ["Pack", pack],
  ["Unpack", unpack],
  ["Split", split],
  ["SplitV", splitBySizes],
  ["Slice", slice],
  ["StridedSlice", stridedSlice],
  ["Gather", gather],
  ["GatherV2", gather],
  ["Tile", same("Tile")],
  ["Fill", (o, _, [sizes = "", value = ""]) => o.emit("Expand", [value, sizes])],
  ["BroadcastTo", same("Expand")],
  ["Shape", same("Shape")],
  ["Size", same("Size")],
  ["Rank", (o, _, [x = ""]) => o.emit("Size", [o.emit("Shape", [x])])],
  ["Range", same("Range")],
  ["BatchMatMul", batchProduct],
  ["BatchMatMulV2", batchProduct],
  ["Mean", reduced("Mean")],
  ["Sum", reduced("Sum")],
  ["Max", reduced("Max")],
  ["Min", reduced("Min")],
  ["Prod", reduced("Prod")],
  ["Softmax", (o, _, [x = ""]) => o.emit("Softmax", [x], { axis: -1 })],
  ["LogSoftmax", (o, _, [x = ""]) => o.emit("LogSoftmax", [x], { axis: -1 })],
  ["Add", same("Add")],
  ["AddV2", same("Add")],
  ["AddN", (o, _, [first = "", ...others]) => others.reduce((sum, x) => o.emit("Add", [sum, x]), first)],
  ["Sub", same("Sub")],
  ["Mul", same("Mul")],
  ["RealDiv", same("Div")],
  ["Div", same("Div")],
  ["FloorDiv", (o, _, inputs) => o.emit("Floor", [o.emit("Div", inputs)])],
  ["FloorMod", same("Mod")],
  ["Pow", same("Pow")],
  ["Maximum", same("Max")],
  ["Minimum", same("Min")],
  ["SquaredDifference", (o, _, inputs) => squared(o, o.emit("Sub", inputs))],
  ["Square", (o, _, [x = ""]) => squared(o, x)],
  ["Sqrt", same("Sqrt")],
  ["Rsqrt", (o, _, [x = ""]) => o.emit("Reciprocal", [o.emit("Sqrt", [x])])],
  ["Reciprocal", same("Reciprocal")],
  ["Exp", same("Exp")],
  ["Log", same("Log")],
  ["Neg", same("Neg")],
  ["Abs", same("Abs")],
  ["Sign", same("Sign")],
  ["Floor", same("Floor")],
  ["Ceil", same("Ceil")],
  ["Round", same("Round")],
  ["Sin", same("Sin")],
  ["Cos", same("Cos")],
  ["Erf", same("Erf")],
  ["Selu", same("Selu")],
  ["Softplus", same("Softplus")],
  ["ClipByValue", same("Clip")],
  ["Equal", same("Equal")],
  ["NotEqual", (o, _, inputs) => o.emit("Not", [o.emit("Equal", inputs)])],
  ["Less", same("Less")],
  ["LessEqual", same("LessOrEqual")],
  ["Greater", same("Greater")],
  ["GreaterEqual", same("GreaterOrEqual")],
  ["LogicalAnd", same("And")],
  ["LogicalOr", same("Or")],
  ["LogicalNot", same("Not")],
  ["Select", same("Where")],
  ["SelectV2", same("Where")],
];

const squared = (o: Translation, x: string): string => o.emit("Mul", [x, x]);
