import { CompactConv2D, CompactConv3D, CompactDense } from "../../../../src/engine/models/layers/index.ts";
import { type LayerCase, operand } from "./layerCase.ts";

/** Sums of steps: (i mod 7) − 3 for images, (i mod 5) − 2 for kernels. */
const image = (shape: readonly number[]) =>
  operand(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i % 7) - 3),
    shape,
  );
const kernel = (n: number): number[] => Array.from({ length: n }, (_, i) => (i % 5) - 2);

/** x = [1, 2, 2, 0, 0] with W = [1, 0, −1]: the plain convolution is [−2, −1, 2, 2, 0], the norms are [2.236068, 3, 2.828427, 2, 0]. By hand. */
const row = (name: string, x: readonly number[], [alpha, bias]: readonly [number, number], values: readonly number[]): LayerCase => ({
  name: `CompactConv2D, ${name}`,
  layer: () => new CompactConv2D({ filters: 1, kernelSize: [1, 3], padding: "same" }),
  inputs: [operand(x, [1, 1, 5, 1])],
  weights: [[1, 0, -1], [bias], [alpha]],
  shape: [1, 1, 5, 1],
  values,
});

/** Of torch.nn.functional.conv2d and conv3d over the norms of `unfold`, float64, in our order of axes. */
const ofTorch: LayerCase[] = [
  {
    name: "CompactConv2D, two groups",
    layer: () => new CompactConv2D({ filters: 4, kernelSize: 2, groups: 2 }),
    inputs: [image([1, 2, 4, 6])],
    weights: [kernel(48), [0.1, 0.2, 0.3, 0.4], [1.5]],
    shape: [1, 1, 3, 4],
    values: [2.840795, 2.940795, -0.329245, 3.546225, -1.787735, 1.877986, -4.95319, 1.998797, -1.717888, -1.819876, -1.643504, -1.543504],
  },
  {
    name: "CompactConv2D, dilated with a stride",
    layer: () => new CompactConv2D({ filters: 3, kernelSize: 2, dilationRate: 2, strides: [1, 2], useBias: false }),
    inputs: [image([1, 4, 6, 2])],
    weights: [kernel(24), [2]],
    shape: [1, 2, 2, 3],
    values: [1.411718, -4.235154, 2.470506, 1.131755, 2.263509, -4.149767, 0.352929, 2.470506, -4.235154, -4.865704, 1.390201, 4.170604],
  },
  {
    name: "CompactConv2D, padded with a stride",
    layer: () => new CompactConv2D({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }),
    inputs: [image([1, 4, 6, 2])],
    weights: [kernel(36), [0.5, -0.5], [1]],
    shape: [1, 2, 3, 2],
    values: [0.616904, -0.733809, 0.618537, -1.685375, 1.469381, 1.577245, 0.058325, -1.0889, 1.972249, -1.0889, 1.982809, -0.870702],
  },
  {
    name: "CompactConv3D",
    layer: () => new CompactConv3D({ filters: 2, kernelSize: 2, useBias: false }),
    inputs: [image([1, 3, 3, 2, 2])],
    weights: [kernel(32), [1.5]],
    shape: [1, 2, 2, 1, 2],
    values: [-0.541085, 3.787595, 3.343923, -3.540625, -2.514193, 1.740595, 3.872615, 2.212923],
  },
  {
    name: "CompactDense",
    layer: () => new CompactDense({ units: 3 }),
    inputs: [operand([3, 4, 0, 0, -1, 2], [3, 2])],
    weights: [[1, 0, -1, 0, 1, -1], [0.1, 0, 0], [4]],
    shape: [3, 3],
    values: [2.49521, 3.193613, -5.588822, 0.1, 0, 0, -1.68089, 3.56178, -1.78089],
  },
  {
    name: "CompactDense of slices, with a ReLU",
    layer: () => new CompactDense({ units: 3, activation: "relu" }),
    inputs: [operand([3, 4, -1, 2], [1, 2, 2])],
    weights: [[1, 0, -1, 0, 1, -1], [0.1, 0, 0], [4]],
    shape: [1, 2, 3],
    values: [2.49521, 3.193613, 0, 0, 3.56178, 0],
  },
];

/** z = W(αx/‖x‖): features of length α whatever x is. By hand: x̂ = [0.6, 0.8]. */
const l2Softmax = (alpha: number): LayerCase => ({
  name: `CompactDense, L2-softmax with α ${alpha}`,
  layer: () => new CompactDense({ units: 3, delta: 0, useBias: false }),
  inputs: [operand([3, 4], [1, 2])],
  weights: [[1, 0, -1, 0, 1, -1], [alpha]],
  shape: [1, 3],
  values: [0.6 * alpha, 0.8 * alpha, -1.4 * alpha],
});

export const compactCases: LayerCase[] = [
  row("a row", [1, 2, 2, 0, 0], [1, 0], [-0.890445, -0.332226, 0.704616, 0.995025, 0]),
  row("a row, with α and a bias", [1, 2, 2, 0, 0], [2, 0.5], [-1.28089, -0.164452, 1.909231, 2.49005, 0.5]),
  row("ten times the row", [10, 20, 20, 0, 0], [1, 0], [-0.894027, -0.333222, 0.706857, 0.9995, 0]),
  ...ofTorch,
  ...[1, 4, 16].map(l2Softmax),
];
