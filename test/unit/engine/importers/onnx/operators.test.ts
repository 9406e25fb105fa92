import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { runNetwork } from "../../../../../src/engine/classifier/graph.ts";
import { tf } from "../../../../../src/engine/tf.ts";
import { channelsFirst, float, floats, imported, ints, type NodeSpec, node, numbers, onnx, type Spec, type Tensor } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const kernel = numbers([1, 1, 2, 2], 1, 2, 3, -1);
/** 1×1 pixels with so many channels: a list of numbers. */
const line = (...values: number[]) => ({ x: values, shape: [1, values.length, 1, 1] as const });
const grid = (values: readonly number[], side: number) => ({ x: values, shape: [1, 1, side, side] as const });
interface Case {
  readonly name: string;
  readonly nodes: readonly NodeSpec[];
  readonly with?: Readonly<Record<string, Tensor>>;
  readonly given: { readonly x: readonly number[]; readonly shape: readonly [number, number, number, number] };
  readonly gives: readonly number[];
  readonly opset?: number;
}
/** The nodes lead from x to v, which is made a list of scores. */
const specOf = ({ nodes, with: initializers = {}, given, opset }: Case): Spec => {
  const isFour = given.shape.join() === "1,4,1,1"; // an input of four channels would be taken for RGBA
  const renamed = nodes.map((n) => ({ ...n, inputs: n.inputs.map((name) => (isFour && name === "x" ? "x4" : name)) }));
  return {
    nodes: [...(isFour ? [node("Reshape", "x s4", "x4")] : []), ...renamed, node("Flatten", "v", "y")],
    initializers: { ...initializers, ...(isFour ? { s4: ints(-1, 4, 1, 1) } : {}) },
    input: ["b", ...(isFour ? [1, 2, 2] : given.shape.slice(1))],
    ...(opset ? { opset } : {}),
  };
};
/** Pictures of a case in the order in which its network takes them. */
const given = ({ given: { x, shape } }: Case): tf.Tensor => channelsFirst(x, shape.join() === "1,4,1,1" ? [1, 1, 2, 2] : shape);
const layout = { input: { layout: "nchw" as const } };
const conv = (attributes: NodeSpec["attributes"]) => [node("Conv", "x k", "v", attributes)];
const one = (op: string, attributes: NodeSpec["attributes"] = {}, inputs = "x") => [node(op, inputs, "v", attributes)];
const x3 = grid(nine, 3);
const four = grid([...Array(16).keys()], 4);
/** Of 2×2 pixels: 1 2 / 3 4. */
const two = grid([1, 2, 3, 4], 2);

