import { type GraphNode, int, ints, node, number, numbers, type Spec, texts, type Weight } from "./encoder.ts";

/** A graph from the placeholder x to a node v, which is made a list of scores. */
export interface Case extends Spec {
  readonly name: string;
  /** TensorFlow.js itself has no gradient of it, or a wrong one. */
  readonly isForwardOnly?: boolean;
}

/** Numbers without a pattern, the same everywhere. */
const some = (...shape: number[]): Weight =>
  numbers(
    shape,
    ...Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.fround(Math.sin(1.7 * i + 0.3 * shape.length))),
  );
const positive = (...shape: number[]): Weight => ({ shape, data: some(...shape).data.map((value) => Math.fround(0.5 + Math.abs(value))) });
/** Of an input of a case: two images. */
export const imagesOf = ({ input }: Case): { readonly shape: readonly number[]; readonly data: Float32Array } => {
  const shape = [2, ...input.slice(1)];
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: count }, (_, i) => 1.9 * Math.sin(0.9 * i * i + 1.3 * i + 0.4)) };
};
/** What the scores are multiplied by before a gradient is taken. */
export const factor = (i: number): number => Math.cos(1.1 * i + 0.2);

/** [B,…] → [B,K], as Keras writes a Flatten. */
const flattened = [
  node("Shape", "v", "v/shape"),
  node("StridedSlice", "v/shape zero one one", "v/count", { shrink_axis_mask: 1 }),
  node("Pack", "v/count rest", "v/flat", { axis: 0 }),
  node("Reshape", "v v/flat", "scores"),
];
const constants = { zero: ints(0), one: ints(1), rest: int(-1) };
const photo = [-1, 5, 4, 3];
const of = (name: string, nodes: GraphNode[], weights: Spec["weights"] = {}, o: Partial<Case> = {}): Case => ({
  name,
  input: photo,
  ...o,
  nodes: [...nodes, ...flattened],
  weights: { ...weights, ...constants },
});
const forward = { isForwardOnly: true };
const alone = (op: string, attr: GraphNode["attr"] = {}): Case => of(op, [node(op, "x", "v", attr)]);

const ones = [1, 1, 1, 1];
const valid = { strides: ones, padding: "VALID", dilations: ones };
const kernel = { k: some(3, 2, 3, 4) };
const convolutions: readonly Case[] = [
  of("Conv2D, VALID", [node("Conv2D", "x k", "v", valid)], kernel),
  of("Conv2D, SAME", [node("Conv2D", "x k", "v", { ...valid, padding: "SAME", data_format: "NHWC" })], kernel),
  of("Conv2D, SAME, strides", [node("Conv2D", "x k", "v", { ...valid, strides: [1, 2, 2, 1], padding: "SAME" })], kernel),
  of(
    "Conv2D, explicit padding",
    [node("Conv2D", "x k", "v", { ...valid, padding: "EXPLICIT", explicit_paddings: [0, 0, 1, 0, 2, 1, 0, 0] })],
    kernel,
  ),
  of("Conv2D, dilated", [node("Conv2D", "x k", "v", { ...valid, dilations: [1, 2, 2, 1] })], kernel, forward),
  of("Conv2D, NCHW", [node("Conv2D", "x k", "v", { ...valid, data_format: "NCHW" })], kernel, { input: [-1, 3, 5, 6] }),
  of("Conv2D, BiasAdd and Relu", [node("Conv2D", "x k", "c", valid), node("BiasAdd", "c b", "d"), node("Relu", "d", "v")], {
    ...kernel,
    b: some(4),
  }),
  of("DepthwiseConv2dNative", [node("DepthwiseConv2dNative", "x k", "v", { ...valid, padding: "SAME" })], { k: some(3, 3, 3, 1) }),
  of("DepthwiseConv2dNative, two for each channel", [node("DepthwiseConv2dNative", "x k", "v", { ...valid, strides: [1, 2, 2, 1] })], {
    k: some(2, 2, 3, 2),
  }),
  of(
    "dilated by SpaceToBatchND",
    [
      node("SpaceToBatchND", "x block pads", "s"),
      node("Conv2D", "s k", "c", valid),
      node("BiasAdd", "c b", "d"),
      node("Relu", "d", "e"),
      node("BatchToSpaceND", "e block crops", "v"),
    ],
    {
      k: some(2, 2, 3, 4),
      b: some(4),
      block: ints(2, 2),
      pads: { ...ints(1, 2, 1, 1), shape: [2, 2] },
      crops: { ...ints(0, 1, 0, 0), shape: [2, 2] },
    },
  ),
];

