import { float, ints, type NodeSpec, node, numbers, type Tensor } from "./encoder.ts";
import { type Case, conv, four, grid, kernel, line, one, two, x3 } from "./operatorCase.ts";

/** y = [1,4,4 / 6,15,6 / 9,9,−4] for a step of 1: each pixel of 1 2 / 3 4 puts the kernel times itself where it is. */
const transposed = (name: string, attributes: NodeSpec["attributes"], gives: readonly number[], bias?: number): Case => ({
  name: `ConvTranspose, ${name}`,
  nodes: [node("ConvTranspose", bias === undefined ? "x k" : "x k b", "v", attributes)],
  with: { k: kernel, ...(bias === undefined ? {} : { b: numbers([1], bias) }) },
  given: two,
  gives,
});
const transposedConvolutions: readonly Case[] = [
  transposed("with a bias", {}, [1.5, 4.5, 4.5, 6.5, 15.5, 6.5, 9.5, 9.5, -3.5], 0.5),
  transposed("pads [t,l,b,r]", { pads: [1, 0, 0, 1] }, [6, 15, 9, 9]),
  transposed(
    "output_padding, where there is the bias alone",
    { strides: [2, 2], output_padding: [1, 1] },
    [11, 12, 12, 14, 10, 13, 9, 16, 8, 10, 13, 16, 14, 18, 10, 19, 7, 22, 6, 10, 10, 10, 10, 10, 10],
    10,
  ),
  transposed("output_shape", { strides: [2, 2], output_shape: [3, 3] }, [-1, 6, -2, 6, 4, 8, -3, 12, -4]),
  transposed("SAME_UPPER", { auto_pad: "SAME_UPPER" }, [1, 4, 6, 15]),
  {
    name: "ConvTranspose of a list, and steps beyond the kernel",
    nodes: [node("Reshape", "x s", "r"), node("ConvTranspose", "r k", "v", { strides: [3] })],
    with: { s: ints(-1, 1, 2), k: numbers([1, 1, 2], 1, -1) },
    given: line(2, 5),
    gives: [2, -2, 0, 5, -5],
  },
];

