import { stridesOf } from "../../strided.ts";
import { floatOf, intOf, type Node } from "../graph.ts";
import { everyFactor, physicalGroups, ranked, refined, type Stored, shapeOfStored } from "../layout.ts";
import type { PlannedWeight } from "../plan.ts";
import { Constant } from "../values.ts";
import { combined, times } from "./elementwise.ts";
import { constantFor, type Lower, type Lowering, plainWeight } from "./lowering.ts";

interface Product {
  readonly kernel: Constant;
  /** The kernel is [N,K], not [K,N]. */
  readonly isTransposed: boolean;
  readonly factor: number;
  readonly bias: PlannedWeight | undefined;
}

/**
 * Multiplies the last axis by a constant matrix. If that axis is stored in another order than in the file, as for a flattened image, the
 * rows of the matrix are reordered instead of the values.
 */
function dense(node: Node, o: Lowering, { kernel, isTransposed, factor, bias }: Product): void {
  const value = o.stored(node, 0);
  const own = value.axes.at(-1) ?? [];
  const x = own.length === 0 ? withOne(value, node, o) : o.trailing(node, 0, own);
  const axis = x.axes.at(-1) ?? []; // in the order of the file
  const [N, K] = isTransposed ? kernel.shape : [kernel.shape[1], kernel.shape[0]];
  const strides = stridesOf(x.last.map((f) => x.sizes[f] as number));
  const places = new Map(x.last.map((f, i) => [f, strides[i] as number]));
  const rows = { shape: axis.map((f) => x.sizes[f] as number), strides: axis.map((f) => (places.get(f) as number) * (N as number)) };
  const view = isTransposed
    ? { shape: [N as number, ...rows.shape], strides: [1, ...rows.strides] }
    : { shape: [...rows.shape, N as number], strides: [...rows.strides, 1] };
  const weights = [{ name: "kernel", shape: [K as number, N as number], constant: kernel, view, factor }, ...(bias ? [bias] : [])];
  const config = { units: N, use_bias: bias !== undefined, activation: "linear" };
  const ref = o.emit("Dense", node, [x], { config, weights });
  const first = x.sizes.length - x.last.length;
  const axes = [...x.axes.slice(0, -1), [first]];
  o.set(node.outputs[0], {
    ref,
    physical: [...x.physical.slice(0, -1), N as number],
    sizes: [...x.sizes.slice(0, first), N as number],
    axes,
  });
}

/** Adds a last axis of size 1, which has no factor. */
function withOne(value: Stored, node: Node, o: Lowering): Stored & { last: readonly number[] } {
  const arranged = o.layout.arranged(value, [...everyFactor(value).map((f) => [f]), []], node);
  return { ...arranged, last: [] };
}

/** C that is one number for all, or one for each column, is a bias. Any other is added, times β. */
const gemm: Lower = (node, o) => {
  const kernel = o.constant(node.inputs[1]);
  if (!kernel || !o.isLive(node.inputs[0])) return o.refuse(node, "whose second operand is not constant");
  const isTransposed = intOf(node, "transB", 0) === 1;
  const units = kernel.shape[isTransposed ? 0 : 1] as number;
  const [factor, beta] = [floatOf(node, "alpha", 1), floatOf(node, "beta", 1)];
  const output = node.outputs[0] as string;
  if (intOf(node, "transA", 0) === 1) {
    const given = `${output}/transposed`;
    o.set(given, swapped(o.stored(node, 0)));
    const attributes = new Map([...node.attributes].filter(([name]) => name !== "transA"));
    return gemm({ ...node, inputs: [given, ...node.inputs.slice(1)], attributes }, o);
  }
  if (o.isLive(node.inputs[2])) {
    const made = `${output}/product`;
    dense({ ...node, outputs: [made] }, o, { kernel, isTransposed, factor, bias: undefined });
    o.declare(made, o.shape(output));
    return combined({ ...node, inputs: [made, times(node, 2, beta, o)] }, o, "add");
  }
  const c = node.inputs[2] ? o.weight(node, 2) : undefined;
  if (c && c.count !== units && c.count !== 1) o.refuse(node, `that adds a constant [${c.shape.join(", ")}]`);
  const bias = c && { ...plainWeight("bias", c, [units]), factor: beta };
  dense(node, o, { kernel, isTransposed, factor, bias });
};

