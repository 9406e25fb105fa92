import {
  AvgPoolPad,
  GroupedConv2D,
  GroupNormalization,
  LocalResponseNormalization,
  MaxPoolPad,
  Pad2D,
  Resize2D,
  withOverhang,
} from "../../../../src/engine/models/layers/index.ts";
import { count, type LayerCase, negated, nine, type Operand, operand } from "./layerCase.ts";

type Sides = [number, number];
const pooling = (input: number, window: number, stride: number, sides: Sides, ceil: boolean) => {
  const padding = ceil ? withOverhang(input, window, stride, sides) : sides;
  return { poolSize: [window, window] as Sides, strides: [stride, stride] as Sides, padding: [padding, padding] as const };
};
const max = (...args: Parameters<typeof pooling>) => new MaxPoolPad(pooling(...args));
const average = (...args: Parameters<typeof pooling>) => new AvgPoolPad(pooling(...args));

const pools: LayerCase[] = [
  { name: "MaxPoolPad, ceil", layer: () => max(3, 2, 2, [0, 0], true), inputs: [nine], shape: [1, 2, 2, 1], values: [5, 6, 8, 9] },
  {
    name: "MaxPoolPad, padded and ceil",
    layer: () => max(4, 3, 2, [1, 1], true),
    inputs: [count([1, 4, 4, 1])],
    shape: [1, 3, 3, 1],
    values: [5, 7, 7, 13, 15, 15, 13, 15, 15],
  },
  { name: "MaxPoolPad, single pixels", layer: () => max(3, 1, 2, [0, 0], true), inputs: [nine], shape: [1, 2, 2, 1], values: [1, 3, 7, 9] },
  {
    name: "MaxPoolPad, stride beyond the window",
    layer: () => max(4, 2, 3, [0, 0], true),
    inputs: [count([1, 4, 4, 1])],
    shape: [1, 2, 2, 1],
    values: [5, 7, 13, 15],
  },
  {
    name: "MaxPoolPad of negative pixels",
    layer: () => max(3, 2, 2, [0, 1], false),
    inputs: [negated(nine)],
    shape: [1, 2, 2, 1],
    values: [-1, -3, -7, -9],
    gradient: [1, 0, 1, 0, 0, 0, 1, 0, 1],
  },
  {
    name: "AvgPoolPad without the padding",
    layer: () => average(3, 2, 2, [1, 1], false),
    inputs: [nine],
    shape: [1, 2, 2, 1],
    values: [1, 2.5, 5.5, 7],
    gradient: [1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 0.25, 0.25],
  },
  { name: "AvgPoolPad, ceil", layer: () => average(3, 2, 2, [0, 0], true), inputs: [nine], shape: [1, 2, 2, 1], values: [3, 4.5, 7.5, 9] },
];

const grouped = (
  name: string,
  config: Partial<ConstructorParameters<typeof GroupedConv2D>[0]> & { readonly filters: number },
  input: Operand,
  kernel: readonly number[],
  { shape, values }: Operand,
  more: Partial<LayerCase> = {},
): LayerCase => ({
  name: `GroupedConv2D, ${name}`,
  layer: () => new GroupedConv2D({ kernelSize: 1, useBias: false, ...config }),
  inputs: [input],
  weights: [kernel],
  shape,
  values,
  ...more,
});
/** Of torch.nn.functional.conv2d, in our order of axes. */
const torchImage = operand(
  Array.from({ length: 48 }, (_, i) => (i % 7) - 3),
  [1, 2, 4, 6],
);
const torchKernel = Array.from({ length: 48 }, (_, i) => (i % 5) - 2);
const convolutions: LayerCase[] = [
  grouped(
    "a group for each channel",
    { filters: 2, groups: 2 },
    operand([1, 5, 2, 6, 3, 7, 4, 8], [1, 2, 2, 2]),
    [2, -1],
    operand([2, -5, 4, -6, 6, -7, 8, -8], [1, 2, 2, 2]),
  ),
  grouped("two groups of two", { filters: 2, groups: 2 }, count([1, 1, 1, 4], 1), [1, 3, 2, 4], operand([5, 25], [1, 1, 1, 2])),
  grouped(
    "more filters than channels",
    { filters: 4, groups: 2 },
    operand([3, 5], [1, 1, 1, 2]),
    [1, 2, 3, 4],
    operand([3, 6, 15, 20], [1, 1, 1, 4]),
  ),
  grouped(
    "as torch",
    { filters: 6, groups: 3, kernelSize: 2 },
    torchImage,
    torchKernel,
    operand([4, -1, 1, 5, -12, -8, 0, 6, -2, 4, -11, 9, -4, 6, 9, -11, 4, -2], [1, 1, 3, 6]),
    {
      gradient: [
        -3, -1, 1, 3, 0, -3, -2, 2, 1, 0, -1, -2, -2, 2, 1, 0, -1, -2, 1, 3, 0, -3, -1, 1, 0, -3, -1, 1, 3, 0, -1, -2, 2, 1, 0, -1, -1, -2,
        2, 1, 0, -1, -1, 1, 3, 0, -3, -1,
      ],
    },
  ),
  {
    name: "GroupedConv2D, dilated, with a bias and an activation",
    layer: () => new GroupedConv2D({ kernelSize: 2, dilationRate: 2, filters: 2, groups: 1, activation: "relu" }),
    inputs: [nine],
    weights: [
      [1, 1, 2, -2, 3, 3, -1, -1],
      [0.5, -20],
    ],
    shape: [1, 1, 1, 2],
    values: [19.5, 0],
    gradient: [1, 0, 2, 0, 0, 0, 3, 0, -1],
  },
];