const reshaped = (shape: readonly number[], nodes: readonly NodeSpec[], tensors: Readonly<Record<string, Tensor>> = {}) => ({
  nodes: [node("Reshape", "x s", "r"), ...nodes],
  with: { s: ints(...shape), ...tensors },
});
const windows: readonly Case[] = [
  {
    name: "Conv with strides and dilations",
    nodes: conv({ strides: [2, 2], dilations: [2, 2], pads: [1, 1, 1, 1] }),
    with: { k: kernel },
    given: four,
    gives: [-5, 8, -3, 43],
  },
  {
    name: "depthwise Conv with strides and dilations",
    nodes: conv({ strides: [2, 2], dilations: [2, 2], pads: [1, 1, 1, 1], group: 2 }),
    with: { k: numbers([2, 1, 2, 2], 1, 2, 3, -1, 2, 4, 6, -2) },
    given: { x: [...four.x, ...four.x], shape: [1, 2, 4, 4] },
    gives: [-5, 8, -3, 43, -10, 16, -6, 86],
  },
  {
    name: "Conv of a list",
    ...reshaped([-1, 1, 9], [node("Conv", "r k", "v", { pads: [1, 0], strides: [3] })], { k: numbers([1, 1, 2], 1, 2) }),
    given: x3,
    gives: [2, 11, 20],
  },
  {
    name: "Conv of volumes, padded in front",
    ...reshaped([-1, 1, 2, 2, 2], [node("Conv", "r k", "v", { pads: [1, 0, 0, 0, 0, 0] })], {
      k: numbers([1, 1, 2, 2, 2], 1, 1, 1, 1, 2, 2, 2, 2),
    }),
    given: line(1, 2, 3, 4, 5, 6, 7, 8),
    gives: [20, 62],
  },
  {
    name: "AveragePool of a list",
    ...reshaped([-1, 1, 9], [node("AveragePool", "r", "v", { kernel_shape: [2], strides: [2] })]),
    given: x3,
    gives: [1.5, 3.5, 5.5, 7.5],
  },
  {
    name: "MaxPool of a list, padded",
    ...reshaped([-1, 1, 9], [node("MaxPool", "r", "v", { kernel_shape: [3], strides: [4], pads: [1, 1] })]),
    given: x3,
    gives: [2, 6, 9],
  },
  {
    name: "MaxPool of volumes",
    ...reshaped([-1, 1, 2, 2, 2], [node("MaxPool", "r", "v", { kernel_shape: [1, 2, 2] })]),
    given: line(1, 2, 3, 4, 5, 6, 7, 8),
    gives: [4, 8],
  },
  { name: "GlobalAveragePool of lists", ...reshaped([-1, 3, 3], [node("GlobalAveragePool", "r", "v")]), given: x3, gives: [2, 5, 8] },
  {
    // W·γ/√(v + ε) = 5.9999 and −0.25, β + (b − μ)·γ/√(v + ε) = −0.8 and −0.35
    name: "BatchNormalization behind a Conv, at 0 and 1",
    nodes: [node("Conv", "x w", "c"), node("BatchNormalization", "c g b m v0", "v")],
    with: {
      w: numbers([2, 1, 1, 1], 2, -1),
      g: numbers([2], 1.5, 0.5),
      b: numbers([2], 0.1, -0.2),
      m: numbers([2], 0.3, 0.6),
      v0: numbers([2], 0.25, 4),
    },
    given: { x: [0, 1], shape: [1, 1, 1, 2] },
    gives: [-0.79998, 5.1999, -0.35, -0.6],
  },
  {
    name: "BatchNormalization of channels that a Reshape makes",
    ...reshaped([-1, 2, 1, 2], [node("BatchNormalization", "r g b m v0", "v", { epsilon: float(0) })], {
      g: numbers([2], 1, 10),
      b: numbers([2], 0, 0),
      m: numbers([2], 0, 0),
      v0: numbers([2], 1, 1),
    }),
    given: two,
    gives: [1, 2, 30, 40],
  },
  {
    name: "BatchNormalization of volumes",
    ...reshaped([-1, 2, 1, 1, 2], [node("BatchNormalization", "r g b m v0", "v", { epsilon: float(0) })], {
      g: numbers([2], 1, 10),
      b: numbers([2], 0, 1),
      m: numbers([2], 0, 0),
      v0: numbers([2], 1, 1),
    }),
    given: two,
    gives: [1, 2, 31, 41],
  },
  {
    name: "LayerNormalization with five axes",
    ...reshaped([-1, 1, 1, 2, 2], [node("LayerNormalization", "r g b", "v", { epsilon: float(0.75) })], {
      g: numbers([2], 4, 4),
      b: numbers([2], 1, 1),
    }),
    given: two,
    gives: [-1, 3, -1, 3],
    opset: 17,
  },
  {
    name: "Pad of channels",
    nodes: one("Pad", {}, "x p c"),
    with: { p: ints(0, 1, 0, 0, 0, 2, 0, 0), c: numbers([], 7) },
    given: line(1, 2),
    gives: [7, 1, 2, 7, 7],
  },
  {
    name: "Pad of channels, mirrored, one cut off",
    nodes: one("Pad", { mode: "reflect" }, "x p"),
    with: { p: ints(0, 2, 0, 0, 0, -1, 0, 0) },
    given: line(1, 2, 3, 4, 5),
    gives: [3, 2, 1, 2, 3, 4],
  },
];

