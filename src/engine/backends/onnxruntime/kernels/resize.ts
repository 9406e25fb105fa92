import type { ResizeBilinearAttrs, ResizeBilinearGradInputs, ResizeBilinearInputs } from "@tensorflow/tfjs-core";
import type { Graph, Value } from "../graph.ts";
import { type Kernels, kernel } from "./kernel.ts";

const scaleOf = (from: number, to: number, corners: boolean): number => (corners && to > 1 ? (from - 1) / (to - 1) : from / to);

/** The matrix [to, from] that resamples one axis: two weights a row, or one where it is nearest neighbour. */
function resampling(from: number, to: number, mode: "bilinear" | "nearest", corners: boolean, halfPixel: boolean): Float32Array {
  const out = new Float32Array(to * from);
  const scale = scaleOf(from, to, corners);
  for (let i = 0; i < to; i++) {
    if (mode === "nearest") {
      const at = halfPixel ? scale * (i + 0.5) : scale * i;
      out[i * from + Math.max(0, Math.min(from - 1, corners ? Math.round(at) : Math.floor(at)))] = 1;
      continue;
    }
    const at = halfPixel ? scale * (i + 0.5) - 0.5 : scale * i;
    const low = Math.max(0, Math.floor(at));
    const high = Math.min(from - 1, Math.ceil(at));
    const share = Math.fround(at - low);
    out[i * from + low] = (out[i * from + low] ?? 0) + 1 - share;
    out[i * from + high] = (out[i * from + high] ?? 0) + share;
  }
  return out;
}

const transposeOf = (matrix: Float32Array, rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: matrix.length }, (_, i) => matrix[(i % rows) * columns + Math.floor(i / rows)] ?? 0);

/** Applies a matrix [h', h] to axis 1 and one [w', w] to axis 2 of x [N,h,w,C]. */
function apply(g: Graph, x: Value, rows: Value, columns: Value): Value {
  const [n = 1, h = 1, w = 1, c = 1] = x.shape;
  const tall = g.reshape(g.matmul(rows, g.reshape(x, [n, h, w * c])), [n * (rows.shape[0] ?? 1), w, c]);
  return g.reshape(g.matmul(columns, tall), [n, rows.shape[0] ?? 1, columns.shape[0] ?? 1, c]);
}

const forward = (mode: "bilinear" | "nearest") =>
  kernel<ResizeBilinearInputs, ResizeBilinearAttrs>(({ inputs: { images }, attrs, backend }) => {
    const { alignCorners, halfPixelCenters, size } = attrs;
    const [n = 1, h = 1, w = 1, c = 1] = images.shape;
    const dtype = mode === "nearest" ? images.dtype : "float32";
    return backend.record(mode, [alignCorners, halfPixelCenters], [images], { shape: [n, ...size, c], dtype }, (g, x) => {
      const matrix = (from: number, to: number) => resampling(from, to, mode, alignCorners, halfPixelCenters);
      if (mode === "bilinear")
        return apply(
          g,
          g.cast(x, "float32"),
          g.initializer([size[0], h], "float32", matrix(h, size[0])),
          g.initializer([size[1], w], "float32", matrix(w, size[1])),
        );
      const pick = (from: number, to: number): Value => {
        const table = matrix(from, to);
        return g.ints(Array.from({ length: to }, (_, i) => table.subarray(i * from, (i + 1) * from).indexOf(1)));
      };
      const tall = g.op("Gather", [x, pick(h, size[0])], [n, size[0], w, c], x.dtype, { axis: 1 });
      return g.op("Gather", [tall, pick(w, size[1])], [n, ...size, c], x.dtype, { axis: 2 });
    });
  });

/** The transposed matrices take the gradient back; tfjs' gradient kernels know no half-pixel centres. */
const backward = (mode: "bilinear" | "nearest") =>
  kernel<ResizeBilinearGradInputs, ResizeBilinearAttrs>(({ inputs: { images, dy }, attrs: { alignCorners }, backend }) => {
    const [, h = 1, w = 1] = images.shape;
    const [, tall = 1, wide = 1] = dy.shape;
    return backend.record(`${mode}Grad`, [alignCorners], [dy], { shape: images.shape, dtype: "float32" }, (g, d) => {
      const matrix = (from: number, to: number): Value =>
        g.initializer([from, to], "float32", transposeOf(resampling(from, to, mode, alignCorners, false), to, from));
      return apply(g, d, matrix(h, tall), matrix(w, wide));
    });
  });

export const resize: Kernels = {
  ResizeBilinear: forward("bilinear"),
  ResizeNearestNeighbor: forward("nearest"),
  ResizeBilinearGrad: backward("bilinear"),
  ResizeNearestNeighborGrad: backward("nearest"),
};