const cases: readonly Case[] = [
  { name: "Conv, pads [t,l,b,r]", nodes: conv({ pads: [1, 0, 0, 1] }), with: { k: kernel }, given: x3, gives: [1, 3, 9, 12, 17, 21, 27, 32, 33] },
  { name: "Conv SAME_UPPER", nodes: conv({ auto_pad: "SAME_UPPER" }), with: { k: kernel }, given: x3, gives: [12, 17, 21, 27, 32, 33, 23, 26, 9] },
  { name: "Conv SAME_LOWER", nodes: conv({ auto_pad: "SAME_LOWER" }), with: { k: kernel }, given: x3, gives: [-1, 1, 3, -2, 12, 17, 1, 27, 32] },
  { name: "Conv SAME_UPPER, stride 2", nodes: conv({ auto_pad: "SAME_UPPER", strides: [2, 2] }), with: { k: kernel }, given: x3, gives: [12, 21, 23, 9] },
  { name: "Conv, dilation 2", nodes: conv({ dilations: [2, 2] }), with: { k: kernel }, given: x3, gives: [19] },
  {
    name: "Conv of two channels on their own",
    nodes: conv({ group: 2 }),
    with: { k: numbers([2, 1, 1, 1], 2, -1) },
    given: { x: [1, 2, 3, 4, 5, 6, 7, 8], shape: [1, 2, 2, 2] },
    gives: [2, 4, 6, 8, -5, -6, -7, -8],
  },
  { name: "Conv in two groups", nodes: conv({ group: 2 }), with: { k: numbers([2, 2, 1, 1], 1, 2, 3, 4) }, given: line(1, 2, 3, 4), gives: [5, 25] },
  { name: "Conv, depthwise with two each", nodes: conv({ group: 2 }), with: { k: numbers([4, 1, 1, 1], 1, 2, 3, 4) }, given: line(3, 5), gives: [3, 6, 15, 20] },
  { name: "MaxPool, ceil", nodes: one("MaxPool", { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }), given: x3, gives: [5, 6, 8, 9] },
  {
    name: "MaxPool, pads and ceil",
    nodes: one("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
    given: four,
    gives: [5, 7, 7, 13, 15, 15, 13, 15, 15],
  },
  { name: "MaxPool k1 s2 ceil", nodes: one("MaxPool", { kernel_shape: [1, 1], strides: [2, 2], ceil_mode: 1 }), given: x3, gives: [1, 3, 7, 9] },
  { name: "MaxPool k2 s3 ceil", nodes: one("MaxPool", { kernel_shape: [2, 2], strides: [3, 3], ceil_mode: 1 }), given: four, gives: [5, 7, 13, 15] },
  {
    name: "MaxPool SAME of negative numbers",
    nodes: one("MaxPool", { kernel_shape: [2, 2], strides: [2, 2], auto_pad: "SAME_UPPER" }),
    given: grid(nine.map((v) => -v), 3),
    gives: [-1, -3, -7, -9],
  },
  {
    name: "AveragePool that counts the padding",
    nodes: one("AveragePool", { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1], count_include_pad: 1 }),
    given: x3,
    gives: [0.25, 1.25, 2.75, 7],
  },
  { name: "AveragePool that does not", nodes: one("AveragePool", { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 1, 1, 1] }), given: x3, gives: [1, 2.5, 5.5, 7] },
  { name: "AveragePool, ceil", nodes: one("AveragePool", { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }), given: x3, gives: [3, 4.5, 7.5, 9] },
  {
    name: "AveragePool, ceil, counting",
    nodes: one("AveragePool", { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1, count_include_pad: 1 }),
    given: x3,
    gives: [3, 4.5, 7.5, 9],
    opset: 19,
  },
  {
    name: "BatchNormalization",
    nodes: one("BatchNormalization", { epsilon: float(1e-5) }, "x g b m v0"),
    with: { g: numbers([2], 2, 1), b: numbers([2], 1, 0), m: numbers([2], 3, 0), v0: numbers([2], 4, 1) },
    given: line(5, 0),
    gives: [2.9999975, 0],
  },
  { name: "Softmax of opset 11", nodes: one("Softmax"), given: { x: [1, 2, 3, 0], shape: [1, 2, 2, 1] }, gives: [0.087144, 0.236883, 0.643914, 0.032059], opset: 11 },
  { name: "Softmax of opset 13, axis −2", nodes: one("Softmax", { axis: -2 }), given: { x: [1, 2, 3, 0], shape: [1, 2, 2, 1] }, gives: [0.268941, 0.731059, 0.952574, 0.047426] },
  { name: "Softmax of opset 13, axis 1", nodes: one("Softmax", { axis: 1 }), given: { x: [1, 2, 3, 0], shape: [1, 2, 2, 1] }, gives: [0.119203, 0.880797, 0.880797, 0.119203] },
  { name: "Clip of opset 6", nodes: one("Clip", { min: float(0), max: float(6) }), given: line(-1, 3, 7), gives: [0, 3, 6], opset: 9 },
  { name: "Clip without a lower limit", nodes: one("Clip", {}, "x _ hi"), with: { hi: numbers([], 6) }, given: line(-1, 3, 7), gives: [-1, 3, 6] },
  { name: "Clip with crossed limits", nodes: one("Clip", {}, "x lo hi"), with: { lo: numbers([], 5), hi: numbers([], 2) }, given: line(-1, 3, 7), gives: [2, 2, 2] },
  {
    name: "channel shuffle, two groups",
    nodes: [node("Reshape", "x s", "r"), node("Transpose", "r", "t", { perm: [0, 2, 1, 3, 4] }), node("Reshape", "t u", "v")],
    with: { s: ints(0, 2, 3, 1, 1), u: ints(-1, 6, 1, 1) },
    given: line(0, 1, 2, 3, 4, 5),
    gives: [0, 3, 1, 4, 2, 5],
  },
  {
    name: "channel shuffle, three groups",
    nodes: [node("Reshape", "x s", "r"), node("Transpose", "r", "t", { perm: [0, 2, 1, 3, 4] }), node("Reshape", "t u", "v")],
    with: { s: ints(0, 3, 2, 1, 1), u: ints(-1, 6, 1, 1) },
    given: line(0, 1, 2, 3, 4, 5),
    gives: [0, 2, 4, 1, 3, 5],
  },
  {
    name: "LayerNormalization",
    nodes: [node("Reshape", "x s", "r"), node("LayerNormalization", "r g", "v")],
    with: { s: ints(-1, 4), g: numbers([4], 1, 1, 1, 1) },
    given: line(1, 2, 3, 4),
    gives: [-1.341635, -0.447212, 0.447212, 1.341635],
    opset: 17,
  },
  {
    name: "LayerNormalization of nine operators",
    nodes: [
      node("Reshape", "x s", "r"),
      node("ReduceMean", "r", "m", { axes: [-1] }),
      node("Sub", "r m", "d"),
      node("Pow", "d two", "q"),
      node("ReduceMean", "q", "q1", { axes: [-1] }),
      node("Add", "q1 e", "q2"),
      node("Sqrt", "q2", "q3"),
      node("Div", "d q3", "n"),
      node("Mul", "n g", "n1"),
      node("Add", "n1 b", "v"),
    ],
    with: { s: ints(-1, 4), two: numbers([], 2), e: numbers([], 1e-5), g: numbers([4], 2, 2, 2, 2), b: numbers([4], 1, 1, 1, 1) },
    given: line(1, 2, 3, 4),
    gives: [-1.68327, 0.105576, 1.894424, 3.68327],
  },
  {
    name: "GELU of five operators",
    nodes: [node("Div", "x r2", "d"), node("Erf", "d", "e"), node("Add", "e one", "f"), node("Mul", "x f", "g"), node("Mul", "g half", "v")],
    with: { r2: numbers([], Math.SQRT2), one: numbers([], 1), half: numbers([], 0.5) },
    given: line(-1, 1, 2),
    gives: [-0.158655, 0.841345, 1.9545],
  },
  { name: "Gelu", nodes: one("Gelu"), given: line(-1, 1, 2), gives: [-0.158655, 0.841345, 1.9545], opset: 20 },
  { name: "Gelu, tanh", nodes: one("Gelu", { approximate: "tanh" }), given: line(-1, 1, 2), gives: [-0.158808, 0.841192, 1.954598], opset: 20 },
  { name: "HardSigmoid", nodes: one("HardSigmoid"), given: line(-4, -1, 0, 1, 4), gives: [0, 0.3, 0.5, 0.7, 1] },
  { name: "HardSigmoid of torch", nodes: one("HardSigmoid", { alpha: float(1 / 6) }), given: line(-4, -1, 0, 1, 4), gives: [0, 1 / 3, 0.5, 2 / 3, 1] },
  { name: "HardSwish", nodes: one("HardSwish"), given: line(-4, -1, 0, 1, 4), gives: [0, -1 / 3, 0, 2 / 3, 4], opset: 14 },
  {
    name: "HardSwish of four operators",
    nodes: [node("Add", "x three", "a"), node("Clip", "a zero six", "c"), node("Div", "c six", "d"), node("Mul", "x d", "v")],
    with: { three: numbers([], 3), zero: numbers([], 0), six: numbers([], 6) },
    given: line(-4, -1, 0, 1, 4),
    gives: [0, -1 / 3, 0, 2 / 3, 4],
  },
  { name: "LRN", nodes: one("LRN", { size: 3, alpha: float(0.3), beta: float(0.5), bias: float(1) }), given: line(1, 2, 3), gives: [0.816497, 1.290994, 1.978141] },
  {
    name: "Resize, linear, half pixel",
    nodes: [...one("Resize", { mode: "linear" }, "x _ sc").map((n) => ({ ...n, outputs: ["r"] })), node("Slice", "r z o a", "v")],
    with: { sc: numbers([4], 1, 1, 2, 2), z: ints(0), o: ints(1), a: ints(2) },
    given: two,
    gives: [1, 1.25, 1.75, 2],
  },
  {
    name: "Resize, linear, align corners",
    nodes: [
      node("Resize", "x _ sc", "r", { mode: "linear", coordinate_transformation_mode: "align_corners" }),
      node("Slice", "r z o a", "v"),
    ],
    with: { sc: numbers([4], 1, 1, 2, 2), z: ints(0), o: ints(1), a: ints(2) },
    given: two,
    gives: [1, 4 / 3, 5 / 3, 2],
  },
  {
    name: "Resize, linear, asymmetric",
    nodes: [node("Resize", "x _ sc", "r", { mode: "linear", coordinate_transformation_mode: "asymmetric" }), node("Slice", "r z o a", "v")],
    with: { sc: numbers([4], 1, 1, 2, 2), z: ints(0), o: ints(1), a: ints(2) },
    given: two,
    gives: [1, 1.5, 2, 2],
  },
  {
    name: "Resize, nearest, 2 to 3",
    nodes: one("Resize", { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }, "x _ _ sz"),
    with: { sz: ints(1, 1, 3, 3) },
    given: two,
    gives: [1, 1, 2, 1, 1, 2, 3, 3, 4],
  },
  {
    name: "Pad, reflect",
    nodes: [node("Pad", "x p", "r", { mode: "reflect" }), node("Slice", "r z o a", "v")],
    with: { p: ints(0, 0, 1, 1, 0, 0, 1, 1), z: ints(0), o: ints(1), a: ints(2) },
    given: x3,
    gives: [5, 4, 5, 6, 5],
  },
  { name: "Pad that cuts", nodes: one("Pad", {}, "x p"), with: { p: ints(0, 0, -1, 0, 0, 0, 0, -1) }, given: x3, gives: [4, 5, 7, 8] },
  {
    name: "Slice backwards",
    nodes: one("Slice", {}, "x s e a t"),
    with: { s: ints(-1), e: ints(-11), a: ints(1), t: ints(-2) },
    given: line(...Array(10).keys()),
    gives: [9, 7, 5, 3, 1],
  },
  {
    name: "Slice to the end",
    nodes: one("Slice", {}, "x s e a"),
    with: { s: ints(7), e: { shape: [1], data: [2 ** 63 - 1024], type: "int64" }, a: ints(1) },
    given: line(...Array(10).keys()),
    gives: [7, 8, 9],
  },
  { name: "ReduceMean", nodes: one("ReduceMean", { axes: [2, 3], keepdims: 0 }), given: { x: [...nine, ...nine], shape: [1, 2, 3, 3] }, gives: [5, 5] },
  { name: "ReduceSum of opset 11", nodes: one("ReduceSum", { axes: [2, 3] }), given: x3, gives: [45], opset: 11 },
  { name: "ReduceSum of opset 13", nodes: one("ReduceSum", {}, "x a"), with: { a: ints(2, 3) }, given: x3, gives: [45] },
  { name: "Gather of the first", nodes: one("Gather", { axis: 1 }, "x i"), with: { i: { shape: [], data: [0], type: "int64" } }, given: { x: [1, 2, 3, 4, 5, 6], shape: [1, 3, 2, 1] }, gives: [1, 2] },
  { name: "Gather of the last", nodes: one("Gather", { axis: 1 }, "x i"), with: { i: { shape: [], data: [-1], type: "int64" } }, given: { x: [1, 2, 3, 4, 5, 6], shape: [1, 3, 2, 1] }, gives: [5, 6] },
  { name: "Gather of several", nodes: one("Gather", { axis: 1 }, "x i"), with: { i: ints(2, 0, 2) }, given: line(5, 6, 7), gives: [7, 5, 7] },
  {
    name: "Gemm, transposed, with α and β",
    nodes: [node("Flatten", "x", "f"), node("Gemm", "f w c", "v", { transB: 1, alpha: float(2), beta: float(0.5) })],
    with: { w: numbers([2, 2], 3, 4, 5, 6), c: numbers([2], 10, 20) },
    given: line(1, 2),
    gives: [27, 44],
  },
  {
    name: "Gemm on what was flattened",
    nodes: [node("Flatten", "x", "f"), node("Gemm", "f w", "v")],
    with: { w: numbers([4, 2], 1, 1, 10, 0, 100, 0, 1000, 0) },
    given: { x: [0, 1, 2, 3], shape: [1, 2, 1, 2] },
    gives: [3210, 0],
  },
  {
    name: "attention",
    nodes: [
      node("Reshape", "x s", "q"),
      node("Transpose", "q", "k", { perm: [0, 2, 1] }),
      node("MatMul", "q k", "p"),
      node("Div", "p r", "d"),
      node("Softmax", "d", "w", { axis: -1 }),
      node("MatMul", "w q", "v"),
    ],
    with: { s: ints(-1, 2, 2), r: numbers([], Math.SQRT2) },
    given: { x: [1, 0, 0, 2], shape: [1, 1, 2, 2] },
    gives: [0.6698, 0.6605, 0.0558, 1.8884],
  },
  { name: "DepthToSpace", nodes: one("DepthToSpace", { blocksize: 2 }), given: line(1, 2, 3, 4), gives: [1, 2, 3, 4] },
  { name: "PRelu of each channel", nodes: one("PRelu", {}, "x a"), with: { a: numbers([2, 1, 1], 0.1, 0.5) }, given: line(-1, -2), gives: [-0.1, -1] },
  { name: "LeakyRelu", nodes: one("LeakyRelu"), given: line(-1, 2), gives: [-0.01, 2] },
  { name: "a constant minus x, over a constant", nodes: [node("Sub", "c x", "d"), node("Div", "d e", "v")], with: { c: numbers([2, 1, 1], 1, 2), e: numbers([], 4) }, given: line(5, 6), gives: [-1, -1] },
  { name: "Split", nodes: [node("Split", "x", "a b", { axis: 1 }), node("Sub", "a b", "v")], given: line(1, 2, 10, 30), gives: [-9, -28] },
  { name: "Where", nodes: one("Where", {}, "c x z"), with: { c: { shape: [1, 3, 1, 1], data: [1, 0, 1], type: "bool" }, z: numbers([], -9) }, given: line(1, 2, 3), gives: [1, -9, 3] },
  {
    name: "InstanceNormalization",
    nodes: one("InstanceNormalization", { epsilon: float(1e-5) }, "x g b"),
    with: { g: numbers([1], 2), b: numbers([1], 1) },
    given: two,
    gives: [1 - 2 * 1.341641, 1 - 2 * 0.447214, 1 + 2 * 0.447214, 1 + 2 * 1.341641],
  },
  { name: "value_floats of a Constant", nodes: [node("Constant", "", "c", { value_floats: floats(1, 2) }), node("Flatten", "x", "f"), node("Mul", "f c", "v")], given: line(3, 4), gives: [3, 8], opset: 13 },
];

