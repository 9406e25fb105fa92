import { Affine, Binary, Clip, Elementwise, FakeQuantize, Gelu, Select } from "../../../../src/engine/models/layers/index.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { count, type LayerCase, operand } from "./layerCase.ts";

const positive = (x: tf.Tensor): tf.Tensor => tf.add(tf.square(x), 0.5);

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
  elementwise("isNaN", [1, Number.NaN], [0, 1], { isFlat: true }),
  elementwise("not", [-1.5, 0, 2], [0, 1, 0], { isFlat: true }),
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
const truths = [operand([1, 0, 2, 0], [1, 2, 2]), operand([0, 0, -1, 1], [1, 2, 2])];
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
  binary("and", [0, 0, 1, 0], { isFlat: true, inputs: truths }),
  binary("or", [1, 0, 1, 1], { isFlat: true, inputs: truths }),
  binary("xor", [1, 0, 0, 1], { isFlat: true, inputs: truths }),
  constant("fmod", false, [0, -2, 1, 1], { gradient: [1, 1, 1, 1], fixedWeights: true, domain: (x) => tf.add(tf.mul(tf.tanh(x), 0.5), 1) }),
  constant("sub", true, [-2, 5, -7, 2]),
  constant("div", true, [0.5, -1.5, 2 / 9, 3], { domain: positive }),
  constant("max", false, [4, 3, 9, 3]),
];

const gelu = (approximate: "none" | "tanh", values: readonly number[]): LayerCase => ({
  name: `Gelu, ${approximate}`,
  layer: () => new Gelu({ approximate }),
  inputs: [operand([-1, 1, 2], [1, 3])],
  shape: [1, 3],
  values,
});
const gelus: LayerCase[] = [gelu("none", [-0.158655, 0.841345, 1.9545]), gelu("tanh", [-0.158808, 0.841192, 1.954598])];

const quantizers: LayerCase[] = [
  {
    name: "FakeQuantize",
    layer: () => new FakeQuantize({ scale: 0.1, zeroPoint: 128, low: 0, high: 255 }),
    inputs: [operand([0, 0.04, 0.06, 12.75, 13, -0.2], [1, 6])],
    shape: [1, 6],
    values: [0, 0, 0.1, 12.7, 12.7, -0.2],
    gradient: [1, 1, 1, 0, 0, 1],
    isStepwise: true,
  },
  {
    name: "FakeQuantize of each channel",
    layer: () => new FakeQuantize({ scale: [0.5, 2], zeroPoint: [0, 1], low: -4, high: 3 }),
    inputs: [operand([1.3, 3.1, -2.2, -9, 9, 5], [1, 3, 2])],
    shape: [1, 3, 2],
    values: [1.5, 4, -2, -8, 1.5, 4],
    gradient: [1, 1, 0, 1, 0, 0],
    isStepwise: true,
  },
];

const [yes, no] = [operand([1, 2, 3, 4], [1, 2, 2]), operand([-1, -2], [1, 1, 2])];
const selections: LayerCase[] = [
  {
    name: "Select by a constant",
    layer: () => new Select({ condition: [2, 2] }),
    inputs: [yes, no],
    weights: [[1, 0, 0, 1]],
    fixedWeights: true,
    shape: [1, 2, 2],
    values: [1, -2, -1, 4],
    gradient: [1, 0, 0, 1],
  },
  {
    name: "Select between a number and a tensor",
    layer: () => new Select({ condition: [2], whenTrue: Number.NEGATIVE_INFINITY }),
    inputs: [yes],
    weights: [[0, 1]],
    fixedWeights: true,
    shape: [1, 2, 2],
    values: [1, -3.4028234663852886e38, 3, -3.4028234663852886e38],
    gradient: [1, 0, 1, 0],
    isStepwise: true,
  },
  {
    name: "Select by an input",
    layer: () => new Select({ condition: null, whenFalse: 7 }),
    inputs: [operand([0, 1, 1, 0], [1, 2, 2]), operand([1, 2, 3, 4], [1, 2, 2])],
    shape: [1, 2, 2],
    values: [7, 2, 3, 7],
    isFlat: true,
  },
];

export const elementwiseCases: LayerCase[] = [...functions, ...clips, ...affines, ...binaries, ...gelus, ...quantizers, ...selections];
