import type { BinaryOperation } from "../../../models/layers/index.ts";
import { broadcast } from "../../strided.ts";
import { floatOf, intOf, type Node, textOf } from "../graph.ts";
import { ranked } from "../layout.ts";
import { type Constant, ofData } from "../values.ts";
import { aligned } from "./align.ts";
import { spread } from "./along.ts";
import { constantFor, type Lower, type Lowering, mapped, plainWeight, viewed } from "./lowering.ts";

const activation =
  (name: string): Lower =>
  (node, o) =>
    o.alike("Activation", node, { config: { activation: name } });
const function_ =
  (operation: string): Lower =>
  (node, o) =>
    o.alike("Elementwise", node, { config: { operation } });

const isNear = (a: number, b: number): boolean => Math.abs(a - b) < 1e-6;

const hardSigmoid: Lower = (node, o) => {
  const [alpha, beta] = [floatOf(node, "alpha", 0.2), floatOf(node, "beta", 0.5)];
  if (isNear(alpha, 0.2) && beta === 0.5) activation("hardSigmoid")(node, o);
  else o.alike("Elementwise", node, { config: { operation: "hardSigmoid", alpha, beta } });
};

/** Limits are optional; if they cross, the upper one wins. */
const clip: Lower = (node, o) => {
  const limit = (name: string, index: number): number | null => {
    const value = node.attributes.get(name)?.float ?? (node.inputs[index] ? o.weight(node, index).data[0] : undefined);
    return value === undefined || Math.abs(value) > 3.4e38 ? null : value;
  };
  const [min, max] = [limit("min", 1), limit("max", 2)];
  if (min === 0 && max === null) return o.alike("ReLU", node);
  if (min === 0 && max !== null && max > 0) return o.alike("ReLU", node, { config: { max_value: max } });
  o.alike("Clip", node, { config: { min_value: min, max_value: max } });
};

const prelu: Lower = (node, o) => {
  const value = o.stored(node, 0);
  const slope = constantFor(value, o.weight(node, 1), o.shape(node.inputs[0] as string));
  if (!slope) return o.refuse(node, `with slopes [${o.weight(node, 1).shape.join(", ")}]`);
  const inner = value.physical.slice(1);
  const known = [...new Array<number>(inner.length - slope.shape.length).fill(1), ...slope.shape];
  const isOne = slope.count === 1; // as one for each channel, which the conversion to volumes supports
  const sides = isOne ? known.with(-1, inner.at(-1) as number) : known;
  const shared = sides.flatMap((side, i) => (side === 1 && (i < inner.length - 1 || inner[i] !== 1) ? [i + 1] : []));
  const weights = [plainWeight("alpha", slope, sides)];
  o.alike("PReLU", node, { config: { shared_axes: shared }, weights });
};

const gelu: Lower = (node, o) => o.alike("Gelu", node, { config: { approximate: textOf(node, "approximate", "none") } });

type Operation = BinaryOperation;
/** tfjs' own layers, which the conversion to volumes supports. */
const layers: Partial<Record<Operation, string>> = { add: "Add", mul: "Multiply", max: "Maximum", min: "Minimum" };

/** Operators of two operands, some of which take more. */
const binary =
  (operation: Operation): Lower =>
  (node, o) => {
    const [first, second] = node.inputs;
    if (node.inputs.length === 1) return o.set(node.outputs[0], o.stored(node, 0));
    if (node.inputs.length !== 2) return variadic(operation, node, o);
    if (o.isLive(first) && first === second && operation === "mul")
      return o.alike("Elementwise", node, { config: { operation: "square" } });
    if (o.isLive(first) && o.isLive(second)) return combined(node, o, operation);
    const index = o.isLive(first) ? 0 : 1;
    withConstant({ node, index, operation }, o);
  };

/** Of floats only the remainder with the sign of the dividend is defined. */
const modulo: Lower = (node, o) => (intOf(node, "fmod", 0) === 1 ? binary("fmod")(node, o) : o.refuse(node, "without fmod, on floats"));