describe("operators of ONNX", () => {
  for (const one of cases)
    it(one.name, async () => {
      const spec = specOf(one);
      const nodes = spec.nodes.map((n) => ({ ...n, inputs: n.inputs.filter((name, i) => name !== "" || i > 0) }));
      const { network, run } = await imported(onnx({ ...spec, nodes }), folder, layout);
      const found = run(given(one));
      expect(found).toHaveLength(one.gives.length);
      found.forEach((value, i) => {
        expect(value).toBeCloseTo(one.gives[i] as number, 4);
      });
      network.dispose();
    });
});

/** Of the sum of all outputs. */
async function gradient(spec: Spec, x: readonly number[], shape: readonly [number, number, number, number]): Promise<number[]> {
  const { network } = await imported(onnx(spec), folder, layout);
  const given = channelsFirst(x, shape);
  const found = tf.tidy(() => [...tf.transpose(tf.grad((v) => tf.sum(runNetwork(network, v)))(given), [0, 3, 1, 2]).dataSync()]);
  network.dispose();
  given.dispose();
  return found;
}

describe("gradients", () => {
  it("of a dilated convolution", async () => {
    const spec = specOf({ name: "", nodes: conv({ dilations: [2, 2] }), with: { k: kernel }, given: x3, gives: [] });
    expect(await gradient(spec, nine, [1, 1, 3, 3])).toEqual([1, 0, 2, 0, 0, 0, 3, 0, -1]);
  });

  it("of mirrored pixels", async () => {
    const spec = specOf({ name: "", nodes: one("Pad", { mode: "reflect" }, "x p"), with: { p: ints(0, 0, 1, 1, 0, 0, 1, 1) }, given: x3, gives: [] });
    expect(await gradient(spec, nine, [1, 1, 3, 3])).toEqual([1, 3, 1, 3, 9, 3, 1, 3, 1]);
  });

  it("of GELU", async () => {
    const spec = specOf({ name: "", nodes: one("Gelu"), given: line(1, 0), gives: [], opset: 20 });
    const [at1 = 0, at0] = await gradient(spec, [1, 0], [1, 2, 1, 1]);
    expect(at1).toBeCloseTo(1.083316, 5); // Φ(1) + φ(1)
    expect(at0).toBeCloseTo(0.5, 6);
  });
});