const fusedOf = (op: string, names: string[], o: { args?: Record<string, Weight>; attr?: GraphNode["attr"]; k?: Weight } = {}): Case => {
  const args = o.args ?? { b: some(4) };
  const attr = { ...valid, num_args: { i: String(Object.keys(args).length) }, fused_ops: texts(...names), ...o.attr };
  return of(`${op}: ${names.join(", ")}`, [node(op, ["x", "k", ...Object.keys(args)].join(" "), "v", attr)], {
    k: o.k ?? some(3, 2, 3, 4),
    ...args,
  });
};
const fused: readonly Case[] = [
  fusedOf("_FusedConv2D", ["BiasAdd"]),
  fusedOf("_FusedConv2D", ["BiasAdd", "Relu"]),
  fusedOf("_FusedConv2D", ["BiasAdd", "Relu6"]),
  fusedOf("_FusedConv2D", ["BiasAdd", "Elu"]),
  fusedOf("_FusedConv2D", ["BiasAdd", "LeakyRelu"], { attr: { leakyrelu_alpha: number(0.3) } }),
  fusedOf("_FusedConv2D", ["BiasAdd", "Prelu"], { args: { b: some(4), slope: some(1, 1, 4) } }),
  fusedOf("FusedDepthwiseConv2dNative", ["BiasAdd", "Relu"], { k: some(3, 3, 3, 2), args: { b: some(6) } }),
];

const products: readonly Case[] = [
  of("MatMul", [node("Reshape", "x row", "r"), node("MatMul", "r w", "v")], { row: ints(-1, 60), w: some(60, 4) }),
  of("MatMul, transposed", [node("Reshape", "x row", "r"), node("MatMul", "r w", "v", { transpose_b: true })], {
    row: ints(-1, 60),
    w: some(4, 60),
  }),
  of(
    "_FusedMatMul",
    [node("Reshape", "x row", "r"), node("_FusedMatMul", "r w b", "v", { fused_ops: texts("BiasAdd", "Relu"), num_args: { i: "1" } })],
    { row: ints(-1, 60), w: some(60, 4), b: some(4) },
  ),
];

const pool = { ksize: [1, 3, 2, 1], strides: [1, 2, 2, 1] };
const images: readonly Case[] = [
  ...["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"].map((op) =>
    of(op, [node(op, "x g b m v2", "v", { epsilon: number(0.001), is_training: false })], {
      g: some(3),
      b: some(3),
      m: some(3),
      v2: positive(3),
    }),
  ),
  of("MaxPool, SAME", [node("MaxPool", "x", "v", { ...pool, padding: "SAME" })]),
  of("MaxPool, VALID", [node("MaxPool", "x", "v", { ...pool, padding: "VALID" })]),
  of("AvgPool, SAME", [node("AvgPool", "x", "v", { ...pool, padding: "SAME" })], {}, forward),
  of("AvgPool, VALID", [node("AvgPool", "x", "v", { ...pool, padding: "VALID" })]),
  of("Pad", [node("Pad", "x p", "v")], { p: { ...ints(0, 0, 1, 2, 0, 1, 0, 0), shape: [4, 2] } }),
  of("PadV2", [node("PadV2", "x p c", "v")], { p: { ...ints(0, 0, 1, 2, 0, 1, 0, 0), shape: [4, 2] }, c: numbers([], 0.5) }),
  of(
    "MirrorPad",
    [node("MirrorPad", "x p", "v", { mode: "REFLECT" })],
    { p: { ...ints(0, 0, 1, 2, 2, 1, 0, 0), shape: [4, 2] } },
    {
      ...forward,
    },
  ),
  of(
    "MirrorPad, SYMMETRIC",
    [node("MirrorPad", "x p", "v", { mode: "SYMMETRIC" })],
    { p: { ...ints(0, 0, 1, 2, 2, 3, 0, 0), shape: [4, 2] } },
    forward,
  ),
  of(
    "MirrorPad, SYMMETRIC, channels",
    [node("MirrorPad", "x p", "v", { mode: "SYMMETRIC" })],
    { p: { ...ints(0, 0, 0, 0, 1, 0, 2, 3), shape: [4, 2] } },
    forward,
  ),
  ...[{}, { align_corners: true }, { half_pixel_centers: true }].map((attr) =>
    of(`ResizeBilinear ${Object.keys(attr)}`, [node("ResizeBilinear", "x size", "v", attr)], { size: ints(8, 9) }, forward),
  ),
  ...[{}, { align_corners: true }].map((attr) =>
    of(`ResizeNearestNeighbor ${Object.keys(attr)}`, [node("ResizeNearestNeighbor", "x size", "v", attr)], { size: ints(8, 9) }, forward),
  ),
  of("LRN", [node("LRN", "x", "v", { depth_radius: 1, bias: number(1), alpha: number(0.1), beta: number(0.5) })]),
  of("DepthToSpace", [node("DepthToSpace", "x", "v", { block_size: 2, data_format: "NHWC" })], {}, { input: [-1, 2, 3, 8], ...forward }),
];