/** Values that depend on the picture in one layer, then one constant after the other. */
function variadic(operation: Operation, node: Node, o: Lowering): void {
  const className = layers[operation];
  if (!className) o.refuse(node, `of ${node.inputs.length} values`);
  const shape = o.shape(node.outputs[0] as string);
  const live = node.inputs.flatMap((name, i) => (o.isLive(name) ? [i] : []));
  const constants = node.inputs.filter((name) => !o.isLive(name));
  const own = broadcast(...live.map((i) => o.shape(node.inputs[i] as string))) ?? shape;
  let name = node.inputs[live[0] ?? 0] as string;
  if (live.length > 1) {
    const { values, leader } = aligned(node, o, live, own);
    name = constants.length > 0 ? `${node.outputs[0]}/values` : (node.outputs[0] as string);
    o.declare(name, own);
    o.set(name, { ...leader, ref: o.emit(className, node, values) });
  }
  constants.forEach((constant, i) => {
    const isLast = i === constants.length - 1;
    const output = isLast ? (node.outputs[0] as string) : `${node.outputs[0]}/${i}`;
    o.declare(output, shape);
    withConstant({ node: { ...node, inputs: [name, constant], outputs: [output] }, index: 0, operation }, o);
    name = output;
  });
}

/** One operand is constant. Becomes y = a·x + b with weights if possible. */
function withConstant({ node, index, operation }: { node: Node; index: 0 | 1; operation: Operation }, o: Lowering): void {
  const shape = o.shape(node.outputs[0] as string);
  const value = spread(ranked(o.stored(node, index), shape.length), shape, node, o);
  const constant = o.weight(node, 1 - index);
  const fitted = constantFor(value, constant, shape);
  if (!fitted) o.refuse(node, `with a constant [${constant.shape.join(", ")}]`);
  const scalar = constant.count === 1 ? (constant.data[0] as number) : undefined;
  const put = (className: string, config: object, weights: readonly (readonly [string, Constant])[] = []): void => {
    const planned = weights.map(([name, numbers]) => plainWeight(name, numbers));
    const ref = o.emit(className, node, [value], { config: { ...config }, weights: planned });
    o.set(node.outputs[0], { ...value, ref });
  };
  const affine = (scale: Constant | null, offset: Constant | null): void =>
    put(
      "Affine",
      { scale: scale?.shape ?? null, offset: offset?.shape ?? null, ...(o.plan.isOfInput(value.ref) && { trainable: false }) },
      [...(scale ? [["scale", scale] as const] : []), ...(offset ? [["offset", offset] as const] : [])],
    );
  const minusOne = mapped(viewed(fitted, [], []), () => -1);
  if (operation === "add") affine(null, fitted);
  else if (operation === "mul") affine(fitted, null);
  else if (operation === "sub")
    index === 0
      ? affine(
          null,
          mapped(fitted, (x) => -x),
        )
      : affine(minusOne, fitted);
  else if (operation === "div" && index === 0)
    affine(
      mapped(fitted, (x) => 1 / x),
      null,
    );
  else if (operation === "pow" && index === 0 && scalar === 2) put("Elementwise", { operation: "square" });
  else if (operation === "pow" && index === 0 && scalar === 0.5) put("Elementwise", { operation: "sqrt" });
  else if (operation === "min" && scalar !== undefined) put("Clip", { min_value: null, max_value: scalar });
  else if (operation === "max" && scalar !== undefined) put("Clip", { min_value: scalar, max_value: null });
  else put("Binary", { operation, constant: fitted.shape, reversed: index === 1 }, [["constant", fitted]]);
}

/** Two values that depend on the picture. */
export function combined(node: Node, o: Lowering, operation: Operation): void {
  const { values, leader } = aligned(node, o, [0, 1], o.shape(node.outputs[0] as string));
  const className = layers[operation];
  const ref = o.emit(className ?? "Binary", node, values, className ? {} : { config: { operation } });
  o.set(node.outputs[0], { ...leader, ref });
}