describe("Reshape", () => {
  const shaped = (target: Tensor, attributes: NodeSpec["attributes"] = {}, opset = 14): Spec => ({
    nodes: [node("Reshape", "x s", "v", attributes), node("Flatten", "v", "y")],
    initializers: { s: target },
    input: ["b", 3, 4, 1],
    opset,
  });
  it("copies sizes for 0 and takes what is left for −1", async () => {
    for (const target of [ints(0, -1), ints(0, 0, -1), ints(-1, 2, 6)]) {
      const { network } = await imported(onnx(shaped(target)), folder, layout);
      expect(network.outputs[0]?.shape).toEqual([null, 12]);
      network.dispose();
    }
  });

  it("is refused for sizes that are none", async () => {
    await expect(imported(onnx(shaped(ints(2, 0, 6), { allowzero: 1 })), folder, layout)).rejects.toMatchObject({ code: "MODEL_INVALID" });
    await expect(imported(onnx(shaped(ints(-1, -1))), folder, layout)).rejects.toMatchObject({ code: "MODEL_INVALID" });
    await expect(imported(onnx(shaped(ints(0, 5))), folder, layout)).rejects.toMatchObject({ code: "MODEL_INVALID" });
  });

  it("is refused where a Slice takes steps of 0", async () => {
    const spec = specOf({ name: "", nodes: one("Slice", {}, "x s e a t"), with: { s: ints(0), e: ints(2), a: ints(1), t: ints(0) }, given: line(1, 2, 3), gives: [] });
    await expect(imported(onnx(spec), folder, layout)).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining("steps of 0") });
  });
});