const rearranged: readonly Case[] = [
  of("Transpose", [node("Transpose", "x order", "v")], { order: ints(0, 3, 2, 1) }),
  of(
    "Squeeze and ExpandDims",
    [node("Slice", "x begin size", "s"), node("Squeeze", "s", "q", { squeeze_dims: [1] }), node("ExpandDims", "q last", "v")],
    { begin: ints(0, 1, 0, 0), size: ints(-1, 1, -1, 2), last: int(-1) },
  ),
  of("ConcatV2", [node("Relu", "x", "r"), node("Neg", "x", "n"), node("ConcatV2", "r n axis", "v", { N: 2 })], { axis: int(-1) }),
  of("Concat", [node("Tanh", "x", "t"), node("Concat", "axis t x", "v", { N: 2 })], { axis: int(2) }),
  of("Pack", [node("Relu", "x", "r"), node("Pack", "r x", "v", { axis: 1 })]),
  of("Split", [node("Split", "axis x", "s", { num_split: 3 }), node("Sub", "s:2 s:0", "v")], { axis: int(3) }),
  of("SplitV", [node("SplitV", "x sizes axis", "s", { num_split: 3 }), node("Tanh", "s:1", "v")], { sizes: ints(1, 1, 2), axis: int(2) }),
  of("Unpack", [node("Unpack", "x", "u", { axis: 2, num: 4 }), node("Mul", "u u:3", "v")]),
  of("BatchMatMul", [node("BatchMatMul", "x w", "m"), node("BatchMatMulV2", "m u", "v")], { w: some(3, 4), u: some(4, 2) }),
  of(
    "BatchMatMul, transposed",
    [
      node("BatchMatMul", "x x", "m", { adj_x: true, adj_y: false }),
      node("BatchMatMulV2", "m w", "n", { adj_y: true }),
      node("BatchMatMulV2", "n u", "v", { adj_x: true, adj_y: true }),
    ],
    { w: some(2, 3), u: some(4, 3) },
  ),
  of("GatherV2", [node("GatherV2", "x places axis", "v")], { places: ints(2, 0), axis: int(3) }),
  of(
    "StridedSlice, open",
    [node("StridedSlice", "x b e s", "v", { begin_mask: 9, end_mask: 9 })],
    {
      b: ints(0, 1, 4, 0),
      e: ints(0, 4, 1, 0),
      s: ints(1, 2, -1, 1),
    },
    forward,
  ),
  of(
    "StridedSlice, ellipsis and dropped axis",
    [node("StridedSlice", "x b e s", "v", { ellipsis_mask: 1, shrink_axis_mask: 2 })],
    {
      b: ints(0, -2),
      e: ints(0, -1),
      s: ints(1, 1),
    },
    forward,
  ),
  of(
    "StridedSlice, new axis",
    [node("StridedSlice", "x b e s", "v", { begin_mask: 1, end_mask: 1, new_axis_mask: 2, ellipsis_mask: 4 })],
    {
      b: ints(0, 0, 0),
      e: ints(0, 0, 0),
      s: ints(1, 1, 1),
    },
    forward,
  ),
  of(
    "channels shuffled",
    [node("Reshape", "x g", "r"), node("Transpose", "r order", "t"), node("Reshape", "t back", "v")],
    {
      g: ints(-1, 3, 2, 2, 3),
      order: ints(0, 1, 2, 4, 3),
      back: ints(-1, 3, 2, 6),
    },
    { input: [-1, 3, 2, 6] },
  ),
];

