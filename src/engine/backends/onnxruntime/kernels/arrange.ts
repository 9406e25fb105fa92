import type {
  BatchToSpaceNDAttrs,
  BatchToSpaceNDInputs,
  BroadCastToAttrs,
  BroadcastToInputs,
  DepthToSpaceAttrs,
  DepthToSpaceInputs,
  FlipLeftRightInputs,
  MirrorPadAttrs,
  MirrorPadInputs,
  PadV2Attrs,
  PadV2Inputs,
  ReverseAttrs,
  ReverseInputs,
  SpaceToBatchNDAttrs,
  SpaceToBatchNDInputs,
  TensorInfo,
  TileAttrs,
  TileInputs,
} from "@tensorflow/tfjs-core";
import { backend_util } from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import type { Graph, Value } from "../graph.ts";
import { axesOf, isEmpty, type Kernels, kernel } from "./kernel.ts";

function reverse(backend: OnnxBackend, x: TensorInfo, axes: readonly number[]): TensorInfo {
  if (axes.length === 0) return backend.alias(x, x.shape);
  return backend.record("Reverse", axes, [x], { shape: x.shape, dtype: x.dtype }, (g, v) =>
    g.slice(
      v,
      x.shape.map((size, d) => (axes.includes(d) ? size - 1 : 0)),
      x.shape,
      x.shape.map((_, d) => (axes.includes(d) ? -1 : 1)),
    ),
  );
}

function tile(backend: OnnxBackend, x: TensorInfo, reps: readonly number[]): TensorInfo {
  const shape = x.shape.map((size, d) => size * (reps[d] ?? 1));
  return backend.record("Tile", reps, [x], { shape, dtype: x.dtype }, (g, v) => {
    // Broadcasting copies nothing where the repeated axes have one element.
    if (x.shape.every((size, d) => size === 1 || reps[d] === 1)) return g.expand(v, shape);
    return g.op("Tile", [v, g.ints(reps)], shape, v.dtype);
  });
}

function mirror(g: Graph, x: Value, paddings: readonly (readonly [number, number])[], offset: number): Value {
  let out = x;
  for (const [axis, [before, after]] of paddings.entries()) {
    const size = x.shape[axis] ?? 1;
    const flip = (begin: number, count: number): Value[] => {
      if (count === 0) return [];
      const starts = out.shape.map((_, d) => (d === axis ? begin : 0));
      const steps = out.shape.map((_, d) => (d === axis ? -1 : 1));
      return [g.slice(out, starts, out.shape.with(axis, count), steps)];
    };
    out = g.concat([...flip(offset + before - 1, before), out, ...flip(size - 1 - offset, after)], axis);
  }
  return out;
}

export const arrange: Kernels = {
  Reverse: kernel<ReverseInputs, ReverseAttrs>(({ inputs: { x }, attrs, backend }) => reverse(backend, x, axesOf(attrs.dims, x.shape))),
  FlipLeftRight: kernel<FlipLeftRightInputs>(({ inputs: { image }, backend }) => reverse(backend, image, [2])),
  Tile: kernel<TileInputs, TileAttrs>(({ inputs: { x }, attrs, backend }) => tile(backend, x, attrs.reps)),
  BroadcastTo: kernel<BroadcastToInputs, BroadCastToAttrs>(({ inputs: { x }, attrs, backend }) =>
    backend.record("BroadcastTo", "", [x], { shape: attrs.shape, dtype: x.dtype }, (g, v) => g.expand(v, attrs.shape)),
  ),
  PadV2: kernel<PadV2Inputs, PadV2Attrs>(({ inputs: { x }, attrs: { paddings, constantValue }, backend }) => {
    const shape = x.shape.map((size, d) => size + (paddings[d]?.[0] ?? 0) + (paddings[d]?.[1] ?? 0));
    if (isEmpty(x.shape))
      return backend.record("Full", constantValue, [], { shape, dtype: x.dtype }, (g) =>
        g.expand(g.scalar(constantValue, x.dtype as "float32"), shape),
      );
    return backend.record("PadV2", [paddings, constantValue], [x], { shape, dtype: x.dtype }, (g, v) => g.pad(v, paddings, constantValue));
  }),
  MirrorPad: kernel<MirrorPadInputs, MirrorPadAttrs>(({ inputs: { x }, attrs: { paddings, mode }, backend }) => {
    const shape = x.shape.map((size, d) => size + (paddings[d]?.[0] ?? 0) + (paddings[d]?.[1] ?? 0));
    const offset = mode === "reflect" ? 1 : 0;
    return backend.record("MirrorPad", [paddings, offset], [x], { shape, dtype: x.dtype }, (g, v) => mirror(g, v, paddings, offset));
  }),
  BatchToSpaceND: kernel<BatchToSpaceNDInputs, BatchToSpaceNDAttrs>(({ inputs: { x }, attrs: { blockShape, crops }, backend }) => {
    const block = blockShape.reduce((product, size) => product * size, 1);
    const reshaped = backend_util.getReshaped(x.shape, blockShape, block);
    const perm = backend_util.getPermuted(reshaped.length, blockShape.length);
    const whole = backend_util.getReshapedPermuted(x.shape, blockShape, block);
    const corner = backend_util.getSliceBeginCoords(crops, blockShape.length);
    const begin = whole.map((_, d) => corner[d] ?? 0);
    const cropped = backend_util.getSliceSize(whole, crops, blockShape.length);
    const size = [...cropped, ...whole.slice(cropped.length)];
    return backend.record("BatchToSpaceND", [blockShape, crops], [x], { shape: size, dtype: x.dtype }, (g, v) =>
      g.slice(g.reshape(g.transpose(g.reshape(v, reshaped), perm), whole), begin, size),
    );
  }),
  SpaceToBatchND: kernel<SpaceToBatchNDInputs, SpaceToBatchNDAttrs>(({ inputs: { x }, attrs: { blockShape, paddings }, backend }) => {
    const block = blockShape.reduce((product, size) => product * size, 1);
    const pads = x.shape.map((_, d): [number, number] => {
      const [before = 0, after = 0] = d === 0 ? [] : (paddings[d - 1] ?? []);
      return [before, after];
    });
    const padded = x.shape.map((size, d) => size + (pads[d]?.[0] ?? 0) + (pads[d]?.[1] ?? 0));
    const reshaped = backend_util.getReshaped(padded, blockShape, block, false);
    const perm = backend_util.getPermuted(reshaped.length, blockShape.length, false);
    const shape = backend_util.getReshapedPermuted(padded, blockShape, block, false);
    return backend.record("SpaceToBatchND", [blockShape, paddings], [x], { shape, dtype: x.dtype }, (g, v) =>
      g.reshape(g.transpose(g.reshape(g.pad(v, pads), reshaped), perm), shape),
    );
  }),
  DepthToSpace: kernel<DepthToSpaceInputs, DepthToSpaceAttrs>(({ inputs: { x }, attrs: { blockSize: b }, backend }) => {
    const [n = 1, h = 1, w = 1, c = 1] = x.shape;
    const deep = c / (b * b);
    const shape = [n, h * b, w * b, deep];
    return backend.record("DepthToSpace", b, [x], { shape, dtype: x.dtype }, (g, v) =>
      g.reshape(g.transpose(g.reshape(v, [n, h, w, b, b, deep]), [0, 1, 3, 2, 4, 5]), shape),
    );
  }),
};
