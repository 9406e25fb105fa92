import { type BinaryInputs, backend_util, type DataType, type SelectInputs, type TensorInfo } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { leak } from "./activation.ts";
import { elementwise } from "./blocked.ts";
import { absorbBias, shifted } from "./conv.ts";
import { numeric, store } from "./convert.ts";
import { atan2, floorDivide, mod, power } from "./divide.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { knownMasked } from "./mask.ts";
import { scaledPerImage, scaledPerPlace, shiftedPerImage } from "./perImage.ts";

type Body = (g: Graph, a: Value, b: Value) => Value;

const binaryKernel = (name: string, dtype: DataType | undefined, body: Body) =>
  kernel<BinaryInputs>(({ inputs: { a, b }, backend }) => {
    const shape = backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
    return backend.record(name, a.dtype, [a, b], { shape, dtype: dtype ?? a.dtype }, (g, x, y) => body(g, x, y));
  });
/** Arithmetic in the common type; booleans are counted as integers and back, which onnxruntime would refuse. */
const arithmetic = (name: string, body: Body) =>
  binaryKernel(name, undefined, (g, a, b) => {
    if (a.dtype !== "bool") return body(g, a, b.dtype === a.dtype ? b : g.cast(b, a.dtype));
    return store(g, body(g, g.cast(a, "int32"), g.cast(b, "int32")), "bool");
  });
const comparison = (name: string, body: Body) =>
  binaryKernel(name, "bool", (g, a, b) => {
    const dtype = a.dtype === "float32" || b.dtype === "float32" ? "float32" : "int32";
    return body(g, g.cast(a, dtype), g.cast(b, dtype));
  });
const logical = (name: string, type: string) =>
  binaryKernel(name, "bool", (g, a, b) => g.binary(type, g.cast(a, "bool"), g.cast(b, "bool")));
const direct =
  (type: string): Body =>
  (g, a, b) =>
    g.binary(type, a, b);
const inLayout =
  (type: string): Body =>
  (g, a, b) =>
    elementwise(g, [a, b], (x, y = b) => g.binary(type, x, y));
const compare =
  (type: string): Body =>
  (g, a, b) =>
    g.binary(type, a, b, "bool");

/**
 * Notes what a product is of, so that a sum over it can be a convolution; and one with a constant vector along the last axis, so that a
 * convolution's gradient can fold it into its filter.
 */
function noteFactors(g: Graph, a: Value, b: Value, product: Value): Value {
  g.note("left of", product, a);
  g.note("right of", product, b);
  if (!b.constant || b.shape.length !== 1 || a.constant || b.shape[0] !== a.shape.at(-1) || a.shape.length !== 4) return product;
  g.note("unscaled", product, a);
  return g.note("factor", product, b) && product;
}

/** dy · eluʹ(x) from y = elu(x): dy where y ≥ 0, dy·(y + 1) below. */
const eluGrad: Body = (g, dy, y) =>
  g.where(g.binary("GreaterOrEqual", y, g.scalar(0), "bool"), dy, g.binary("Mul", dy, g.binary("Add", y, g.scalar(1))));

/** condition ? a : b, where onnxruntime's Where knows the type; booleans go through integers. */
export function select(g: Graph, condition: Value, a: Value, b: Value): Value {
  if (a.dtype === "bool") return g.cast(g.where(condition, g.cast(a, "int32"), g.cast(b, "int32")), "bool");
  return g.where(condition, a, b);
}

export const binary: Kernels = {
  AddN: kernel<BinaryInputs["a"][]>(({ inputs, backend }) => {
    const list = Object.values(inputs) as TensorInfo[];
    const [first] = list;
    if (!first) throw new Error("AddN needs a tensor");
    return backend.record("AddN", "", list, { shape: first.shape, dtype: first.dtype }, (g, ...values) =>
      store(
        g,
        values.map((value) => numeric(g, value)).reduce((sum, value) => g.binary("Add", sum, value)),
        first.dtype,
      ),
    );
  }),
  Add: arithmetic("Add", (g, a, b) => absorbBias(g, a, b) ?? shiftedPerImage(g, a, b) ?? shifted(g, a, b, inLayout("Add")(g, a, b))),
  Sub: arithmetic("Sub", direct("Sub")),
  Multiply: arithmetic(
    "Multiply",
    (g, a, b) =>
      knownMasked(g, a, b) ?? scaledPerImage(g, a, b) ?? scaledPerPlace(g, a, b) ?? noteFactors(g, a, b, inLayout("Mul")(g, a, b)),
  ),
  RealDiv: binaryKernel("RealDiv", undefined, (g, a, b) => store(g, g.binary("Div", g.cast(a, "float32"), g.cast(b, "float32")), a.dtype)),
  FloorDiv: binaryKernel("FloorDiv", "int32", floorDivide),
  Maximum: arithmetic("Maximum", direct("Max")),
  Minimum: arithmetic("Minimum", direct("Min")),
  Mod: arithmetic("Mod", mod),
  Pow: arithmetic("Pow", power),
  Atan2: arithmetic("Atan2", atan2),
  SquaredDifference: arithmetic("SquaredDifference", (g, a, b) => {
    const difference = g.binary("Sub", a, b);
    return g.binary("Mul", difference, difference);
  }),
  Prelu: kernel<{ x: BinaryInputs["a"]; alpha: BinaryInputs["b"] }>(({ inputs: { x, alpha }, backend }) =>
    backend.record(
      "Prelu",
      "",
      [x, alpha],
      { shape: backend_util.assertAndGetBroadcastShape(x.shape, alpha.shape), dtype: "float32" },
      (g, v, a) => leak(g, g.cast(v, "float32"), g.cast(a, "float32")),
    ),
  ),
  EluGrad: kernel<{ dy: BinaryInputs["a"]; y: BinaryInputs["b"] }>(({ inputs: { dy, y }, backend }) =>
    backend.record("EluGrad", "", [dy, y], { shape: y.shape, dtype: "float32" }, (g, d, v) => eluGrad(g, d, v)),
  ),
  Equal: comparison("Equal", compare("Equal")),
  NotEqual: comparison("NotEqual", (g, a, b) => g.unary("Not", g.binary("Equal", a, b, "bool"))),
  Greater: comparison("Greater", compare("Greater")),
  GreaterEqual: comparison("GreaterEqual", compare("GreaterOrEqual")),
  Less: comparison("Less", compare("Less")),
  LessEqual: comparison("LessEqual", compare("LessOrEqual")),
  LogicalAnd: logical("LogicalAnd", "And"),
  LogicalOr: logical("LogicalOr", "Or"),
  LogicalXor: logical("LogicalXor", "Xor"),
  Select: kernel<SelectInputs>(({ inputs: { condition, t, e }, backend }) => {
    // A rank-1 condition picks whole rows of tensors of higher rank.
    const rows = condition.shape.length === 0 ? [] : [...condition.shape, ...t.shape.slice(condition.shape.length).map(() => 1)];
    return backend.record("Select", "", [condition, t, e], { shape: t.shape, dtype: t.dtype }, (g, c, a, b) =>
      g.expand(select(g, g.reshape(g.cast(c, "bool"), rows), a, b), t.shape),
    );
  }),
};
