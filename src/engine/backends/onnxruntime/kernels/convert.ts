import type { DataType } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import type { ElementType } from "../onnx.ts";

/**
 * A number as an int32 the way a typed array takes it: without its fraction, modulo 2³², and 0 for NaN and the infinities. Beyond ±2⁶³
 * every float32 is a multiple of 2³², hence also 0 (and any float64 is taken for one); a plain Cast would leave all of these to the processor.
 */
export function truncate(g: Graph, x: Value): Value {
  if (x.dtype === "int32") return x;
  if (x.dtype === "bool" || x.dtype === "int64") return g.cast(x, "int32");
  const inside = g.binary("Less", g.unary("Abs", x), g.scalar(2 ** 63, x.dtype), "bool");
  // The choice stands between the casts, which onnxruntime would otherwise make one.
  return g.cast(g.where(inside, g.cast(x, "int64"), g.scalar(0, "int64")), "int32");
}

/** A computed number in the dtype that the result is recorded under, as the cpu backend's arrays take it; a bool is 0 or 1. */
export function store(g: Graph, x: Value, dtype: DataType | ElementType): Value {
  if (x.dtype === dtype) return x;
  if (dtype === "float32") return g.cast(x, "float32");
  return dtype === "bool" ? g.cast(truncate(g, x), "bool") : truncate(g, x);
}

/** Something that can be calculated with: booleans are counted as integers. */
export const numeric = (g: Graph, x: Value): Value => (x.dtype === "bool" ? g.cast(x, "int32") : x);
