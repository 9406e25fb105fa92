import type { ClipByValueAttrs, LeakyReluAttrs, StepAttrs, UnaryInputs } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { absorbRelu, elementwise } from "./blocked.ts";
import { numeric, store } from "./convert.ts";
import { type Kernels, kernel } from "./kernel.ts";
import { reluMask } from "./mask.ts";

type Body = (g: Graph, x: Value) => Value;

/** float32 in, float32 out. */
const float = (name: string, body: Body) =>
  kernel<UnaryInputs>(({ inputs: { x }, backend }) =>
    backend.record(name, "", [x], { shape: x.shape, dtype: "float32" }, (g, value) => body(g, g.cast(value, "float32"))),
  );
/** The result has the input's own type; booleans are counted as integers and back. */
const same = (name: string, body: Body) =>
  kernel<UnaryInputs>(({ inputs: { x }, backend }) =>
    backend.record(name, "", [x], { shape: x.shape, dtype: x.dtype }, (g, value) => store(g, body(g, numeric(g, value)), x.dtype)),
  );
/** Computed in float32 and then given the input's own type, as tfjs has it for some functions: the arc cosine of an int32 is an int32. */
const kept = (name: string, body: Body) => same(name, (g, x) => body(g, g.cast(x, "float32")));
const test = (name: string, body: Body) =>
  kernel<UnaryInputs>(({ inputs: { x }, backend }) =>
    backend.record(name, "", [x], { shape: x.shape, dtype: "bool" }, (g, value) => body(g, value)),
  );
/** Rounding: integers stay what they are. */
const whole = (type: string) => same(type, (g, x) => (x.dtype === "float32" ? g.unary(type, x) : x));
const direct = (type: string) => float(type, (g, x) => g.unary(type, x));
const directKept = (type: string) => kept(type, (g, x) => g.unary(type, x));

/** max(x, 0), remembered so that its gradient's mask can be taken from it and x need not be kept. NaN stays NaN. */
export const relu: Body = (g, x) =>
  x.dtype === "float32"
    ? g.note("relu", x, absorbRelu(g, x) ?? elementwise(g, [x], (v) => g.unary("Relu", v)))
    : g.binary("Max", x, g.scalar(0, x.dtype));

// expm1 x = tanh(x/2)·(eˣ + 1): exact to rounding near 0, -1 at -∞.
const expm1: Body = (g, x) => {
  const half = g.unary("Tanh", g.binary("Mul", x, g.scalar(0.5)));
  return g.binary("Mul", half, g.binary("Add", g.unary("Exp", x), g.scalar(1)));
};
// log1p x = 2·artanh(x / (2 + x)) near 0, the plain logarithm beyond.
const log1p: Body = (g, x) => {
  const ratio = g.binary("Div", x, g.binary("Add", x, g.scalar(2)));
  const near = g.binary("Mul", g.unary("Atanh", ratio), g.scalar(2));
  const plain = g.unary("Log", g.binary("Add", x, g.scalar(1)));
  const isNear = g.binary("LessOrEqual", g.unary("Abs", x), g.scalar(0.5), "bool");
  return g.where(isNear, near, plain);
};
/** 1 / (1 + e⁻ˣ). onnxruntime's own Sigmoid is 0 below -18, where the true one still has a sign for its gradient. */
export const sigmoid: Body = (g, x) => g.unary("Reciprocal", g.binary("Add", g.unary("Exp", g.unary("Neg", x)), g.scalar(1)));
const nan: Body = (g, x) => g.op("IsNaN", [g.cast(x, "float32")], x.shape, "bool");
const infinite: Body = (g, x) => g.op("IsInf", [g.cast(x, "float32")], x.shape, "bool");

// tfjs calls the sign of NaN 0.
const sign: Body = (g, x) => (x.dtype === "float32" ? g.where(nan(g, x), g.scalar(0), g.unary("Sign", x)) : g.unary("Sign", x));

const seluScale = 1.0507009873554805;
const seluAlpha = 1.6732632423543772;

