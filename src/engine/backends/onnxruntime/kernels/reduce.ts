import type {
  ArgMaxAttrs,
  ArgMaxInputs,
  CumsumAttrs,
  CumsumInputs,
  DataType,
  MaxAttrs,
  SumAttrs,
  SumInputs,
  TensorInfo,
  TopKAttrs,
  TopKInputs,
} from "@tensorflow/tfjs-core";
import { backend_util, util } from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import type { Graph, Value } from "../graph.ts";
import { axesOf, isEmpty, type Kernels, kernel } from "./kernel.ts";

type Body = (g: Graph, x: Value, axes: readonly number[], keep: boolean) => Value;

/** A reduction with tfjs' axes. `identity` is what an empty sum (product, …) gives. */
function reduction(name: string, identity: number, dtype: (x: TensorInfo) => DataType, body: Body) {
  return kernel<SumInputs, Partial<SumAttrs & MaxAttrs>>(({ inputs: { x }, attrs, backend }) => {
    const axes = axesOf(attrs.axis ?? attrs.reductionIndices, x.shape);
    const keep = attrs.keepDims ?? false;
    const [plain] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = keep ? backend_util.expandShapeToKeepDim(plain, axes) : plain;
    const type = dtype(x);
    if (isEmpty(x.shape))
      return backend.record("Full", identity, [], { shape, dtype: type }, (g) => g.expand(g.scalar(identity, type as "float32"), shape));
    return backend.record(name, [axes, keep], [x], { shape, dtype: type }, (g, v) =>
      g.cast(g.reshape(body(g, v, axes, keep), shape), type as "float32"),
    );
  });
}
const own = (x: TensorInfo): DataType => x.dtype;
const number = (x: TensorInfo): DataType => (x.dtype === "bool" ? "int32" : x.dtype);

/** Max and Min let NaN through as the cpu backend does: a NaN anywhere in the window is the result. */
const extreme =
  (type: "ReduceMax" | "ReduceMin"): Body =>
  (g, x, axes, keep) => {
    const result = g.reduce(type, x.dtype === "bool" ? g.cast(x, "int32") : x, axes, keep);
    if (x.dtype !== "float32") return result;
    const nan = g.reduce("ReduceMax", g.cast(g.op("IsNaN", [x], x.shape, "bool"), "int32"), axes, keep);
    return g.where(g.cast(nan, "bool"), g.scalar(Number.NaN), result);
  };

function arg(name: "ArgMax" | "ArgMin") {
  return kernel<ArgMaxInputs, ArgMaxAttrs>(({ inputs: { x }, attrs, backend }) => {
    const axes = axesOf(attrs.axis, x.shape);
    const axis = axes[0] ?? 0;
    const shape = x.shape.toSpliced(axis, 1);
    // NaN never wins.
    const last = name === "ArgMax" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return backend.record(name, axis, [x], { shape, dtype: "int32" }, (g, v) => {
      const source = v.dtype === "float32" ? g.where(g.op("IsNaN", [v], v.shape, "bool"), g.scalar(last), v) : g.cast(v, "int32");
      return g.cast(g.op(name, [source], shape, "int64", { axis, keepdims: 0, select_last_index: 0 }), "int32");
    });
  });
}

function topK(backend: OnnxBackend, x: TensorInfo, k: number): TensorInfo[] {
  const axis = x.shape.length - 1;
  const shape = x.shape.with(axis, k);
  const results = [
    { shape, dtype: x.dtype },
    { shape, dtype: "int32" as const },
  ];
  return backend.recordAll("TopK", k, [x], results, (g, v) => {
    const ports = [
      { shape, dtype: v.dtype },
      { shape, dtype: "int64" as const },
    ];
    const [values, indices] = g.emit("TopK", [v, g.ints([k])], ports, { axis, largest: 1, sorted: 1 });
    if (!values || !indices) throw new Error("TopK has two results");
    return [values, g.cast(indices, "int32")];
  });
}

export const reduce: Kernels = {
  Sum: reduction("Sum", 0, number, (g, x, axes, keep) => g.reduce("ReduceSum", x.dtype === "bool" ? g.cast(x, "int32") : x, axes, keep)),
  Mean: reduction(
    "Mean",
    Number.NaN,
    () => "float32",
    (g, x, axes, keep) => g.reduce("ReduceMean", g.cast(x, "float32"), axes, keep),
  ),
  Prod: reduction("Prod", 1, number, (g, x, axes, keep) => g.reduce("ReduceProd", x.dtype === "bool" ? g.cast(x, "int32") : x, axes, keep)),
  Max: reduction("Max", Number.NEGATIVE_INFINITY, own, extreme("ReduceMax")),
  Min: reduction("Min", Number.POSITIVE_INFINITY, own, extreme("ReduceMin")),
  All: reduction(
    "All",
    1,
    () => "bool",
    (g, x, axes, keep) => g.reduce("ReduceMin", g.cast(x, "int32"), axes, keep),
  ),
  Any: reduction(
    "Any",
    0,
    () => "bool",
    (g, x, axes, keep) => g.reduce("ReduceMax", g.cast(x, "int32"), axes, keep),
  ),
  ArgMax: arg("ArgMax"),
  ArgMin: arg("ArgMin"),
  Cumsum: kernel<CumsumInputs, CumsumAttrs>(({ inputs: { x }, attrs: { axis, exclusive, reverse }, backend }) => {
    const along = util.parseAxisParam(axis, x.shape)[0] ?? 0;
    const flags = { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 };
    return backend.record("Cumsum", [along, flags], [x], { shape: x.shape, dtype: x.dtype === "bool" ? "int32" : x.dtype }, (g, v) => {
      const source = v.dtype === "bool" ? g.cast(v, "int32") : v;
      return g.op("CumSum", [source, g.scalar(along, "int64")], x.shape, source.dtype, flags);
    });
  }),
  TopK: kernel<TopKInputs, TopKAttrs>(({ inputs: { x }, attrs: { k }, backend }) => topK(backend, x, k)),
};