const padded = (mode: "reflect" | "symmetric" | "edge" | "wrap", values: readonly number[], gradient: readonly number[]): LayerCase => ({
  name: `Pad2D, ${mode}`,
  layer: () =>
    new Pad2D({
      padding: [
        [1, 0],
        [1, 1],
      ],
      mode,
    }),
  inputs: [nine],
  shape: [1, 4, 5, 1],
  values,
  gradient,
});
const pads: LayerCase[] = [
  {
    ...padded("reflect", [], []),
    name: "Pad2D, reflect on all sides",
    layer: () =>
      new Pad2D({
        padding: [
          [1, 1],
          [1, 1],
        ],
        mode: "reflect",
      }),
    shape: [1, 5, 5, 1],
    values: [5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 8, 7, 8, 9, 8, 5, 4, 5, 6, 5],
    gradient: [1, 3, 1, 3, 9, 3, 1, 3, 1],
  },
  padded("reflect", [5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 8, 7, 8, 9, 8], [1, 3, 1, 2, 6, 2, 1, 3, 1]),
  // One pixel around repeats the edge; two on the left are 2 1 | 1 2 3, and five columns behind 3 go back and forth.
  padded("symmetric", [1, 1, 2, 3, 3, 1, 1, 2, 3, 3, 4, 4, 5, 6, 6, 7, 7, 8, 9, 9], [4, 2, 4, 2, 1, 2, 2, 1, 2]),
  {
    ...padded("symmetric", [], []),
    name: "Pad2D, symmetric far beyond the edge",
    layer: () =>
      new Pad2D({
        padding: [
          [0, 0],
          [2, 5],
        ],
        mode: "symmetric",
      }),
    shape: [1, 3, 10, 1],
    values: [1, 4, 7].flatMap((a) => [a + 1, a, a, a + 1, a + 2, a + 2, a + 1, a, a, a + 1]),
    gradient: [4, 4, 2, 4, 4, 2, 4, 4, 2],
  },
  padded("edge", [1, 1, 2, 3, 3, 1, 1, 2, 3, 3, 4, 4, 5, 6, 6, 7, 7, 8, 9, 9], [4, 2, 4, 2, 1, 2, 2, 1, 2]),
  padded("wrap", [9, 7, 8, 9, 7, 3, 1, 2, 3, 1, 6, 4, 5, 6, 4, 9, 7, 8, 9, 7], [2, 1, 2, 2, 1, 2, 4, 2, 4]),
  {
    name: "Pad2D, constant",
    layer: () =>
      new Pad2D({
        padding: [
          [0, 1],
          [1, 0],
        ],
        value: -2,
      }),
    inputs: [nine],
    shape: [1, 4, 4, 1],
    values: [-2, 1, 2, 3, -2, 4, 5, 6, -2, 7, 8, 9, -2, -2, -2, -2],
  },
];

