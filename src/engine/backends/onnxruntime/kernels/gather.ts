import {
  backend_util,
  type GatherNdInputs,
  type GatherV2Attrs,
  type GatherV2Inputs,
  type ScatterNdAttrs,
  type ScatterNdInputs,
  type TensorScatterUpdateInputs,
  type UnsortedSegmentSumAttrs,
  type UnsortedSegmentSumInputs,
  util,
} from "@tensorflow/tfjs-core";
import { sizeOf } from "../graph.ts";
import { isEmpty, type Kernels, kernel } from "./kernel.ts";

export const gathering: Kernels = {
  GatherV2: kernel<GatherV2Inputs, GatherV2Attrs>(({ inputs: { x, indices }, attrs, backend }) => {
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0] ?? 0;
    const batchDims = attrs.batchDims < 0 ? attrs.batchDims + indices.shape.length : attrs.batchDims;
    const info = backend_util.segment_util.collectGatherOpShapeInfo(x as never, indices as never, axis, batchDims);
    const known = backend.known(indices);
    const limit = x.shape[axis] ?? 0;
    if (known)
      for (const index of known)
        if (Number(index) < 0 || Number(index) >= limit) throw new Error(`GatherV2: the index value ${index} is not in [0, ${limit - 1}]`);
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } = info;
    return backend.record("GatherV2", [axis, batchDims], [x, indices], { shape: outputShape, dtype: x.dtype }, (g, v, i) => {
      const at = g.cast(i, "int32");
      if (batchDims === 0) return g.reshape(g.op("Gather", [v, at], outputShape, v.dtype, { axis }), outputShape);
      // Batches are laid one behind the other along the gathered axis, and each batch's indices moved along.
      const count = sizeOf(i.shape) / batchSize;
      const rows = g.reshape(g.transpose(g.reshape(v, [batchSize, outerSize, dimSize, sliceSize]), [0, 2, 1, 3]), [
        batchSize * dimSize,
        outerSize,
        sliceSize,
      ]);
      const offsets = g.initializer(
        [batchSize, 1],
        "int32",
        Int32Array.from({ length: batchSize }, (_, b) => b * dimSize),
      );
      const moved = g.binary("Add", g.reshape(at, [batchSize, count]), offsets);
      const picked = g.op("Gather", [rows, moved], [batchSize, count, outerSize, sliceSize], v.dtype, { axis: 0 });
      return g.reshape(g.transpose(picked, [0, 2, 1, 3]), outputShape);
    });
  }),
  GatherNd: kernel<GatherNdInputs>(({ inputs: { params, indices }, backend }) => {
    const [shape] = backend_util.prepareAndValidate(params as never, indices as never);
    return backend.record("GatherNd", "", [params, indices], { shape, dtype: params.dtype }, (g, v, i) =>
      g.op("GatherND", [v, g.cast(i, "int64")], shape, v.dtype),
    );
  }),
  ScatterNd: kernel<ScatterNdInputs, ScatterNdAttrs>(({ inputs: { indices, updates }, attrs: { shape }, backend }) => {
    const { sliceRank, numUpdates, sliceSize } = backend_util.calculateShapes(updates as never, indices as never, shape);
    return backend.record("ScatterNd", "", [indices, updates], { shape, dtype: updates.dtype }, (g, i, u) => {
      const dtype = u.dtype === "bool" ? "int32" : u.dtype;
      const rows = [...shape.slice(0, sliceRank), sliceSize];
      const at = g.reshape(g.cast(i, "int64"), [numUpdates, sliceRank]);
      const added = g.reshape(g.cast(u, dtype), [numUpdates, sliceSize]);
      const sums = g.op("ScatterND", [g.expand(g.scalar(0, dtype), rows), at, added], rows, dtype, { reduction: "add" });
      return g.cast(g.reshape(sums, shape), u.dtype);
    });
  }),
  TensorScatterUpdate: kernel<TensorScatterUpdateInputs>(({ inputs: { tensor, indices, updates }, backend }) =>
    backend.record("TensorScatterUpdate", "", [tensor, indices, updates], { shape: tensor.shape, dtype: tensor.dtype }, (g, t, i, u) =>
      g.op("ScatterND", [t, g.cast(i, "int64"), u], t.shape, t.dtype),
    ),
  ),
  UnsortedSegmentSum: kernel<UnsortedSegmentSumInputs, UnsortedSegmentSumAttrs>(
    ({ inputs: { x, segmentIds }, attrs: { numSegments }, backend }) => {
      const shape = [numSegments, ...x.shape.slice(1)];
      if (isEmpty(x.shape)) return backend.record("Full", 0, [], { shape, dtype: "float32" }, (g) => g.expand(g.scalar(0), shape));
      return backend.record("UnsortedSegmentSum", "", [x, segmentIds], { shape, dtype: "float32" }, (g, v, s) => {
        // Segments out of range are dropped: they are summed into one row more, which is cut off.
        const ids = g.cast(s, "int32");
        const inside = g.binary(
          "And",
          g.binary("GreaterOrEqual", ids, g.scalar(0, "int32"), "bool"),
          g.binary("Less", ids, g.scalar(numSegments, "int32"), "bool"),
        );
        const rows = g.reshape(g.cast(g.where(inside, ids, g.scalar(numSegments, "int32")), "int64"), [...s.shape, 1]);
        const longer = [numSegments + 1, ...x.shape.slice(1)];
        const sums = g.op("ScatterND", [g.expand(g.scalar(0), longer), rows, g.cast(v, "float32")], longer, "float32", {
          reduction: "add",
        });
        return g.slice(
          sums,
          shape.map(() => 0),
          shape,
        );
      });
    },
  ),
};
