import {
  backend_util,
  type ConcatAttrs,
  type ConcatInputs,
  type ExpandDimsAttrs,
  type ExpandDimsInputs,
  type PackAttrs,
  type PackInputs,
  type ReshapeAttrs,
  type ReshapeInputs,
  type SliceAttrs,
  type SliceInputs,
  type SplitVAttrs,
  type SplitVInputs,
  type StridedSliceAttrs,
  type StridedSliceInputs,
  slice_util,
  type TensorInfo,
  type TransposeAttrs,
  type TransposeInputs,
  type UnpackAttrs,
  type UnpackInputs,
  util,
} from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import { sizeOf } from "../graph.ts";
import { type Kernels, kernel } from "./kernel.ts";

/** x[begin : begin+size]. Whole rows of values that are there already (a batch of a data set) are cut off at once, as no graph depends on where they begin. */
export function slice(backend: OnnxBackend, x: TensorInfo, begin: readonly number[], size: readonly number[]): TensorInfo {
  const known = backend.known(x);
  if (known && x.shape.length > 0 && size.every((n, axis) => axis === 0 || n === x.shape[axis])) {
    const row = sizeOf(x.shape.slice(1));
    const start = (begin[0] ?? 0) * row;
    return backend.host(known.slice(start, start + (size[0] ?? 0) * row), size, x.dtype);
  }
  return backend.record("Slice", begin, [x], { shape: size, dtype: x.dtype }, (g, v) => g.slice(v, begin, size));
}

const transpose = (backend: OnnxBackend, x: TensorInfo, perm: readonly number[]): TensorInfo =>
  backend.record("Transpose", perm, [x], { shape: perm.map((axis) => x.shape[axis] ?? 1), dtype: x.dtype }, (g, v) => g.transpose(v, perm));

function concat(backend: OnnxBackend, inputs: readonly TensorInfo[], axis: number): TensorInfo {
  const parts = inputs.filter((input) => sizeOf(input.shape) > 0);
  const shape = backend_util.computeOutShape(
    inputs.map((input) => input.shape),
    axis,
  );
  const [first] = parts.length > 0 ? parts : inputs;
  if (!first) throw new Error("nothing to concatenate");
  if (parts.length === 1) return backend.alias(first, shape);
  return backend.record("Concat", axis, parts, { shape, dtype: first.dtype }, (g, ...values) => g.concat(values, axis));
}

function stridedSlice(backend: OnnxBackend, x: TensorInfo, attrs: StridedSliceAttrs): TensorInfo {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
  const info = slice_util.sliceInfo(x.shape, begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask);
  if (info.isIdentity) return backend.alias(x, info.finalShape);
  const size = slice_util.computeOutShape(info.begin, info.end, info.strides);
  const cut = backend.record("StridedSlice", [info.begin, info.strides], [x], { shape: size, dtype: x.dtype }, (g, v) =>
    g.slice(v, info.begin, size, info.strides),
  );
  const result = backend.alias(cut, info.finalShape);
  backend.disposeData(cut.dataId);
  return result;
}

export const shape: Kernels = {
  Identity: kernel<{ x: TensorInfo }>(({ inputs: { x }, backend }) => backend.alias(x, x.shape)),
  Reshape: kernel<ReshapeInputs, ReshapeAttrs>(({ inputs: { x }, attrs, backend }) => {
    const size = sizeOf(x.shape);
    const wanted = util.inferFromImplicitShape(attrs.shape, size);
    util.assert(
      size === sizeOf(wanted),
      () => `The new shape (${wanted}) has ${sizeOf(wanted)} elements and the old shape (${x.shape}) has ${size} elements.`,
    );
    return backend.alias(x, wanted);
  }),
  ExpandDims: kernel<ExpandDimsInputs, ExpandDimsAttrs>(({ inputs: { input }, attrs: { dim }, backend }) => {
    const rank = input.shape.length;
    util.assert(dim >= -(rank + 1) && dim <= rank, () => `Axis must be in the interval [${-(rank + 1)}, ${rank}]`);
    const wanted = [...input.shape];
    wanted.splice(dim < 0 ? input.shape.length + dim + 1 : dim, 0, 1);
    return backend.alias(input, wanted);
  }),
  Transpose: kernel<TransposeInputs, TransposeAttrs>(({ inputs: { x }, attrs, backend }) => transpose(backend, x, attrs.perm)),
  Slice: kernel<SliceInputs, SliceAttrs>(({ inputs: { x }, attrs, backend }) => {
    const [begin = [], size = []] = slice_util.parseSliceParams(x as never, attrs.begin, attrs.size);
    slice_util.assertParamsValid(x as never, begin, size);
    return slice(backend, x, begin, size);
  }),
  StridedSlice: kernel<StridedSliceInputs, StridedSliceAttrs>(({ inputs: { x }, attrs, backend }) => stridedSlice(backend, x, attrs)),
  Concat: kernel<ConcatInputs, ConcatAttrs>(({ inputs, attrs, backend }) => {
    const list = Object.values(inputs);
    const axis = util.parseAxisParam(attrs.axis, list[0]?.shape ?? [])[0] ?? 0;
    backend_util.assertParamsConsistent(
      list.map((input) => input.shape),
      axis,
    );
    return concat(backend, list, axis);
  }),
  Pack: kernel<PackInputs, PackAttrs>(({ inputs, attrs: { axis }, backend }) => {
    const [first] = inputs;
    for (const input of inputs) {
      util.assertShapesMatch(first?.shape ?? [], input.shape, "All tensors passed to stack must have matching shapes");
      util.assert(first?.dtype === input.dtype, () => "All tensors passed to stack must have matching dtypes");
    }
    const expanded = Object.values(inputs).map((input) => backend.alias(input, input.shape.toSpliced(axis, 0, 1)));
    const result = concat(backend, expanded, axis);
    for (const item of expanded) backend.disposeData(item.dataId);
    return result;
  }),
  Unpack: kernel<UnpackInputs, UnpackAttrs>(({ inputs: { value }, attrs, backend }) => {
    const axis = attrs.axis < 0 ? attrs.axis + value.shape.length : attrs.axis;
    const size = value.shape.with(axis, 1);
    return [...Array(value.shape[axis] ?? 0).keys()].map((i) => {
      const cut = slice(
        backend,
        value,
        value.shape.map((_, d) => (d === axis ? i : 0)),
        size,
      );
      const result = backend.alias(cut, value.shape.toSpliced(axis, 1));
      backend.disposeData(cut.dataId);
      return result;
    });
  }),
  SplitV: kernel<SplitVInputs, SplitVAttrs>(({ inputs: { x }, attrs, backend }) => {
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0] ?? 0;
    let start = 0;
    return backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits, axis).map((count) => {
      const begin = x.shape.map((_, d) => (d === axis ? start : 0));
      start += count;
      return slice(backend, x, begin, x.shape.with(axis, count));
    });
  }),
};
