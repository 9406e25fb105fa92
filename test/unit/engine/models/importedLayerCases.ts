import {
  Affine,
  AvgPoolPad,
  Binary,
  Clip,
  Elementwise,
  MaxPoolPad,
  SliceLayer,
  withOverhang,
} from "../../../../src/engine/models/layers/index.ts";
import { tf, type tfl } from "../../../../src/engine/tf.ts";

interface Operand {
  /** With the batch. */
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
/** What a layer computes, by hand, from a specification or by another program. */
export interface LayerCase {
  readonly name: string;
  readonly layer: () => tfl.layers.Layer;
  readonly inputs: readonly Operand[];
  /** In the layer's own order. */
  readonly weights?: readonly (readonly number[])[];
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** Of the sum of the results, by the first input. */
  readonly gradient?: readonly number[];
  /** Its derivative is 0 wherever there is one. */
  readonly isFlat?: boolean;
  /** Takes any number to one for which the layer is smooth, for the differences. */
  readonly domain?: (x: tf.Tensor) => tf.Tensor;
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
export const operand = (values: readonly number[], shape: readonly number[]): Operand => ({ values, shape });
/** from, from + 1, … */
export const count = (shape: readonly number[], from = 0): Operand =>
  operand(
    Array.from({ length: size(shape) }, (_, i) => from + i),
    shape,
  );
/** Nine pixels 1 … 9 in rows. */
export const nine = count([1, 3, 3, 1], 1);
const negated = ({ values, shape }: Operand): Operand =>
  operand(
    values.map((value) => -value),
    shape,
  );
const positive = (x: tf.Tensor): tf.Tensor => tf.add(tf.square(x), 0.5);

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

const elementwise = (
  operation: Elementwise["operation"],
  values: readonly number[],
  expected: readonly number[],
  more: Partial<LayerCase> = {},
) => ({
  name: `Elementwise ${operation}`,
  layer: () => new Elementwise({ operation }),
  inputs: [operand(values, [1, values.length])],
  shape: [1, values.length],
  values: expected,
  ...more,
});
const places = [-4, -1, 0, 1, 4];
/** By numpy and scipy.special, at −4, −1, 0, 1, 4 where nothing else is said. */
const functions: LayerCase[] = [
  elementwise("abs", [-1.5, 0, 2], [1.5, 0, 2]),
  elementwise("ceil", [-1.5, 0.2, 2], [-1, 1, 2], { isFlat: true }),
  elementwise("floor", [-1.5, 0.2, 2], [-2, 0, 2], { isFlat: true }),
  elementwise("round", [-1.5, 0.5, 1.5, 2.5], [-2, 0, 2, 2], { isFlat: true }),
  elementwise("sign", [-1.5, 0, 2], [-1, 0, 1], { isFlat: true }),
  elementwise("celu", places, [-0.981684, -0.632121, 0, 1, 4]),
  elementwise("cos", [0, Math.PI / 3], [1, 0.5]),
  elementwise("sin", [0, Math.PI / 6], [0, 0.5]),
  elementwise("erf", [-1, 0, 1], [-0.842701, 0, 0.842701], { gradient: [0.415107, 1.128379, 0.415107] }),
  elementwise("exp", [0, 1], [1, Math.E]),
  elementwise("log", [1, Math.E], [0, 1], { domain: positive }),
  elementwise("neg", places, [4, 1, 0, -1, -4]),
  elementwise("reciprocal", [-0.5, 4], [-2, 0.25], { domain: positive }),
  elementwise("sqrt", [4, 2.25], [2, 1.5], { domain: positive }),
  elementwise("square", [-3, 0.5], [9, 0.25]),
  elementwise("hardSigmoid", places, [0, 0.3, 0.5, 0.7, 1]),
  {
    ...elementwise("hardSigmoid", places, [0, 1 / 3, 0.5, 2 / 3, 1]),
    name: "Elementwise hardSigmoid with a slope of 1/6",
    layer: () => new Elementwise({ operation: "hardSigmoid", alpha: 1 / 6 }),
  },
  elementwise("hardSwish", places, [0, -1 / 3, 0, 2 / 3, 4]),
  elementwise("mish", places, [-0.072592, -0.303401, 0, 0.865098, 3.997413]),
  elementwise("softplus", places, [0.01815, 0.313262, Math.LN2, 1.313262, 4.01815]),
  elementwise("softsign", places, [-0.8, -0.5, 0, 0.5, 0.8]),
];

const clipped = (minValue: number | null, maxValue: number | null, expected: readonly number[]): LayerCase => ({
  name: `Clip from ${minValue} to ${maxValue}`,
  layer: () => new Clip({ minValue, maxValue }),
  inputs: [operand([-1, 3, 7], [1, 3])],
  shape: [1, 3],
  values: expected,
});
const clips: LayerCase[] = [
  { ...clipped(0, 6, [0, 3, 6]), gradient: [0, 1, 0], domain: (x) => tf.mul(tf.sub(x, 0.3), 40) },
  clipped(null, 6, [-1, 3, 6]),
  { ...clipped(2, null, [2, 3, 7]), domain: (x) => tf.mul(x, 40) },
  { ...clipped(5, 2, [2, 2, 2]), isFlat: true },
];

const affine = (scale: number[] | null, offset: number[] | null) => () => new Affine({ scale, offset });
const affines: LayerCase[] = [
  {
    name: "Affine of each channel",
    layer: affine([2], [2]),
    inputs: [count([1, 1, 2, 2], 1)],
    weights: [
      [2, -1],
      [0.5, 10],
    ],
    shape: [1, 1, 2, 2],
    values: [2.5, 8, 6.5, 6],
    gradient: [2, -1, 2, -1],
  },
  {
    name: "Affine by a number",
    layer: affine([], null),
    inputs: [count([2, 2], 1)],
    weights: [[3]],
    shape: [2, 2],
    values: [3, 6, 9, 12],
  },
  {
    name: "Affine by what has a value for every place",
    layer: affine(null, [1, 2, 2]),
    inputs: [count([2, 1, 2, 2])],
    weights: [[10, 20, 30, 40]],
    shape: [2, 1, 2, 2],
    values: [10, 21, 32, 43, 14, 25, 36, 47],
  },
];

const [a, b] = [operand([4, -2, 9, 1], [1, 2, 2]), operand([2, 3], [1, 1, 2])];
const binary = (operation: Binary["operation"], values: readonly number[], more: Partial<LayerCase> = {}): LayerCase => ({
  name: `Binary ${operation}`,
  layer: () => new Binary({ operation }),
  inputs: [a, b],
  shape: [1, 2, 2],
  values,
  ...more,
});
const constant = (
  operation: Binary["operation"],
  reversed: boolean,
  values: readonly number[],
  more: Partial<LayerCase> = {},
): LayerCase => ({
  name: `Binary ${operation} ${reversed ? "of a constant" : "by a constant"}`,
  layer: () => new Binary({ operation, constant: [2], reversed }),
  inputs: [a],
  weights: [[2, 3]],
  shape: [1, 2, 2],
  values,
  ...more,
});
const binaries: LayerCase[] = [
  binary("add", [6, 1, 11, 4]),
  binary("sub", [2, -5, 7, -2]),
  binary("mul", [8, -6, 18, 3], { gradient: [2, 3, 2, 3] }),
  binary("div", [2, -2 / 3, 4.5, 1 / 3], { domain: positive }),
  binary("pow", [16, -8, 81, 1], { domain: positive }),
  binary("min", [2, -2, 2, 1], { gradient: [0, 1, 0, 1] }),
  binary("max", [4, 3, 9, 3]),
  binary("equal", [0, 0, 0, 0], { isFlat: true }),
  binary("less", [0, 1, 0, 1], { isFlat: true }),
  binary("lessOrEqual", [0, 1, 0, 1], { isFlat: true }),
  binary("greater", [1, 0, 1, 0], { isFlat: true }),
  binary("greaterOrEqual", [1, 0, 1, 0], { isFlat: true }),
  constant("sub", true, [-2, 5, -7, 2]),
  constant("div", true, [0.5, -1.5, 2 / 9, 3], { domain: positive }),
  constant("max", false, [4, 3, 9, 3]),
];

const BIG = Number.MAX_SAFE_INTEGER;
const slice = (
  name: string,
  cut: ConstructorParameters<typeof SliceLayer>[0],
  input: Operand,
  shape: readonly number[],
  values: readonly number[],
): LayerCase => ({
  name: `SliceLayer ${name}`,
  layer: () => new SliceLayer(cut),
  inputs: [input],
  shape,
  values,
});
const ten = count([1, 10]);
const slices: LayerCase[] = [
  slice("backwards", { axes: [1], starts: [-1], ends: [-11], steps: [-2] }, ten, [1, 5], [9, 7, 5, 3, 1]),
  slice("to the end", { axes: [-1], starts: [7], ends: [BIG] }, ten, [1, 3], [7, 8, 9]),
  slice("every third", { axes: [1], starts: [1], ends: [BIG], steps: [3] }, ten, [1, 3], [1, 4, 7]),
  slice("every third to the last", { axes: [1], starts: [0], ends: [10], steps: [3] }, ten, [1, 4], [0, 3, 6, 9]),
  slice("back to the beginning", { axes: [1], starts: [BIG], ends: [-BIG], steps: [-4] }, ten, [1, 3], [9, 5, 1]),
  slice("of two axes", { axes: [1, 2], starts: [1, 0], ends: [3, 2], steps: [1, 1] }, nine, [1, 2, 2, 1], [4, 5, 7, 8]),
  slice("of every second pixel", { axes: [1, 2], starts: [0, 1], ends: [BIG, BIG], steps: [2, 2] }, nine, [1, 2, 1, 1], [2, 8]),
];

export const layerCases: LayerCase[] = [...pools, ...functions, ...clips, ...affines, ...binaries, ...slices];