const arrangements: readonly Case[] = [
  { name: "Tile", nodes: one("Tile", {}, "x t"), with: { t: ints(1, 2, 1, 2) }, given: line(1, 2), gives: [1, 1, 2, 2, 1, 1, 2, 2] },
  { name: "Tile of rows", nodes: one("Tile", {}, "x t"), with: { t: ints(1, 1, 1, 2) }, given: two, gives: [1, 2, 1, 2, 3, 4, 3, 4] },
  { name: "Expand", nodes: one("Expand", {}, "x t"), with: { t: ints(2, 1, 3) }, given: line(1, 2), gives: [1, 1, 1, 2, 2, 2] },
  {
    name: "Gather by a table",
    nodes: one("Gather", { axis: 1 }, "x i"),
    with: { i: { shape: [2, 2], data: [0, 2, 1, 0], type: "int64" } },
    given: line(5, 6, 7),
    gives: [5, 7, 6, 5],
  },
  { name: "Hardmax", nodes: one("Hardmax", { axis: 1 }), given: line(1, 3, 3), gives: [0, 1, 0] },
  { name: "LpNormalization", nodes: one("LpNormalization", { axis: 1 }), given: line(3, 4), gives: [0.6, 0.8] },
  { name: "LpNormalization, p = 1", nodes: one("LpNormalization", { axis: 1, p: 1 }), given: line(3, 4), gives: [3 / 7, 4 / 7] },
  { name: "Selu of its own", nodes: one("Selu", { alpha: float(2), gamma: float(3) }), given: line(-1, 0, 1), gives: [-3.792723, 0, 3] },
  {
    name: "Mean of three, one of them constant",
    nodes: [node("Mul", "x x", "q"), node("Mean", "x q c", "v")],
    with: { c: numbers([2, 1, 1], 3, 6) },
    given: line(1, 2),
    gives: [5 / 3, 4],
  },
  {
    name: "Max of three of different shapes",
    nodes: [node("GlobalAveragePool", "x", "g"), node("Max", "x g c", "v")],
    with: { c: numbers([2], 0, 3) },
    given: two,
    gives: [2.5, 3, 3, 4],
  },
  {
    name: "Add of two values that are both repeated",
    nodes: [node("Reshape", "x s", "a"), node("Reshape", "x t", "b"), node("Add", "a b", "v")],
    with: { s: ints(-1, 2, 1), t: ints(-1, 1, 2) },
    given: line(1, 10),
    gives: [2, 11, 11, 20],
  },
  {
    name: "Add of a constant that is larger",
    nodes: [node("Reshape", "x s", "a"), node("Add", "a c", "v")],
    with: { s: ints(-1, 2, 1), c: numbers([1, 3], 1, 2, 3) },
    given: line(1, 10),
    gives: [2, 3, 4, 11, 12, 13],
  },
  {
    name: "PRelu of each place",
    nodes: one("PRelu", {}, "x a"),
    with: { a: numbers([1, 2, 2], 0.1, 0.2, 0.3, 0.4) },
    given: grid([-1, -1, -1, 1], 2),
    gives: [-0.1, -0.2, -0.3, 1],
  },
  {
    name: "Mod of floats",
    nodes: one("Mod", { fmod: 1 }, "x c"),
    with: { c: numbers([3, 1, 1], 2.1, -3.4, 8) },
    given: line(-4.3, 7.2, 5),
    gives: [-0.1, 0.4, 5],
  },
];

const truths = (name: string, gives: readonly number[]): Case => ({
  name,
  nodes: [
    node("Greater", "x one", "a"),
    node("Greater", "x two", "b"),
    node(name, name === "Not" ? "a" : "a b", "t"),
    node("Cast", "t", "v", { to: 1 }),
  ],
  with: { one: numbers([], 1), two: numbers([], 2) },
  given: line(1, 2, 3),
  gives,
});
const logic: readonly Case[] = [
  truths("And", [0, 0, 1]),
  truths("Or", [0, 1, 1]),
  truths("Xor", [0, 1, 0]),
  truths("Not", [1, 0, 0]),
  {
    name: "IsNaN",
    nodes: [node("Sub", "x two", "d"), node("Sqrt", "d", "q"), node("IsNaN", "q", "t"), node("Cast", "t", "v", { to: 1 })],
    with: { two: numbers([], 2) },
    given: line(1, 3),
    gives: [1, 0],
  },
  {
    name: "Where by a condition that depends on the picture",
    nodes: [node("Greater", "x three", "c"), node("Where", "c x no", "v")],
    with: { three: numbers([], 3), no: numbers([], -1) },
    given: line(1, 5),
    gives: [-1, 5],
  },
];