/** A constant operand is the kernel of a Dense layer; a left one of the value with its last two axes swapped: A·X = (Xᵀ·Aᵀ)ᵀ. */
const matMul: Lower = (node, o) => {
  const [left, right] = [node.inputs[0], node.inputs[1]];
  if (o.isLive(left) && o.isLive(right)) return product(node, o);
  const isLeft = o.isLive(right);
  const kernel = matrixOf(o.weight(node, isLeft ? 0 : 1), isLeft);
  if (!kernel) return o.refuse(node, "with a constant of more than two axes");
  const bias = node.inputs[2] ? plainWeight("bias", o.weight(node, 2), [kernel.shape[1] as number]) : undefined;
  if (!isLeft && o.weight(node, 1).shape.length === 2) return dense(node, o, { kernel, isTransposed: false, factor: 1, bias });
  const output = node.outputs[0] as string;
  const value = o.stored(node, isLeft ? 1 : 0);
  const [given, made] = [`${output}/swapped`, `${output}/product`];
  o.set(given, isLeft ? swapped(value) : value);
  dense({ ...node, inputs: [given], outputs: [made] }, o, { kernel, isTransposed: isLeft, factor: 1, bias });
  const found = o.stored({ ...node, inputs: [made] }, 0);
  const whole = isLeft ? swapped(found) : found;
  const rank = o.shape(output).length;
  const isDropped = whole.axes.length > rank; // a list was one row or one column
  o.set(output, isDropped ? { ...whole, axes: whole.axes.toSpliced(isLeft ? -2 : -1, 1) } : ranked(whole, rank));
};

const swapped = (v: Stored): Stored => ({ ...v, axes: [...v.axes.slice(0, -2), v.axes.at(-1) ?? [], v.axes.at(-2) ?? []] });

/** A constant as a matrix: a list is one row on the left, one column on the right. Undefined where it is a list of matrices. */
function matrixOf(constant: Constant, isLeft: boolean): Constant | undefined {
  const { shape } = constant;
  const [rows = 1, columns = 1] = shape.length === 1 ? (isLeft ? [1, shape[0]] : [shape[0], 1]) : shape.slice(-2);
  const { kind, isOfBatch, title, count } = constant;
  return rows * columns === count
    ? new Constant({ kind, isOfBatch, title, shape: [rows, columns] }, (visit) => constant.forBlocks(visit))
    : undefined;
}

/** The product of two values. Their leading axes may be stored in any common order, and one may repeat the other's; the last two have to be last. */
function product(node: Node, o: Lowering): void {
  const rank = o.shape(node.outputs[0] as string).length;
  const ranks = [0, 1].map((i) => o.shape(node.inputs[i] as string).length) as [number, number];
  if (Math.min(...ranks) < 2) o.refuse(node, "of a value of one axis");
  const given = [ranked(o.stored(node, 0), rank), ranked(o.stored(node, 1), rank)] as const;
  const axes = Array.from({ length: rank - 2 }, (_, i) => i);
  const isShared = (axis: number): boolean => shapeOfStored(given[0])[axis] === shapeOfStored(given[1])[axis];
  const both = refined(given[0], given[1], axes.filter(isShared));
  if (!both) o.refuse(node, "of values whose leading axes are divided otherwise");
  const order = leading(both, axes);
  if (order[0]?.factors.some((factor) => factor !== 0)) o.refuseMixing(node);
  const operands = both.map((v, i) => {
    const lead = order.map(({ factors }) => (factors[i] === undefined ? [] : [factors[i]]));
    const [rows, columns] = [v.axes[rank - 2] ?? [], v.axes[rank - 1] ?? []];
    const isSwapped = isIncreasing([...lead.flat(), ...columns, ...rows]) && !isIncreasing([...lead.flat(), ...rows, ...columns]);
    const groups = [...lead, ...(isSwapped ? [columns, rows] : [rows, columns])];
    o.set(node.inputs[i], { ...v, axes: v.axes.slice(rank - (ranks[i] as number)) });
    return { isSwapped, value: o.arranged(node, i, groups) };
  });
  const [a, b] = operands as [(typeof operands)[number], (typeof operands)[number]];
  const config = { transpose_a: a.isSwapped, transpose_b: b.isSwapped };
  const ref = o.emit("MatMul", node, [a.value, b.value], { config });
  const [m, n] = o.shape(node.outputs[0] as string).slice(-2) as [number, number];
  const sizes = [...order.map(({ size }) => size), m, n];
  const ownAxes = axes.map((axis) =>
    order
      .flatMap((one, i) => (one.axis === axis ? [{ ...one, i }] : []))
      .sort((x, y) => x.at - y.at)
      .map(({ i }) => i),
  );
  o.set(node.outputs[0], { ref, physical: sizes, sizes, axes: [...ownAxes, [order.length], [order.length + 1]] });
}

/** A factor of the leading axes of a product: its place in both operands, undefined where that one is repeated. */
interface Leading {
  readonly axis: number;
  /** Its position along the axis. */
  readonly at: number;
  readonly factors: readonly [number | undefined, number | undefined];
  readonly size: number;
}

/** The leading factors in the storage order of the left operand, those that it lacks behind. The images come first. */
function leading([left, right]: readonly [Stored, Stored], axes: readonly number[]): Leading[] {
  const all = axes.flatMap((axis) => {
    const [own, other] = [left.axes[axis] ?? [], right.axes[axis] ?? []];
    return (own.length > 0 ? own : other).map((factor, at): Leading => {
      const factors = own.length > 0 ? ([factor, other[at]] as const) : ([undefined, factor] as const);
      return { axis, at, factors, size: (own.length > 0 ? left : right).sizes[factor] as number };
    });
  });
  const place = ({ factors: [own, other = 0] }: Leading): number => own ?? (other === 0 ? -1 : left.sizes.length + other);
  return all.sort((a, b) => place(a) - place(b));
}

