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
import { type Graph, sizeOf, type Value } from "../graph.ts";
import { numeric } from "./convert.ts";
import { axesOf, isEmpty, type Kernels, kernel } from "./kernel.ts";
import { planeDot, planeMean } from "./perImage.ts";

type Body = (g: Graph, x: Value, axes: readonly number[], keep: boolean) => Value;

/** A reduction with tfjs' axes. `ofNothing` is its result over no elements, as on the cpu backend (whose maximum of no floats is NaN). */
function reduction(name: string, ofNothing: number, dtype: (x: TensorInfo) => DataType, body: Body) {
  return kernel<SumInputs, Partial<SumAttrs & MaxAttrs>>(({ inputs: { x }, attrs, backend }) => {
    const axes = axesOf(attrs.axis ?? attrs.reductionIndices, x.shape);
    const keep = attrs.keepDims ?? false;
    const [plain] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = keep ? backend_util.expandShapeToKeepDim(plain, axes) : plain;
    const type = dtype(x);
    if (isEmpty(x.shape))
      return backend.record("Full", ofNothing, [], { shape, dtype: type }, (g) => g.expand(g.scalar(ofNothing, type as "float32"), shape));
    return backend.record(name, [axes, keep], [x], { shape, dtype: type }, (g, v) =>
      g.cast(g.reshape(body(g, v, axes, keep), shape), type as "float32"),
    );
  });
}
const own = (x: TensorInfo): DataType => x.dtype;
/** Integers are added and multiplied as int64 and cut to 32 bits afterwards: onnxruntime would stop at the greatest int32. */
const wide = (g: Graph, x: Value): Value => (x.dtype === "float32" ? x : g.cast(x, "int64"));
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
    if (isEmpty(x.shape)) return backend.record("Full", 0, [], { shape, dtype: "int32" }, (g) => g.expand(g.scalar(0, "int32"), shape));
    // NaN never wins, unless it comes first: nothing is then greater (or less) than it.
    const last = name === "ArgMax" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    return backend.record(name, axis, [x], { shape, dtype: "int32" }, (g, v) => {
      const place = (source: Value) => g.cast(g.op(name, [source], shape, "int64", { axis, keepdims: 0, select_last_index: 0 }), "int32");
      if (v.dtype !== "float32") return place(g.cast(v, "int32"));
      const isNan = g.op("IsNaN", [v], v.shape, "bool");
      const first = g.slice(
        isNan,
        v.shape.map(() => 0),
        v.shape.with(axis, 1),
      );
      return g.where(g.reshape(first, shape), g.scalar(0, "int32"), place(g.where(isNan, g.scalar(last), v)));
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
    const source = numeric(g, v);
    const ports = [
      { shape, dtype: source.dtype },
      { shape, dtype: "int64" as const },
    ];
    const [values, indices] = g.emit("TopK", [source, g.ints([k])], ports, { axis, largest: 1, sorted: 1 });
    if (!values || !indices) throw new Error("TopK has two results");
    return [g.cast(values, v.dtype), g.cast(indices, "int32")];
  });
}

/** Sums over all but the last axis, in two steps: one sum over everything at once is several times slower on two threads than on one. */
export function perChannel(g: Graph, x: Value): Value {
  const blocked = g.noted("blocked", x);
  const [n = 1, channels = 1] = blocked ? blocked.shape : [x.shape[0], x.shape.at(-1)];
  const width = blocked ? g.block : channels;
  const rows = (n * channels) / width;
  const partial = g.reduce("ReduceSum", g.reshape(blocked ?? x, [rows, sizeOf(x.shape) / rows / width, width]), [1]);
  return g.reduce("ReduceSum", g.reshape(partial, [n, channels]), [0]);
}

const sum: Body = (g, x, axes, keep) => {
  const perLast = x.dtype === "float32" && axes.length >= 2 && axes.length === x.shape.length - 1 && axes.every((axis, i) => axis === i);
  if (perLast) return perChannel(g, x);
  return planeDot(g, x, axes) ?? g.reduce("ReduceSum", wide(g, x), axes, keep);
};

export const reduce: Kernels = {
  Sum: reduction("Sum", 0, number, sum),
  Mean: reduction(
    "Mean",
    0,
    () => "float32",
    (g, x, axes, keep) => planeMean(g, x, axes) ?? g.reduce("ReduceMean", g.cast(x, "float32"), axes, keep),
  ),
  Prod: reduction("Prod", 1, number, (g, x, axes, keep) => g.reduce("ReduceProd", wide(g, x), axes, keep)),
  Max: reduction("Max", Number.NaN, own, extreme("ReduceMax")),
  Min: reduction("Min", Number.NaN, own, extreme("ReduceMin")),
  All: reduction(
    "All",
    0,
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
    const along = x.shape.length === 0 ? 0 : (util.parseAxisParam(axis, x.shape)[0] ?? 0);
    const flags = { exclusive: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 };
    return backend.record("Cumsum", [along, flags], [x], { shape: x.shape, dtype: x.dtype === "bool" ? "int32" : x.dtype }, (g, v) => {
      const source = numeric(g, v);
      const line = x.shape.length === 0 ? g.reshape(source, [1]) : source;
      return g.reshape(g.op("CumSum", [line, g.scalar(along, "int64")], line.shape, source.dtype, flags), x.shape);
    });
  }),
  TopK: kernel<TopKInputs, TopKAttrs>(({ inputs: { x }, attrs: { k }, backend }) => topK(backend, x, k)),
};
