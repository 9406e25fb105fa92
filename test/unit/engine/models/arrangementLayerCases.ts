import {
  AppendConstant,
  BatchBroadcast,
  BatchReshape,
  ChannelShuffle,
  GatherConstant,
  Hardmax,
  MatMul,
  Reduce,
  SliceLayer,
  ZeroPadding3D,
} from "../../../../src/engine/models/layers/index.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { count, type LayerCase, nine, type Operand, operand } from "./layerCase.ts";

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

const six = count([1, 3, 2], 1);
const gather = (
  name: string,
  axis: number,
  indices: readonly number[],
  shape: readonly number[],
  values: readonly number[],
  gradient?: readonly number[],
): LayerCase => ({
  name: `GatherConstant, ${name}`,
  layer: () => new GatherConstant({ axis, indices }),
  inputs: [six],
  shape,
  values,
  ...(gradient ? { gradient } : {}),
});
const shuffle = (groups: number, values: readonly number[]): LayerCase => ({
  name: `ChannelShuffle, ${groups} groups`,
  layer: () => new ChannelShuffle({ groups }),
  inputs: [count([1, 1, 1, 6])],
  shape: [1, 1, 1, 6],
  values,
});
const arrangements: LayerCase[] = [
  gather("the first", 1, [0], [1, 1, 2], [1, 2]),
  gather("the last", 1, [-1], [1, 1, 2], [5, 6]),
  gather("one of them twice", -2, [2, 0, 2], [1, 3, 2], [5, 6, 1, 2, 5, 6], [1, 1, 0, 0, 2, 2]),
  gather("the other way round", 2, [1, 0], [1, 3, 2], [2, 1, 4, 3, 6, 5]),
  shuffle(2, [0, 3, 1, 4, 2, 5]),
  shuffle(3, [0, 2, 4, 1, 3, 5]),
  {
    name: "AppendConstant, a class token",
    layer: () => new AppendConstant({ shape: [1, 2], axis: 1, atStart: true }),
    inputs: [count([2, 2, 2])],
    weights: [[-1, -2]],
    shape: [2, 3, 2],
    values: [-1, -2, 0, 1, 2, 3, -1, -2, 4, 5, 6, 7],
  },
  {
    name: "AppendConstant, behind",
    layer: () => new AppendConstant({ shape: [2, 1], axis: -1 }),
    inputs: [count([1, 2, 2])],
    weights: [[-1, -2]],
    shape: [1, 2, 3],
    values: [0, 1, -1, 2, 3, -2],
  },
  {
    name: "BatchBroadcast",
    layer: () => new BatchBroadcast({ shape: [2, 3, 2] }),
    inputs: [count([2, 1, 1, 2])],
    shape: [2, 2, 3, 2],
    values: [...Array(6).fill([0, 1]), ...Array(6).fill([2, 3])].flat(),
    gradient: [6, 6, 6, 6],
  },
  {
    name: "BatchReshape, more rows",
    layer: () => new BatchReshape({ targetShape: [3], multiple: 2 }),
    inputs: [count([2, 2, 3])],
    shape: [4, 3],
    values: count([12]).values,
  },
  {
    name: "BatchReshape, fewer rows",
    layer: () => new BatchReshape({ targetShape: [2, 3], divisor: 2 }),
    inputs: [count([4, 3])],
    shape: [2, 2, 3],
    values: count([12]).values,
  },
];

const product = (
  name: string,
  config: ConstructorParameters<typeof MatMul>[0],
  a: Operand,
  b: Operand,
  { shape, values }: Operand,
): LayerCase => ({
  name: `MatMul, ${name}`,
  layer: () => new MatMul(config),
  inputs: [a, b],
  shape,
  values,
});
const left = operand([-2, -1, 0, 1, 2, -2, -1, 0, 1, 2, -2, -1], [1, 2, 2, 3]);
const right = operand([-3, -2, -1, 0, 1, 2, 3, -3, -2, -1, 0, 1], [1, 2, 3, 2]);
/** Of torch.matmul. */
const products: LayerCase[] = [
  product("plain", {}, left, right, operand([7, 4, -7, -6, -3, 4, 10, -5], [1, 2, 2, 2])),
  product(
    "one for all, transposed",
    { transposeB: true },
    left,
    operand([-3, -2, -1, 0, 1, 2], [1, 1, 2, 3]),
    operand([8, -1, -5, -2, 2, 2, -1, -4], [1, 2, 2, 2]),
  ),
  product("the first transposed", { transposeA: true }, count([1, 2, 1], 1), count([1, 2, 2], 1), operand([7, 10], [1, 1, 2])),
];

const reduce = (operation: Reduce["operation"], values: readonly number[], more: Partial<LayerCase> = {}): LayerCase => ({
  name: `Reduce, ${operation}`,
  layer: () => new Reduce({ operation, axes: [1] }),
  inputs: [operand([1, 2, -1, 3, 0.5, 7], [2, 3])],
  shape: [2, 1],
  values,
  ...more,
});
const positive = (x: tf.Tensor): tf.Tensor => tf.add(tf.square(x), 0.5);
const reductions: LayerCase[] = [
  reduce("mean", [2 / 3, 3.5]),
  reduce("sum", [2, 10.5]),
  reduce("max", [2, 7], { gradient: [0, 1, 0, 0, 0, 1] }),
  reduce("min", [-1, 0.5]),
  reduce("prod", [-2, 10.5], { gradient: [-2, -1, 2, 3.5, 21, 1.5] }),
  reduce("sumSquare", [6, 58.25]),
  reduce("l1", [4, 10.5]),
  reduce("l2", [2.44949, 7.632169]),
  reduce("logSum", [Math.log(2), Math.log(10.5)], { domain: positive }),
  reduce("logSumExp", [2.349012, 7.019625]),
  {
    name: "Reduce, the mean of an image",
    layer: () => new Reduce({ operation: "mean", axes: [1, 2], keepDims: false }),
    inputs: [nine],
    shape: [1, 1],
    values: [5],
    gradient: Array(9).fill(1 / 9),
  },
  {
    name: "Reduce, a product of two axes",
    layer: () => new Reduce({ operation: "prod", axes: [-2, -1], keepDims: false }),
    inputs: [count([1, 2, 3, 2], 1)],
    shape: [1, 2],
    values: [720, 665280],
    domain: (x) => tf.add(tf.mul(x, 0.5), 1),
  },
];

const choices: LayerCase[] = [
  {
    name: "Hardmax",
    layer: () => new Hardmax(),
    inputs: [operand([1, 3, 3, 5, 2, -1], [2, 3])],
    shape: [2, 3],
    values: [0, 1, 0, 1, 0, 0],
    isFlat: true,
  },
  {
    name: "ZeroPadding3D",
    layer: () =>
      new ZeroPadding3D({
        padding: [
          [1, 0],
          [0, 0],
          [0, 1],
        ],
      }),
    inputs: [operand([1, 2], [1, 1, 1, 2, 1])],
    shape: [1, 2, 1, 3, 1],
    values: [0, 0, 0, 1, 2, 0],
    gradient: [1, 1],
  },
];

export const arrangementCases: LayerCase[] = [...slices, ...arrangements, ...products, ...reductions, ...choices];