const isIncreasing = (order: readonly number[]): boolean => order.every((factor, i) => i === 0 || factor > (order[i - 1] as number));

const batchNormalization: Lower = (node, o) => {
  if (intOf(node, "spatial", 1) === 0) o.refuse(node, "with spatial = 0");
  if (node.outputs.slice(1).some((name) => o.isUsed(name))) o.refuse(node, "whose statistics are used");
  const value = o.stored(node, 0);
  const [channel] = value.axes[1] ?? [];
  const isLast = value.axes[1]?.length === 1 && physicalGroups(value).at(-1)?.join() === String(channel);
  const x = isLast ? value : value.axes.length === 4 ? o.image(node) : o.trailing(node, 0, value.axes[1] ?? []);
  const channels = o.shape(node.inputs[0] as string)[1] as number;
  if (!isLast && (value.axes[1]?.length ?? 0) > 1 && value.axes.length !== 4) o.refuse(node, "over channels in several parts");
  const names = ["gamma", "beta", "moving_mean", "moving_variance"];
  const weights = names.map((name, i) => plainWeight(name, o.weight(node, i + 1), [channels]));
  const config = { axis: -1, epsilon: floatOf(node, "epsilon", 1e-5), momentum: floatOf(node, "momentum", 0.9), center: true, scale: true };
  const ref = o.emit("BatchNormalization", node, [x], { config, weights });
  o.set(node.outputs[0], { ...x, ref });
};

/** Normalises the last axes in any storage order; scale and shift are reordered to match. */
const layerNormalization: Lower = (node, o) => {
  if (node.outputs.slice(1).some((name) => o.isUsed(name))) o.refuse(node, "whose statistics are used");
  const value = o.stored(node, 0);
  const first = o.context(node).axis(intOf(node, "axis", -1), value.axes.length);
  const x = o.trailing(node, 0, value.axes.slice(first).flat());
  const shape = o.shape(node.inputs[0] as string);
  const scale = ["gamma", "beta"].flatMap((name, i) => {
    if (!node.inputs[i + 1]) return [];
    const arranged = constantFor(x, o.weight(node, i + 1), shape);
    return arranged ? [plainWeight(name, arranged)] : o.refuse(node, "with a scale of another shape");
  });
  const config = { axis: -1, epsilon: floatOf(node, "epsilon", 1e-5), scale: Boolean(node.inputs[1]), center: Boolean(node.inputs[2]) };
  o.set(node.outputs[0], { ...x, ref: o.emit("LayerNormalization", node, [x], { config, weights: scale }) });
};

type OverAxis = "Softmax" | "LogSoftmax" | "Hardmax";
const layerOf: Readonly<Record<OverAxis, readonly [className: string, config: object]>> = {
  Softmax: ["Softmax", { axis: -1 }],
  LogSoftmax: ["Activation", { activation: "logSoftmax" }],
  Hardmax: ["Hardmax", {}],
};

/** Before opset 13, over all axes from the given one on; since then, along that axis only. */
const softmax =
  (op: OverAxis): Lower =>
  (node, o) => {
    const value = o.stored(node, 0);
    const isCoerced = node.opset < 13;
    const axis = o.context(node).axis(intOf(node, "axis", isCoerced ? 1 : -1), value.axes.length);
    const factors = isCoerced ? value.axes.slice(axis).flat() : (value.axes[axis] ?? []);
    if (factors.length === 0) return o.refuse(node, "over a single number");
    const x = o.trailing(node, 0, factors);
    const [className, config] = layerOf[op];
    o.set(node.outputs[0], { ...x, ref: o.emit(className, node, [x], { config: { ...config } }) });
  };

const dropout: Lower = (node, o) => {
  if (o.isUsed(node.outputs[1])) o.refuse(node, "whose mask is used");
  if (o.isLive(node.inputs[2])) o.refuse(node, "whose training mode depends on the picture");
  const rate = o.constant(node.inputs[1])?.data[0] ?? floatOf(node, "ratio", 0.5);
  if (rate === 0) return o.set(node.outputs[0], o.stored(node, 0));
  if (o.constant(node.inputs[2])?.data[0]) o.refuse(node, "in training mode", "Call model.eval() before the export.");
  if (rate < 0 || rate >= 1) o.refuse(node, `of ${rate}`);
  o.alike("Dropout", node, { config: { rate } });
};

/** Matrix products, and operators along one axis. */
export const denseRules: readonly [string, Lower][] = [
  ["Gemm", gemm],
  ["MatMul", matMul],
  ["BatchNormalization", batchNormalization],
  ["LayerNormalization", layerNormalization],
  ["Softmax", softmax("Softmax")],
  ["LogSoftmax", softmax("LogSoftmax")],
  ["Hardmax", softmax("Hardmax")],
  ["Dropout", dropout],
];