export const unary: Kernels = {
  Abs: same("Abs", (g, x) => g.unary("Abs", x)),
  Acos: directKept("Acos"),
  Acosh: directKept("Acosh"),
  Asin: directKept("Asin"),
  Asinh: directKept("Asinh"),
  Atan: directKept("Atan"),
  Atanh: directKept("Atanh"),
  Ceil: whole("Ceil"),
  Cos: direct("Cos"),
  Cosh: direct("Cosh"),
  Elu: float("Elu", (g, x) => g.unary("Elu", x)),
  Erf: direct("Erf"),
  Exp: direct("Exp"),
  Expm1: kept("Expm1", expm1),
  Floor: whole("Floor"),
  IsFinite: test("IsFinite", (g, x) => g.unary("Not", g.binary("Or", nan(g, x), infinite(g, x)))),
  IsInf: test("IsInf", infinite),
  IsNan: test("IsNan", nan),
  Log: direct("Log"),
  Log1p: kept("Log1p", log1p),
  LogicalNot: test("LogicalNot", (g, x) => g.unary("Not", g.cast(x, "bool"))),
  Neg: same("Neg", (g, x) => g.unary("Neg", x)),
  Reciprocal: directKept("Reciprocal"),
  Relu: same("Relu", relu),
  Relu6: same("Relu6", (g, x) => g.binary("Min", relu(g, x), g.scalar(6, x.dtype))),
  Round: whole("Round"),
  Rsqrt: float("Rsqrt", (g, x) => g.unary("Reciprocal", g.unary("Sqrt", x))),
  Selu: kept("Selu", (g, x) => g.unary("Selu", x, { alpha: { float: seluAlpha }, gamma: { float: seluScale } })),
  Sigmoid: float("Sigmoid", sigmoid),
  Sign: same("Sign", sign),
  Sin: direct("Sin"),
  Sinh: directKept("Sinh"),
  Softplus: directKept("Softplus"),
  Sqrt: direct("Sqrt"),
  Square: same("Square", (g, x) => g.binary("Mul", x, x)),
  Tan: direct("Tan"),
  Tanh: direct("Tanh"),
  ClipByValue: kernel<UnaryInputs, ClipByValueAttrs>(({ inputs: { x }, attrs: { clipValueMin: min, clipValueMax: max }, backend }) =>
    backend.record("ClipByValue", [min, max], [x], { shape: x.shape, dtype: x.dtype }, (g, value) => {
      const v = numeric(g, value);
      return store(g, g.op("Clip", [v, g.scalar(min, v.dtype), g.scalar(max, v.dtype)], x.shape, v.dtype), x.dtype);
    }),
  ),
  LeakyRelu: kernel<UnaryInputs, LeakyReluAttrs>(({ inputs: { x }, attrs: { alpha }, backend }) =>
    backend.record("LeakyRelu", alpha, [x], { shape: x.shape, dtype: "float32" }, (g, value) =>
      g.unary("LeakyRelu", g.cast(value, "float32"), { alpha: { float: alpha } }),
    ),
  ),
  Step: kernel<UnaryInputs, StepAttrs>(({ inputs: { x }, attrs: { alpha }, backend }) =>
    backend.record("Step", alpha, [x], { shape: x.shape, dtype: x.dtype }, (g, value) =>
      store(g, step(g, numeric(g, value), alpha), x.dtype),
    ),
  ),
};

/** 1 where x > 0, alpha where not, NaN where x is NaN. */
function step(g: Graph, x: Value, alpha: number): Value {
  if (x.dtype !== "float32")
    return g.where(g.binary("Greater", x, g.scalar(0, x.dtype), "bool"), g.scalar(1, x.dtype), g.scalar(alpha, x.dtype));
  const rectified = alpha === 0 ? g.noted("relu", x) : undefined;
  // From what the forward pass has computed already.
  if (rectified) return reluMask(g, rectified);
  if (alpha === 0) return g.unary("Sign", g.unary("Relu", x));
  const positive = g.binary("Greater", x, g.scalar(0), "bool");
  const plain = g.where(positive, g.scalar(1), g.scalar(alpha));
  return g.where(nan(g, x), x, plain);
}