/** r = [1,2 / 3,4]. */
const product = (name: string, nodes: readonly NodeSpec[], gives: readonly number[], tensors: Readonly<Record<string, Tensor>> = {}) => ({
  name,
  ...reshaped([-1, 2, 2], nodes, tensors),
  given: two,
  gives,
});
const einsum = (equation: string, gives: readonly number[], inputs = "r r") =>
  product(`Einsum ${equation}`, [node("Einsum", inputs, "v", { equation })], gives, { c: numbers([2, 2], 1, 0, 2, 1) });
const products: readonly Case[] = [
  einsum("bij,bjk->bik", [7, 10, 15, 22]),
  einsum("bij, bkj -> bik", [5, 11, 11, 25]),
  einsum("bji,bjk->bki", [10, 14, 14, 20]),
  einsum("bij->bji", [1, 3, 2, 4], "r"),
  einsum("bij->bi", [3, 7], "r"),
  einsum("bij,jk->bik", [5, 2, 11, 4], "r c"),
  einsum("bij,bij->bij", [1, 4, 9, 16]),
  einsum("bij,bij->bi", [5, 25]),
  einsum("bij,bik->bijk", [1, 2, 2, 4, 9, 12, 12, 16]),
  product("MatMul of a constant and a value", [node("MatMul", "a r", "v")], [1, 2, 5, 8], { a: numbers([2, 2], 1, 0, 2, 1) }),
  product("MatMul of a constant row and a value", [node("MatMul", "a r", "v")], [4, 6], { a: numbers([2], 1, 1) }),
  product("MatMul of a value and a constant column", [node("MatMul", "r a", "v")], [-1, -1], { a: numbers([2], 1, -1) }),
  {
    name: "MatMul of a value that is repeated",
    nodes: [node("Reshape", "x s", "a"), node("Reshape", "x t", "b"), node("MatMul", "a b", "v")],
    with: { s: ints(-1, 2, 1, 2), t: ints(-1, 1, 2, 2) },
    given: two,
    gives: [7, 10, 15, 22],
  },
  {
    name: "Gemm of a transposed value",
    nodes: [node("Flatten", "x", "f"), node("Transpose", "f", "t"), node("Gemm", "t w", "v", { transA: 1 })],
    with: { w: numbers([2, 2], 1, 2, 3, 4) },
    given: line(1, 2),
    gives: [7, 10],
  },
  {
    name: "Gemm that adds a value",
    nodes: [node("Flatten", "x", "f"), node("Gemm", "f w f", "v", { beta: float(2) })],
    with: { w: numbers([2, 2], 1, 2, 3, 4) },
    given: line(1, 2),
    gives: [9, 14],
  },
];