/** Name of an input times a number. */
export function times(node: Node, index: number, factor: number, o: Lowering): string {
  const name = node.inputs[index] as string;
  if (factor === 1) return name;
  const made = `${node.outputs[0]}/scaled${index}`;
  const value = o.stored(node, index);
  const weights = [plainWeight("scale", ofData("float", [], Float32Array.of(factor)))];
  o.declare(made, o.shape(name));
  o.set(made, { ...value, ref: o.emit("Affine", node, [value], { suffix: "_scaled", config: { scale: [], offset: null }, weights }) });
  return made;
}

/** Chooses between values and numbers by a condition, such as an attention mask before a softmax. */
const where: Lower = (node, o) => {
  const shape = o.shape(node.outputs[0] as string);
  const live = [0, 1, 2].filter((i) => o.isLive(node.inputs[i]));
  const { values, leader } = aligned(node, o, live, shape);
  const [whenTrue, whenFalse] = [1, 2].map((i) => {
    if (live.includes(i)) return null;
    const constant = o.weight(node, i);
    return constant.count === 1 ? (constant.data[0] as number) : o.refuse(node, `with a constant [${constant.shape.join(", ")}]`);
  });
  const condition = live.includes(0) ? null : constantFor(leader, o.weight(node, 0), shape);
  if (condition === undefined) return o.refuse(node, "with a condition that is larger than the value");
  const config = { condition: condition?.shape ?? null, when_true: whenTrue, when_false: whenFalse };
  const weights = condition ? [plainWeight("condition", condition)] : [];
  o.set(node.outputs[0], { ...leader, ref: o.emit("Select", node, values, { config, weights }) });
};

export const elementwiseRules: readonly [string, Lower][] = [
  ["Relu", (node, o) => o.alike("ReLU", node)],
  ["Sigmoid", activation("sigmoid")],
  ["Tanh", activation("tanh")],
  ["Softplus", activation("softplus")],
  ["Softsign", activation("softsign")],
  ["Selu", activation("selu")],
  ["Elu", (node, o) => o.alike("ELU", node, { config: { alpha: floatOf(node, "alpha", 1) } })],
  ["Celu", (node, o) => o.alike("Elementwise", node, { config: { operation: "celu", alpha: floatOf(node, "alpha", 1) } })],
  ["LeakyRelu", (node, o) => o.alike("LeakyReLU", node, { config: { alpha: floatOf(node, "alpha", 0.01) } })],
  ["ThresholdedRelu", (node, o) => o.alike("ThresholdedReLU", node, { config: { theta: floatOf(node, "alpha", 1) } })],
  ["PRelu", prelu],
  ["HardSigmoid", hardSigmoid],
  ["HardSwish", function_("hardSwish")],
  ["Swish", activation("swish")],
  ["Mish", function_("mish")],
  ["Gelu", gelu],
  ["Clip", clip],
  ...["Exp", "Log", "Sqrt", "Neg", "Abs", "Erf", "Reciprocal", "Sin", "Cos", "Floor", "Ceil", "Round", "Sign", "Not"].map(
    (op): [string, Lower] => [op, function_(op.toLowerCase())],
  ),
  ["IsNaN", function_("isNaN")],
  ["Where", where],
  ["Add", binary("add")],
  ["Sub", binary("sub")],
  ["Mul", binary("mul")],
  ["Div", binary("div")],
  ["Pow", binary("pow")],
  ["Min", binary("min")],
  ["Max", binary("max")],
  ["Sum", binary("add")],
  ["Equal", binary("equal")],
  ["Less", binary("less")],
  ["LessOrEqual", binary("lessOrEqual")],
  ["Greater", binary("greater")],
  ["GreaterOrEqual", binary("greaterOrEqual")],
  ["And", binary("and")],
  ["Or", binary("or")],
  ["Xor", binary("xor")],
  ["Mod", modulo],
];
