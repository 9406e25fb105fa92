import type { Graph, Value } from "../graph.ts";
import { store, truncate } from "./convert.ts";

type Binary = (g: Graph, a: Value, b: Value) => Value;
type Whole = (dividend: Value, divisor: Value) => Value;

/** Integers are divided as int64, where the least one over -1 is no overflow; anything by 0 is 0, as an int32 takes NaN and infinity. */
function divideWhole(g: Graph, a: Value, b: Value, body: Whole): Value {
  const [dividend, divisor] = [g.cast(a, "int64"), g.cast(b, "int64")];
  const byZero = g.binary("Equal", divisor, g.scalar(0, "int64"), "bool");
  const result = body(dividend, g.where(byZero, g.scalar(1, "int64"), divisor));
  return g.cast(g.where(byZero, g.scalar(0, "int64"), result), "int32");
}

/** The remainder with the divisor's sign, as in Python; of floats, in tfjs' own two steps, in its double precision. */
export const mod: Binary = (g, a, b) => {
  if (a.dtype !== "float32") return divideWhole(g, a, b, (dividend, divisor) => g.binary("Mod", dividend, divisor));
  const [dividend, divisor] = [g.cast(a, "float64"), g.cast(b, "float64")];
  const remainder: Whole = (x, y) => g.op("Mod", [x, y], g.binary("Add", x, y).shape, "float64", { fmod: 1 });
  const negative = (x: Value): Value => g.binary("Less", x, g.scalar(0, "float64"), "bool");
  const rest = remainder(dividend, divisor);
  const opposite = g.binary("Xor", negative(dividend), negative(divisor));
  return g.cast(g.where(opposite, remainder(g.binary("Add", rest, divisor), divisor), rest), "float32");
};

/** ⌊a / b⌋ as int32. */
export const floorDivide: Binary = (g, a, b) => {
  if (a.dtype === "float32" || b.dtype === "float32")
    return truncate(g, g.unary("Floor", g.binary("Div", g.cast(a, "float64"), g.cast(b, "float64"))));
  // Floored, not cut off: what is left over the remainder of the divisor's sign divides evenly.
  return divideWhole(g, a, b, (dividend, divisor) =>
    g.binary("Div", g.binary("Sub", dividend, g.binary("Mod", dividend, divisor)), divisor),
  );
};

/** aᵇ. JavaScript, unlike C, has no value for 1 to the power of NaN and for ±1 to the power of ±∞. Powers of integers are double. */
export const power: Binary = (g, a, b) => {
  if (a.dtype !== "float32") return truncate(g, g.binary("Pow", g.cast(a, "float64"), g.cast(b, "float64")));
  const isOne = g.binary("Equal", g.unary("Abs", a), g.scalar(1), "bool");
  // NaN, and nothing else finite or not, differs from itself; ∞ − ∞ is NaN.
  const unbounded = g.op("IsNaN", [g.binary("Sub", b, b)], b.shape, "bool");
  return g.where(g.binary("And", isOne, unbounded), g.scalar(Number.NaN), g.binary("Pow", a, b));
};

/** The angle of (x, y) from the one of (|x|, |y|); zeros have signs, and two infinities make a diagonal. */
export const atan2: Binary = (g, y, x) => {
  if (y.dtype !== "float32") return store(g, atan2(g, g.cast(y, "float32"), g.cast(x, "float32")), y.dtype);
  const zero = g.scalar(0);
  const negative = (v: Value): Value =>
    g.binary("Or", g.binary("Less", v, zero, "bool"), g.binary("Less", g.unary("Reciprocal", v), zero, "bool"));
  const test = (type: string, v: Value): Value => g.op(type, [v], v.shape, "bool");
  const flat = g.unary("Atan", g.binary("Div", g.unary("Abs", y), g.unary("Abs", x)));
  const both = g.binary("And", test("IsInf", x), test("IsInf", y));
  const none = g.binary("And", g.binary("Equal", x, zero, "bool"), g.binary("Equal", y, zero, "bool"));
  const base = g.where(both, g.scalar(Math.PI / 4), g.where(none, zero, flat));
  const turned = g.where(negative(x), g.binary("Sub", g.scalar(Math.PI), base), base);
  const angle = g.where(negative(y), g.unary("Neg", turned), turned);
  const bad = g.binary("Or", test("IsNaN", x), test("IsNaN", y));
  return g.where(bad, g.scalar(Number.NaN), angle);
};
