import {
  type CastAttrs,
  type CastInputs,
  type DataType,
  type FillAttrs,
  type LinSpaceAttrs,
  type OneHotAttrs,
  type OneHotInputs,
  type OnesLikeInputs,
  type RangeAttrs,
  type TensorInfo,
  util,
} from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import { sizeOf } from "../graph.ts";
import { truncate } from "./convert.ts";
import { onHost } from "./host.ts";
import { type Kernels, kernel } from "./kernel.ts";

const arrayOf = (dtype: DataType, values: readonly number[]) =>
  dtype === "float32"
    ? Float32Array.from(values)
    : dtype === "int32"
      ? Int32Array.from(values)
      : Uint8Array.from(values, (v) => (v ? 1 : 0));

/** A constant tensor. The value is an input of the graph, so that a value that changes (a learning rate) does not recompile the graph. */
function fill(backend: OnnxBackend, shape: readonly number[], value: number | string, dtype: DataType): TensorInfo {
  if (typeof value === "string") return backend.host(Array(sizeOf(shape)).fill(util.encodeString(value)), shape, "string");
  const scalar = backend.host(arrayOf(dtype, [value]), [], dtype);
  if (shape.length === 0) return scalar;
  const result = backend.record("Fill", "", [scalar], { shape, dtype }, (g, v) => g.expand(v, shape));
  backend.disposeData(scalar.dataId);
  return result;
}

/** A constant that belongs to the graph's structure (the zeros and ones of a gradient). */
const constant = (backend: OnnxBackend, x: TensorInfo, value: number): TensorInfo =>
  x.dtype === "string"
    ? fill(backend, x.shape, "", "string")
    : backend.record("Constant", value, [], { shape: x.shape, dtype: x.dtype }, (g) =>
        g.expand(g.scalar(value, x.dtype as "float32" | "int32" | "bool"), x.shape),
      );

function range(start: number, stop: number, step: number, dtype: "float32" | "int32"): Float32Array | Int32Array {
  if (start === stop || (start < stop && step < 0) || (stop < start && step > 1)) return new Float32Array(0);
  const stride = stop < start && step === 1 ? -1 : step;
  const out =
    dtype === "float32"
      ? new Float32Array(Math.abs(Math.ceil((stop - start) / stride)))
      : new Int32Array(Math.abs(Math.ceil((stop - start) / stride)));
  for (let i = 0, value = start; i < out.length; i++, value = (out[i - 1] ?? 0) + stride) out[i] = value;
  return out;
}

export const create: Kernels = {
  Fill: kernel<object, FillAttrs>(({ attrs: { shape, value, dtype }, backend }) =>
    fill(backend, shape, value, dtype ?? util.inferDtype(value)),
  ),
  ZerosLike: kernel<OnesLikeInputs>(({ inputs: { x }, backend }) => constant(backend, x, 0)),
  OnesLike: kernel<OnesLikeInputs>(({ inputs: { x }, backend }) => constant(backend, x, 1)),
  Range: kernel<object, RangeAttrs>(({ attrs: { start, stop, step, dtype }, backend }) => {
    const values = range(start, stop, step, dtype);
    return backend.host(values, [values.length], dtype);
  }),
  LinSpace: kernel<object, LinSpaceAttrs>(({ attrs: { start, stop, num }, backend }) => {
    const step = (stop - start) / (num - 1);
    const values = new Float32Array(num);
    values[0] = start;
    for (let i = 1; i < num; i++) values[i] = (values[i - 1] ?? 0) + step;
    return backend.host(values, [num], "float32");
  }),
  Cast: kernel<CastInputs, CastAttrs>(({ inputs: { x }, attrs: { dtype }, backend }) => {
    if (dtype === x.dtype) return backend.alias(x, x.shape);
    if (dtype === "complex64") return onHost(backend, "Cast", { x }, { dtype });
    if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool")
      throw new Error(`Error in Cast: failed to cast ${x.dtype} to ${dtype}`);
    return backend.record("Cast", "", [x], { shape: x.shape, dtype }, (g, v) => (dtype === "int32" ? truncate(g, v) : g.cast(v, dtype)));
  }),
  OneHot: kernel<OneHotInputs, OneHotAttrs>(({ inputs: { indices }, attrs: { depth, onValue, offValue, dtype }, backend }) => {
    const shape = [...indices.shape, depth];
    return backend.record("OneHot", [onValue, offValue], [indices], { shape, dtype }, (g, v) => {
      // Out-of-range indices give rows of `offValue`, which ONNX's OneHot does not promise: it counts negative ones from the end.
      const classes = g.initializer(
        [depth],
        "int32",
        Int32Array.from({ length: depth }, (_, i) => i),
      );
      const hit = g.binary("Equal", g.reshape(g.cast(v, "int32"), [...indices.shape, 1]), classes, "bool");
      const type = dtype as "float32" | "int32" | "bool";
      if (onValue === 1 && offValue === 0) return g.cast(hit, type);
      return g.cast(g.where(hit, g.scalar(onValue), g.scalar(offValue)), type);
    });
  }),
};