/** Sizes and constants that are computed from the shape of a value: [5,4,3] for an image. */
const arithmetic: readonly Case[] = [
  of(
    "sizes",
    [
      node("Shape", "x", "all"),
      node("Gather", "all behind", "sides"),
      node("Prod", "sides axis", "sixty"),
      node("Rank", "x", "rank"),
      node("Size", "sides", "three"),
      node("FloorDiv", "sixty rank", "fifteen"),
      node("FloorMod", "sixty seven", "rest4"),
      node("Div", "sixty three", "twenty"),
      node("Equal", "rest4 rank", "yes"),
      node("SelectV2", "yes fifteen twenty", "side"),
      node("Pack", "rest side rest4", "sizes", { axis: 0 }),
      node("Reshape", "x sizes", "r"),
      node("Range", "begin rest4 step", "places"),
      node("GatherV2", "r places last", "v"),
    ],
    { behind: ints(1, 2, 3), axis: int(0), seven: int(7), begin: int(0), step: int(2), last: int(2) },
  ),
  of(
    "constants",
    [
      node("Fill", "two half", "halves"),
      node("Tile", "pair two1", "twice"),
      node("BroadcastTo", "twice wide", "rows"),
      node("Less", "twice halves4", "a"),
      node("Greater", "twice halves4", "b"),
      node("LessEqual", "twice halves4", "c"),
      node("GreaterEqual", "twice halves4", "d"),
      node("LogicalOr", "a b", "e"),
      node("LogicalAnd", "c d", "f"),
      node("LogicalNot", "f", "g"),
      node("NotEqual", "twice halves4", "h"),
      node("LogicalAnd", "g h", "i"),
      node("LogicalAnd", "i e", "k"),
      node("Select", "k twice halves4", "chosen"),
      node("Tile", "halves two1", "halves4"),
      node("Mul", "x4 rows", "m"),
      node("Mul", "m chosen", "v"),
      node("Transpose", "x order", "x4"),
    ],
    {
      two: ints(2),
      half: numbers([], 0.5),
      pair: numbers([2], 0.5, 3),
      two1: ints(2),
      wide: ints(3, 4),
      order: ints(0, 1, 3, 2),
    },
  ),
];

const reductions: readonly Case[] = [
  of("Mean of an image", [node("Mean", "x axes", "v")], { axes: ints(1, 2) }),
  of("Mean of an image, axes kept", [node("Mean", "x axes", "m", { keep_dims: true }), node("Mul", "x m", "v")], { axes: ints(1, 2) }),
  ...["Sum", "Max", "Min"].map((op) => of(op, [node(op, "x axes", "v")], { axes: ints(-1) })),
];

const pair = (op: string): Case => of(op, [node("Tanh", "x", "t"), node(op, "x t", "v")]);
const elementwise: readonly Case[] = [
  ...["Add", "AddV2", "Sub", "Mul", "Maximum", "Minimum", "SquaredDifference"].map(pair),
  of("AddN", [node("Tanh", "x", "t"), node("AddN", "x t t", "v", { N: 3 })]),
  of("RealDiv", [node("Exp", "x", "t"), node("RealDiv", "x t", "v")]),
  of("RealDiv by a constant", [node("RealDiv", "x c", "v")], { c: positive(3) }),
  of("AddV2 with a constant", [node("AddV2", "c x", "v")], { c: some(1, 1, 3) }),
  of("Pow", [node("Exp", "x", "t"), node("Pow", "t c", "v")], { c: numbers([], 1.5) }),
  of("Sqrt and Rsqrt", [node("Exp", "x", "t"), node("Sqrt", "t", "q"), node("Rsqrt", "q", "v")]),
  ...["Square", "Exp", "Relu", "Relu6", "Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Softmax", "LogSoftmax", "Erf", "Neg", "Abs"].map(
    (op) => alone(op),
  ),
  of("Relu6 above 6", [node("Mul", "x c", "m"), node("Relu6", "m", "v")], { c: numbers([], 5) }),
  ...["Reciprocal", "Sin", "Cos", "Sign", "Floor", "Ceil", "Round"].map((op) => alone(op)),
  of("Log", [node("Exp", "x", "e"), node("Log", "e", "v")]),
  alone("LeakyRelu", { alpha: number(0.2) }),
  of("Prelu", [node("Prelu", "x slope", "v")], { slope: some(1, 1, 3) }),
  of(
    "a hard swish in parts",
    [node("AddV2", "x three", "a"), node("Relu6", "a", "r"), node("Mul", "x r", "m"), node("Mul", "m sixth", "v")],
    { three: numbers([], 3), sixth: numbers([], Math.fround(1 / 6)) },
  ),
  of("ClipByValue", [node("ClipByValue", "x low high", "v")], { low: numbers([], -0.5), high: numbers([], 1) }),
  of("IdentityN and Snapshot", [node("IdentityN", "x c", "i"), node("Snapshot", "i:1", "s"), node("Mul", "i s", "v")], { c: some(3) }),
  of("Identity and Cast", [node("Identity", "x", "i"), node("Cast", "i", "v", { SrcT: { type: "DT_FLOAT" }, DstT: { type: "DT_FLOAT" } })]),
  of("StopGradient", [node("StopGradient", "x", "s"), node("Mul", "s c", "v")], { c: some(3) }, forward),
];

export const cases: readonly Case[] = [
  ...convolutions,
  ...fused,
  ...products,
  ...images,
  ...rearranged,
  ...arithmetic,
  ...reductions,
  ...elementwise,
];
