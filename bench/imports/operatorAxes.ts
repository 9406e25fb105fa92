// An operator on values with one axis more in front, the batch.
import type { Attribute, FileNode } from "../../src/engine/importers/onnx/file/model.ts";
import type { Given, OperatorTest } from "./operatorTest.ts";

export const ints = (name: string, values: readonly number[]): Attribute => ({ name, ints: values });
export const node = (op: string, inputs: readonly string[], output: string, attributes: readonly Attribute[] = []): FileNode => ({
  name: `way/${output}`,
  op,
  domain: "",
  inputs,
  outputs: [output],
  attributes: new Map(attributes.map((one) => [one.name, one])),
});
export const constant = (name: string, values: readonly number[]): FileNode => node("Constant", [], name, [ints("value_ints", values)]);

export interface Moving {
  readonly test: OperatorTest;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  readonly lives: readonly Given[];
}
/** The nodes, and the rank that every live value is brought to first, where it has a smaller one. */
type Moved = { readonly nodes: readonly FileNode[]; readonly rank?: number } | undefined;

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));
const broadcasting = words(
  "Add Sub Mul Div Pow Min Max Mean Sum Mod Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor Where PRelu MatMul",
);
const plain = words(
  "Relu Sigmoid Tanh Exp Log Sqrt Neg Abs Erf Softplus Softsign Reciprocal Sin Cos Floor Ceil Round Sign LeakyRelu Elu Selu ThresholdedRelu HardSigmoid HardSwish Gelu Mish Celu Swish Clip Identity Dropout Cast Not IsNaN",
);
/** The default of an axis that is an attribute; undefined where it counts from the end. */
const axisOf: Readonly<Record<string, number | undefined>> = {
  Softmax: 1,
  LogSoftmax: 1,
  Hardmax: 1,
  Split: 0,
  Gather: 0,
  Concat: 0,
  LayerNormalization: undefined,
  LpNormalization: undefined,
};
const up = (axis: number): number => (axis < 0 ? axis : axis + 1);
const opsetOf = ({ model }: OperatorTest): number => model.opsets.get("") ?? 0;

const changed = (only: FileNode, ...extra: Attribute[]): FileNode => ({
  ...only,
  attributes: new Map([...only.attributes, ...extra.map((one) => [one.name, one] as const)]),
});

/** A list of a node: an attribute, or an input whose numbers are known. */
function listOf({ attributes, inputs }: FileNode, { test }: Moving, name: string, index: number): readonly number[] | undefined {
  const given = attributes.get(name)?.ints;
  if (given) return given;
  const found = test.inputs.find((one) => one.name === inputs[index]);
  return found ? [...found.value.data] : undefined;
}

/** The node with another list, an attribute where it was one, else an input. */
function withList(only: FileNode, name: string, index: number, values: readonly number[]): FileNode[] {
  if (only.attributes.has(name)) return [changed(only, ints(name, values))];
  const own = `way/${name}`;
  const length = Math.max(index + 1, only.inputs.length);
  const inputs = Array.from({ length }, (_, i) => (i === index ? own : (only.inputs[i] ?? "")));
  return [constant(own, values), { ...only, inputs }];
}

type Move = (only: FileNode, o: Moving, shape: readonly number[]) => Moved;

const reduced: Move = (only, o, shape) => {
  const axes = listOf(only, o, "axes", 1);
  if (only.attributes.get("noop_with_empty_axes")?.int === 1 && !axes?.length) return { nodes: [only] };
  const own = axes && axes.length > 0 ? axes.map(up) : shape.map((_, i) => i + 1);
  const isInput = axes || opsetOf(o.test) >= 18 || only.op === "ReduceSum";
  return { nodes: isInput ? withList(only, "axes", 1, own) : [changed(only, ints("axes", own))] };
};

/** Operators of one value with lists of axes or sizes. */
const moves: Readonly<Record<string, Move>> = {
  Transpose: (only, _, shape) => {
    const perm = only.attributes.get("perm")?.ints ?? shape.map((_side, i) => shape.length - 1 - i);
    return { nodes: [changed(only, ints("perm", [0, ...perm.map((axis) => axis + 1)]))] };
  },
  Squeeze: (only, o, shape) => {
    const axes = listOf(only, o, "axes", 1) ?? shape.flatMap((side, i) => (side === 1 ? [i] : []));
    return { nodes: withList(only, "axes", 1, axes.map(up)) };
  },
  Unsqueeze: (only, o) => ({ nodes: withList(only, "axes", 1, (listOf(only, o, "axes", 1) ?? []).map(up)) }),
  Reshape: (only, o) => {
    const target = listOf(only, o, "shape", 1);
    return target && { nodes: withList(only, "shape", 1, [only.attributes.get("allowzero")?.int === 1 ? -1 : 0, ...target]) };
  },
  Expand: (only, o, shape) => {
    const target = listOf(only, o, "shape", 1);
    return target && { nodes: withList(only, "shape", 1, [1, ...target]), rank: Math.max(shape.length, target.length) };
  },
  Tile: (only, o) => {
    const repeats = listOf(only, o, "repeats", 1);
    return repeats && { nodes: withList(only, "repeats", 1, [1, ...repeats]) };
  },
  Pad: (only, o) => {
    const pads = listOf(only, o, "pads", 1);
    const half = (pads?.length ?? 0) / 2;
    if (!pads || only.inputs[3]) return undefined;
    return { nodes: withList(only, "pads", 1, [0, ...pads.slice(0, half), 0, ...pads.slice(half)]) };
  },
  Slice: (only, o) => {
    const axes = listOf(only, o, "axes", 3) ?? (listOf(only, o, "starts", 1) ?? []).map((_, i) => i);
    return { nodes: withList(only, "axes", 3, axes.map(up)) };
  },
};

/** Undefined where the operator has no such form. */
export function moveAxes(only: FileNode, o: Moving): Moved {
  const { op, inputs } = only;
  const [live] = o.lives as [Given];
  if (plain.has(op)) return { nodes: [only] };
  if (broadcasting.has(op)) {
    const ranks = inputs.map((name) => o.shapes.get(name)?.length ?? 0);
    if (op === "MatMul" && ranks.some((one) => one < 2)) return undefined;
    return { nodes: [only], rank: Math.max(...ranks) };
  }
  if (op === "Einsum") return o.lives.length === inputs.length ? einsum(only) : undefined;
  const isAlone = inputs[0] === live.name && o.lives.length === 1;
  if (op in axisOf) {
    if (op === "Concat" ? o.lives.length < inputs.length : !isAlone) return undefined;
    const isNew = op.endsWith("max") && opsetOf(o.test) >= 13;
    const axis = only.attributes.get("axis")?.int ?? (isNew ? undefined : axisOf[op]);
    return { nodes: [axis === undefined ? only : changed(only, { name: "axis", int: up(axis) })] };
  }
  if (!isAlone) return undefined;
  return op.startsWith("Reduce") ? reduced(only, o, live.ref.shape) : moves[op]?.(only, o, live.ref.shape);
}

/** A letter for the batch in front of every operand and of the result. */
function einsum(only: FileNode): Moved {
  const [left = "", given] = (only.attributes.get("equation")?.text ?? "").replaceAll(" ", "").split("->");
  const once = [...new Set(left)].filter((letter) => /\w/.test(letter) && left.split(letter).length === 2);
  const right = given ?? once.sort().join("");
  const operands = left.split(",").map((one) => `Z${one}`);
  return { nodes: [changed(only, { name: "equation", text: `${operands.join(",")}->Z${right}` })] };
}
