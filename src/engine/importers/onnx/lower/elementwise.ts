import { floatOf, type Node, textOf } from "../graph.ts";
import { physicalGroups, ranked, refined, type Stored, shapeOfStored } from "../layout.ts";
import type { Constant } from "../values.ts";
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

const swish: Lower = (node, o) => {
  if (floatOf(node, "alpha", 1) !== 1) o.refuse(node, "with alpha");
  activation("swish")(node, o);
};

const selu: Lower = (node, o) => {
  const isUsual = isNear(floatOf(node, "alpha", 1.6732632), 1.6732632) && isNear(floatOf(node, "gamma", 1.0507009), 1.0507009);
  if (!isUsual) o.refuse(node, "with alpha or gamma of its own");
  activation("selu")(node, o);
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
  const channels = value.physical.at(-1) as number;
  const slope = constantFor(value, o.weight(node, 1), o.shape(node.inputs[0] as string));
  if (!slope || slope.shape.length > 1) return o.refuse(node, "with a slope for each place");
  const all = slope.count === 1 ? viewed(slope, [channels], [0]) : slope;
  const shared = value.physical.slice(1, -1).map((_, i) => i + 1);
  const weights = [plainWeight("alpha", all, [...shared.map(() => 1), channels])];
  o.alike("PReLU", node, { config: { shared_axes: shared }, weights });
};

const gelu: Lower = (node, o) => o.alike("Gelu", node, { config: { approximate: textOf(node, "approximate", "none") } });

type Operation = "add" | "sub" | "mul" | "div" | "pow" | "min" | "max" | "equal" | "less" | "lessOrEqual" | "greater" | "greaterOrEqual";
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

function variadic(operation: Operation, node: Node, o: Lowering): void {
  const isLive = node.inputs.every((name) => o.isLive(name));
  const className = layers[operation];
  const values = node.inputs.map((_, i) => o.stored(node, i));
  const isAlike = values.every((value) => value.physical.join() === values[0]?.physical.join() && sameAxes(value, values[0]));
  if (!isLive || !className || !isAlike) o.refuse(node, `of ${node.inputs.length} values that are stored differently`);
  o.set(node.outputs[0], { ...(values[0] as Stored), ref: o.emit(className as string, node, values) });
}

const sameAxes = (a: Stored, b: Stored | undefined): boolean => JSON.stringify([a.sizes, a.axes]) === JSON.stringify([b?.sizes, b?.axes]);