const four = count([1, 2, 2, 1], 1);
const six = operand([1, 2, -1, 3, 4, 7], [1, 2, 3, 1]);
type ResizeSettings = Omit<ConstructorParameters<typeof Resize2D>[0], "height" | "width">;
const resize = (
  name: string,
  settings: ResizeSettings,
  input: Operand,
  [, height = 1, width = 1]: readonly number[],
  values: readonly number[],
): LayerCase => ({
  name: `Resize2D, ${name}`,
  layer: () => new Resize2D({ height, width, ...settings }),
  inputs: [input],
  shape: [1, height, width, 1],
  values,
});
const row = (step: number): number[] => [1, 1 + step, 2 - step, 2]; // of the first row 1, 2, four wide
const rows = (step: number): number[] => [0, step, 1 - step, 1].flatMap((down) => row(step).map((value) => value + 2 * down));
/** By hand where the factor is whole, otherwise of torch.nn.functional.interpolate, or from the formulas of ONNX Resize. */
const resizes: LayerCase[] = [
  resize("half-pixel centres", {}, four, [1, 4, 4], rows(0.25)),
  resize("corners aligned", { coordinates: "alignCorners" }, four, [1, 4, 4], rows(1 / 3)),
  resize(
    "asymmetric",
    { coordinates: "asymmetric", scales: [2, 2] },
    four,
    [1, 4, 4],
    [0, 0.5, 1, 1].flatMap((down) => [1, 1.5, 2, 2].map((value) => value + 2 * down)),
  ),
  resize("oblong", {}, six, [1, 3, 5], [1, 1.4, 2, 0.2, -1, 2, 2.4, 3, 3, 3, 3, 3.4, 4, 5.8, 7]),
  resize(
    "oblong, corners aligned",
    { coordinates: "alignCorners" },
    six,
    [1, 3, 5],
    [1, 1.5, 2, 0.5, -1, 2, 2.5, 3, 3, 3, 3, 3.5, 4, 5.5, 7],
  ),
  resize("smaller", {}, count([1, 4, 4, 1]), [1, 2, 2], [2.5, 4.5, 10.5, 12.5]),
  resize(
    "nearest, asymmetric, floor",
    { mode: "nearest", coordinates: "asymmetric", rounding: "floor" },
    four,
    [1, 3, 3],
    [1, 1, 2, 1, 1, 2, 3, 3, 4],
  ),
  resize("nearest, half-pixel, floor preferred", { mode: "nearest" }, four, [1, 3, 3], [1, 1, 2, 1, 1, 2, 3, 3, 4]),
  resize(
    "nearest, half-pixel, ceiling preferred",
    { mode: "nearest", rounding: "roundPreferCeil" },
    six,
    [1, 3, 5],
    [1, 1, 2, -1, -1, 3, 3, 4, 7, 7, 3, 3, 4, 7, 7],
  ),
  resize(
    "nearest, as TensorFlow",
    { mode: "nearest", coordinates: "tfHalfPixelForNn", rounding: "floor" },
    four,
    [1, 3, 3],
    [1, 2, 2, 3, 4, 4, 3, 4, 4],
  ),
  resize("one pixel, as torch", { coordinates: "pytorchHalfPixel" }, four, [1, 1, 1], [1]),
  resize(
    "a factor that is not the ratio",
    { coordinates: "halfPixelSymmetric", scales: [1, 1.25] },
    count([1, 1, 5, 1]),
    [1, 1, 6],
    [0, 0.8, 1.6, 2.4, 3.2, 4],
  ),
];

const normalised = operand([0.25, 0.5, 0.75, 1, 1.25, 1.5, -3, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 3.75, 4], [1, 2, 2, 4]);
const groupNorm = (groups: number, values: readonly number[]): LayerCase => ({
  name: `GroupNormalization, ${groups === -1 ? "each channel" : `${groups} groups`}`,
  layer: () => new GroupNormalization({ groups, epsilon: 1e-5 }),
  inputs: [normalised],
  weights: [
    [1, 2, -1, 0.5],
    [0, 0.1, 0.2, -0.3],
  ],
  shape: [1, 2, 2, 4],
  values,
});
/** Of torch.nn.functional.group_norm and instance_norm. */
const normalisations: LayerCase[] = [
  groupNorm(
    2,
    [
      -1.444439, -2.344435, 0.687459, -0.484644, -0.555553, -0.566664, 2.460039, -0.2483, 0.333332, 1.211107, -0.257917, -0.011956,
      1.222217, 2.988877, -0.730604, 0.224388,
    ],
  ),
  groupNorm(
    -1,
    [
      -1.341635, -2.583271, 0.321019, -0.970818, -0.447212, -0.794424, 1.773245, -0.523606, 0.447212, 0.994424, -0.453502, -0.076394,
      1.341635, 2.783271, -0.840762, 0.370818,
    ],
  ),
  {
    name: "LocalResponseNormalization",
    layer: () => new LocalResponseNormalization({ depthRadius: 1, bias: 1, alpha: 0.1, beta: 0.5 }),
    inputs: [count([1, 1, 1, 3], 1)],
    shape: [1, 1, 1, 3],
    values: [0.816497, 1.290994, 1.978141],
  },
];

export const imageCases: LayerCase[] = [...pools, ...convolutions, ...pads, ...resizes, ...normalisations];
