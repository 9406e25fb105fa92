import { broadcast } from "../../strided.ts";
import type { Kind } from "../file/elementTypes.ts";
import type { ShapeContext, ShapeRule } from "./context.ts";

const named = (rule: ShapeRule, names: string): [string, ShapeRule][] => names.split(" ").map((name) => [name, rule]);

const same: ShapeRule = (o) => [{ kind: o.input(0).kind, shape: o.shape(0) }];
/** Further outputs, such as statistics or a mask, get the same shape; using them is refused elsewhere. */
const withOthers: ShapeRule = (o) => {
  const [first] = same(o) as [ReturnType<ShapeRule>[number]];
  return o.node.outputs.map(() => first);
};

const fitted = (o: ShapeContext): readonly number[] => {
  const shapes = o.node.inputs.map((_, i) => o.shape(i));
  const known = broadcast(...shapes);
  return known ?? o.fail(`combines ${shapes.map((shape) => `[${shape.join(", ")}]`).join(" and ")}`);
};
const combined =
  (kind?: Kind): ShapeRule =>
  (o) => [{ kind: kind ?? o.input(0).kind, shape: fitted(o) }];

/** TensorProto.DataType of floats. */
const floats = [1, 10, 11, 16];
const kindOfType = (type: number): Kind => (floats.includes(type) ? "float" : type === 9 ? "bool" : "int");

/** Elementwise operators, and others that keep the shape. */
export const elementwiseShapes: readonly [string, ShapeRule][] = [
  ...named(
    same,
    "Relu Sigmoid Tanh Exp Log Sqrt Neg Abs Erf Softplus Softsign Reciprocal Sin Cos Floor Ceil Round Sign LeakyRelu Elu Selu ThresholdedRelu HardSigmoid HardSwish Gelu Mish Celu Swish Clip Softmax LogSoftmax Hardmax LpNormalization Identity InstanceNormalization GroupNormalization LRN PRelu Not ScatterND Trilu CumSum",
  ),
  ...named(withOthers, "Dropout BatchNormalization LayerNormalization"),
  ...named(combined(), "Add Sub Mul Div Pow Min Max Mean Sum Mod"),
  ...named(combined("bool"), "Equal Less LessOrEqual Greater GreaterOrEqual And Or Xor"),
  ["QuantizeLinear", (o) => [{ kind: "int", shape: o.shape(0) }]],
  ["DequantizeLinear", (o) => [{ kind: "float", shape: o.shape(0) }]],
  ["IsNaN", (o) => [{ kind: "bool", shape: o.shape(0) }]],
  ["Where", (o) => [{ kind: o.input(1).kind, shape: fitted(o) }]],
  ["Cast", (o) => [{ kind: kindOfType(o.node.attributes.get("to")?.int ?? 1), shape: o.shape(0) }]],
];