/** One operand is constant. Becomes y = a·x + b with weights if possible. */
function withConstant({ node, index, operation }: { node: Node; index: 0 | 1; operation: Operation }, o: Lowering): void {
  const value = o.stored(node, index);
  const constant = o.weight(node, 1 - index);
  const shape = o.shape(node.outputs[0] as string);
  const own = shapeOfStored(ranked(value, shape.length));
  const fitted = own.join() === shape.join() ? constantFor(ranked(value, shape.length), constant, shape) : undefined;
  if (!fitted) o.refuse(node, `with a constant [${constant.shape.join(", ")}] that is larger than the value`);
  const scalar = constant.count === 1 ? (constant.data[0] as number) : undefined;
  const put = (className: string, config: object, weights: readonly (readonly [string, Constant])[] = []): void => {
    const planned = weights.map(([name, numbers]) => plainWeight(name, numbers));
    const ref = o.emit(className, node, [value], { config: { ...config }, weights: planned });
    o.set(node.outputs[0], { ...ranked(value, shape.length), ref });
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

/** Two values: the one with the result's shape leads, and the other is brought into its order. */
function combined(node: Node, o: Lowering, operation: Operation): void {
  const shape = o.shape(node.outputs[0] as string);
  const operands = [0, 1].map((i) => ranked(o.stored(node, i), shape.length)) as [Stored, Stored];
  const leads = operands.map((v) => shapeOfStored(v).join() === shape.join());
  const lead = leads[0] ? 0 : 1;
  if (!leads[lead]) o.refuse(node, "of two values that are both repeated");
  const both = divided(node, o, operands);
  const [leader, other] = [both[lead], both[1 - lead]] as [Stored, Stored];
  const places = new Map(leader.axes.flatMap((factors, axis) => factors.map((factor, at) => [factor, { axis, at }] as const)));
  const matching = (factor: number): number[] => {
    const { axis, at } = places.get(factor) as { axis: number; at: number };
    const found = other.axes[axis]?.[at];
    return found === undefined ? [] : [found];
  };
  const own = physicalGroups(leader);
  const isUniform = own.every((group) => new Set(group.map((factor) => matching(factor).length)).size <= 1);
  const groups = isUniform ? own : leader.sizes.map((_, factor) => [factor]);
  for (const i of [0, 1] as const) {
    const rank = o.shape(node.inputs[i] as string).length;
    o.set(node.inputs[i], { ...(both[i] as Stored), axes: (both[i] as Stored).axes.slice(shape.length - rank) });
  }
  const led = o.arranged(node, lead, groups);
  const brought = o.arranged(
    node,
    1 - lead,
    groups.map((group) => group.flatMap(matching)),
  );
  const inputs = lead === 0 ? [led, brought] : [brought, led];
  const className = layers[operation];
  const ref = o.emit(className ?? "Binary", node, inputs, className ? {} : { config: { operation } });
  o.set(node.outputs[0], { ...ranked(led, shape.length), ref });
}

/** Splits both into the same factors along each axis that is not broadcast. */
export function divided(node: Node, o: Lowering, operands: readonly [Stored, Stored]): [Stored, Stored] {
  const [a, b] = operands;
  const [one, other] = [shapeOfStored(a), shapeOfStored(b)];
  const axes = one.flatMap((side, axis) => (side === other[axis] ? [axis] : []));
  const found = refined(a, b, axes);
  if (found) return found;
  const joined = operands.map((v) => axes.reduce((value, axis) => o.layout.single(value, axis, node), v)) as [Stored, Stored];
  return refined(joined[0], joined[1], axes) ?? o.refuse(node, "of values whose sizes do not divide each other");
}

/** Chooses between two values by a constant condition, such as an attention mask before a softmax. */
const where: Lower = (node, o) => {
  const shape = o.shape(node.outputs[0] as string);
  const live = [1, 2].filter((i) => o.isLive(node.inputs[i]));
  const values = live.map((i) => ranked(o.stored(node, i), shape.length));
  const [leader] = values;
  const isAlike = leader && values.every((one) => sameAxes(one, leader) && one.physical.join() === leader.physical.join());
  if (!leader || !isAlike || shapeOfStored(leader).join() !== shape.join()) return o.refuse(node, "of values that are stored differently");
  const condition = constantFor(leader, o.weight(node, 0), shape);
  const [whenTrue, whenFalse] = [1, 2].map((i) => {
    if (live.includes(i)) return null;
    const constant = o.weight(node, i);
    return constant.count === 1 ? (constant.data[0] as number) : o.refuse(node, `with a constant [${constant.shape.join(", ")}]`);
  });
  if (!condition) return o.refuse(node, "with a condition that is larger than the value");
  const config = { condition: condition.shape, when_true: whenTrue, when_false: whenFalse };
  o.set(node.outputs[0], { ...leader, ref: o.emit("Select", node, values, { config, weights: [plainWeight("condition", condition)] }) });
};

export const elementwiseRules: readonly [string, Lower][] = [
  ["Relu", (node, o) => o.alike("ReLU", node)],
  ["Sigmoid", activation("sigmoid")],
  ["Tanh", activation("tanh")],
  ["Softplus", activation("softplus")],
  ["Softsign", activation("softsign")],
  ["Selu", selu],
  ["Elu", (node, o) => o.alike("ELU", node, { config: { alpha: floatOf(node, "alpha", 1) } })],
  ["Celu", (node, o) => o.alike("Elementwise", node, { config: { operation: "celu", alpha: floatOf(node, "alpha", 1) } })],
  ["LeakyRelu", (node, o) => o.alike("LeakyReLU", node, { config: { alpha: floatOf(node, "alpha", 0.01) } })],
  ["ThresholdedRelu", (node, o) => o.alike("ThresholdedReLU", node, { config: { theta: floatOf(node, "alpha", 1) } })],
  ["PRelu", prelu],
  ["HardSigmoid", hardSigmoid],
  ["HardSwish", function_("hardSwish")],
  ["Swish", swish],
  ["Mish", function_("mish")],
  ["Gelu", gelu],
  ["Clip", clip],
  ...["Exp", "Log", "Sqrt", "Neg", "Abs", "Erf", "Reciprocal", "Sin", "Cos", "Floor", "Ceil", "Round", "Sign"].map(
    (op): [string, Lower] => [op, function_(op.toLowerCase())],
  ),
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
];