/** Operators whose inputs are constant: their result is added to zeros. */
const folded = (
  name: string,
  nodes: readonly NodeSpec[],
  tensors: Readonly<Record<string, Tensor>>,
  gives: readonly number[],
  opset = 16,
): Case => ({
  name: `${name} of constants`,
  nodes: [...nodes, node("Cast", "c", "f", { to: 1 }), node("Reshape", "f s", "n"), node("Add", "x n", "v")],
  with: { ...tensors, s: ints(1, -1, 1, 1) },
  given: line(...gives.map(() => 0)),
  gives,
  opset,
});
const distinct = numbers([6], 2, 1, 1, 3, 4, 3);
const scattered = {
  d: numbers([8], 1, 2, 3, 4, 5, 6, 7, 8),
  i: { shape: [4, 1], data: [4, 3, 1, 7], type: "int64" },
  u: numbers([4], 9, 10, 11, 12),
} as const;
/** Where nothing else is said, the numbers are those of the examples in docs/Operators.md of onnx/onnx. */
const constants: readonly Case[] = [
  folded(
    "GatherND",
    [node("GatherND", "d i", "c", { batch_dims: 1 })],
    { d: numbers([2, 2, 2], 0, 1, 2, 3, 4, 5, 6, 7), i: { shape: [2, 1], data: [1, 0], type: "int64" } },
    [2, 3, 4, 5],
  ),
  folded("ScatterND", [node("ScatterND", "d i u", "c")], scattered, [1, 11, 3, 10, 9, 6, 7, 12]),
  folded("ScatterND that adds", [node("ScatterND", "d i u", "c", { reduction: "add" })], scattered, [1, 13, 3, 14, 14, 6, 7, 20]),
  folded(
    "GatherElements",
    [node("GatherElements", "d i", "c", { axis: 1 })],
    { d: numbers([2, 2], 1, 2, 3, 4), i: { shape: [2, 2], data: [0, 0, 1, 0], type: "int64" } },
    [1, 1, 4, 3],
  ),
  folded("TopK", [node("TopK", "d k", "c i")], { d: numbers([3], 3, 1, 2), k: ints(2) }, [3, 2]),
  folded("the places of TopK", [node("TopK", "d k", "t c")], { d: numbers([3], 3, 1, 2), k: ints(2) }, [0, 2]),
  folded("Unique", [node("Unique", "d", "c")], { d: distinct }, [1, 2, 3, 4]),
  folded("the inverse of Unique", [node("Unique", "d", "t i c q")], { d: distinct }, [1, 0, 0, 2, 3, 2]),
  folded("Unique as they come", [node("Unique", "d", "c", { sorted: 0 })], { d: distinct }, [2, 1, 3, 4]),
  folded("OneHot", [node("OneHot", "d k w", "c")], { d: ints(1, -1), k: ints(3), w: numbers([2], 2, 5) }, [2, 5, 2, 2, 2, 5]),
  folded(
    "CumSum, exclusive",
    [node("CumSum", "d a", "c", { exclusive: 1 })],
    { d: numbers([5], 1, 2, 3, 4, 5), a: ints(0) },
    [0, 1, 3, 6, 10],
  ),
  folded(
    "CumSum, reversed",
    [node("CumSum", "d a", "c", { reverse: 1 })],
    { d: numbers([5], 1, 2, 3, 4, 5), a: ints(0) },
    [15, 14, 12, 9, 5],
  ),
  folded("ArgMax", [node("ArgMax", "d", "c", { axis: 1 })], { d: numbers([2, 2], 2, 2, 3, 10) }, [0, 1]),
  folded("the last ArgMax", [node("ArgMax", "d", "c", { axis: 1, select_last_index: 1 })], { d: numbers([2, 2], 2, 2, 3, 10) }, [1, 1]),
  folded("ArgMin", [node("ArgMin", "d", "c", { axis: 0, keepdims: 0 })], { d: numbers([2, 2], 2, 1, 3, 0) }, [0, 1]),
  folded("EyeLike", [node("EyeLike", "d", "c", { k: 1 })], { d: numbers([2, 3], 7, 7, 7, 7, 7, 7) }, [0, 1, 0, 0, 0, 1]),
  folded("Pad, mirrored,", [node("Pad", "d p", "c", { mode: "reflect" })], { d: numbers([3], 1, 2, 3), p: ints(2, 1) }, [3, 2, 1, 2, 3, 2]),
  folded("Pad that cuts", [node("Pad", "d p w", "c")], { d: numbers([3], 1, 2, 3), p: ints(-1, 1), w: numbers([], 9) }, [2, 3, 9]),
  folded("the mask of Dropout", [node("Dropout", "d", "t c")], { d: numbers([3], 5, 0, 7) }, [1, 1, 1]),
];

/** Operators that torchvision's networks do not have. */
export const rareCases: readonly Case[] = [...transposedConvolutions, ...windows, ...arrangements, ...logic, ...products, ...constants];
