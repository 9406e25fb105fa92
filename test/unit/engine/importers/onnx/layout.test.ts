import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { analyse, batch } from "../../../../../src/engine/importers/onnx/analysis.ts";
import type { Attribute } from "../../../../../src/engine/importers/onnx/file/model.ts";
import type { Node, OpGraph } from "../../../../../src/engine/importers/onnx/graph.ts";
import { reshaped, type Stored } from "../../../../../src/engine/importers/onnx/layout.ts";
import { loweredTo } from "../../../../../src/engine/importers/onnx/lowered.ts";
import type { Constant } from "../../../../../src/engine/importers/onnx/values.ts";
import { refTo } from "../../../../../src/engine/importers/topology/graph.ts";
import { createRandom } from "../../../../../src/engine/random.ts";
import { tf } from "../../../../../src/engine/tf.ts";
import { type Imported, imported, ints, type NodeSpec, node, numbers, onnx, type Spec, type Tensor } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-layout-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const stored = (sizes: readonly number[], axes: readonly (readonly number[])[]): Stored => ({
  ref: refTo("x"),
  physical: sizes,
  sizes,
  axes,
});
const image = stored([batch, 4, 4, 6], [[0], [3], [1], [2]]);
const transposed = (v: Stored, order: readonly number[]): Stored => ({ ...v, axes: order.map((axis) => v.axes[axis] ?? []) });

describe("axes as lists of stored factors", () => {
  it("of a channel shuffle: nothing is moved before the next convolution", () => {
    const groups = reshaped(image, [batch, 2, 3, 4, 4]) as Stored;
    expect(groups.sizes).toEqual([batch, 4, 4, 2, 3]);
    expect(groups.axes).toEqual([[0], [3], [4], [1], [2]]);
    const swapped = transposed(groups, [0, 2, 1, 3, 4]);
    expect(swapped.axes).toEqual([[0], [4], [3], [1], [2]]);
    expect(reshaped(swapped, [batch, 6, 4, 4])?.axes).toEqual([[0], [4, 3], [1], [2]]);
  });

  it("of the patches of a transformer: the last axis stays the last", () => {
    const patches = reshaped(stored([batch, 14, 14, 768], [[0], [3], [1], [2]]), [batch, 768, 196]) as Stored;
    expect(patches.axes).toEqual([[0], [3], [1, 2]]);
    expect(transposed(patches, [0, 2, 1]).axes).toEqual([[0], [1, 2], [3]]);
  });

  it("of heads that are counted with the pictures: the batch stays a factor of its own, and the first", () => {
    const heads = reshaped(stored([batch, 17, 16], [[1], [0], [2]]), [17, 2 * batch, 8]) as Stored;
    expect(heads.sizes).toEqual([batch, 17, 2, 8]);
    expect(heads.axes).toEqual([[1], [0, 2], [3]]);
  });

  it("cannot be cut where sizes do not divide each other", () => {
    expect(reshaped(stored([batch, 6, 2], [[0], [1], [2]]), [batch, 4, 3])).toBeUndefined();
  });
});

const op = (
  name: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, Partial<Attribute>>> = {},
): Node => ({
  name: output,
  title: output,
  op: name,
  domain: "",
  opset: 13,
  inputs,
  outputs: [output],
  attributes: new Map(Object.entries(attributes).map(([key, value]) => [key, { name: key, ...value }])),
});
const graphOf = (nodes: readonly Node[], output: string): OpGraph => ({
  file: "net.onnx",
  nodes,
  initializers: new Map(),
  input: { name: "x", type: 1, shape: [null, 3, 2, 2] },
  output,
  own: new Set(nodes.flatMap(({ outputs }) => outputs)),
});

it("a Transpose orders the lists, and moves nothing", () => {
  const nodes = [
    op("Transpose", ["x"], "last", { perm: { ints: [0, 2, 3, 1] } }),
    op("Transpose", ["last"], "first", { perm: { ints: [0, 3, 1, 2] } }),
    op("ReduceMean", ["first"], "y", { axes: { ints: [2, 3] }, keepdims: { int: 0 } }),
  ];
  const pictures = { isChannelsFirst: true, sizes: [1, 3, 2, 2], fixedCount: null, isBytes: false, type: 1 };
  const { stored, plan } = loweredTo(graphOf(nodes, "y"), pictures, "net");
  expect(stored.get("last")?.axes).toEqual([[0], [1], [2], [3]]);
  expect(stored.get("first")?.axes).toEqual([[0], [3], [1], [2]]);
  expect(plan.moves).toEqual([]);
});

it("sizes are computed for two batch sizes, 7 and 11: 448 and 704 are 64 for each picture", () => {
  const nodes = [
    op("Shape", ["x"], "sizes"),
    op("Constant", [], "zero", { value_ints: { ints: [0] } }),
    op("Constant", [], "many", { value_int: { int: 64 } }),
    op("Gather", ["sizes", "zero"], "count"),
    op("Mul", ["count", "many"], "all"),
    op("ConstantOfShape", ["all"], "ones"),
  ];
  const found = analyse(graphOf(nodes, "ones"), [1, 3, 2, 2], null);
  expect((found.exampleOf("count") as Constant).data).toEqual(Float64Array.of(7));
  expect((found.exampleOf("all") as Constant).data).toEqual(Float64Array.of(448));
  expect(found.shapeOf("ones")).toEqual([64 * batch]);
});

const random = createRandom("weights");
const weights = (...shape: number[]): Tensor =>
  numbers(
    shape,
    ...random.uniforms(
      shape.reduce((a, b) => a * b, 1),
      -0.5,
      0.5,
    ),
  );

/** Convolutions with batch normalisation around a shortcut, as in a ResNet of torchvision in training form. */
function residual(): Spec {
  const conv = (from: string, to: string, k: string, stride = 1): NodeSpec[] => [
    node("Conv", `${from} ${k}`, `${to}_c`, { pads: [1, 1, 1, 1], strides: [stride, stride] }),
    node("BatchNormalization", `${to}_c g g g v`, to),
  ];
  return {
    nodes: [
      ...conv("x", "a", "k0", 2),
      node("Relu", "a", "r"),
      node("MaxPool", "r", "p", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
      ...conv("p", "b", "k1"),
      node("Relu", "b", "b1"),
      ...conv("b1", "c", "k1"),
      node("Add", "c p", "d"),
      node("Relu", "d", "e"),
      node("GlobalAveragePool", "e", "m"),
      node("Flatten", "m", "f"),
      node("Gemm", "f w h", "y", { transB: 1 }),
    ],
    initializers: {
      k0: weights(4, 3, 3, 3),
      k1: weights(4, 4, 3, 3),
      g: weights(4),
      v: numbers([4], 1, 2, 0.5, 1),
      w: weights(5, 4),
      h: weights(5),
    },
    input: ["b", 3, 12, 12],
  };
}

/** A block of a ConvNeXt: depthwise convolution, then everything along the channels between two transpositions. */
function convNext(): Spec {
  return {
    nodes: [
      node("Conv", "x k0", "a", { strides: [2, 2], kernel_shape: [2, 2] }),
      node("Conv", "a k1", "b", { pads: [1, 1, 1, 1], group: 8 }),
      node("Transpose", "b", "t", { perm: [0, 2, 3, 1] }),
      node("LayerNormalization", "t g h", "n"),
      node("MatMul", "n w1", "m1"),
      node("Add", "m1 b1", "m2"),
      node("Div", "m2 r2", "d"),
      node("Erf", "d", "e"),
      node("Add", "e one", "e1"),
      node("Mul", "m2 e1", "q"),
      node("Mul", "q half", "gelu"),
      node("MatMul", "gelu w2", "m3"),
      node("Add", "m3 b2", "m4"),
      node("Transpose", "m4", "back", { perm: [0, 3, 1, 2] }),
      node("Mul", "back scale", "s"),
      node("Add", "s a", "sum"),
      node("GlobalAveragePool", "sum", "mean"),
      node("Flatten", "mean", "f"),
      node("Gemm", "f w3", "y"),
    ],
    initializers: {
      k0: weights(8, 3, 2, 2),
      k1: weights(8, 1, 3, 3),
      g: weights(8),
      h: weights(8),
      w1: weights(8, 16),
      b1: weights(16),
      w2: weights(16, 8),
      b2: weights(8),
      w3: weights(8, 3),
      scale: weights(8, 1, 1),
      r2: numbers([], Math.SQRT2),
      one: numbers([], 1),
      half: numbers([], 0.5),
    },
    input: ["b", 3, 8, 8],
    opset: 17,
  };
}

/** One layer of self-attention with two heads behind patches and a class token that is repeated for every picture. */
function transformer(count: number | string): Spec {
  const literal = typeof count === "number";
  return {
    nodes: [
      node("Conv", "x k", "c", { strides: [4, 4], kernel_shape: [4, 4] }),
      ...(literal ? [] : [node("Shape", "c", "sh"), node("Gather", "sh i0", "b0"), node("Unsqueeze", "b0 i1", "b1")]),
      ...(literal
        ? []
        : [
            node("Concat", "b1 s_tail", "s0", { axis: 0 }),
            node("Concat", "b1 t_tail", "s1", { axis: 0 }),
            node("Expand", "token s1", "tokens"),
          ]),
      ...(literal ? [node("Identity", "token", "tokens")] : []),
      node("Reshape", "c s0", "r"),
      node("Transpose", "r", "t", { perm: [0, 2, 1] }),
      node("Concat", "tokens t", "z", { axis: 1 }),
      node("Add", "z place", "z0"),
      node("MatMul", "z0 wq", "q0"),
      node("Reshape", "q0 heads", "q1"),
      node("Transpose", "q1", "q", { perm: [0, 2, 1, 3] }),
      node("MatMul", "z0 wk", "k0"),
      node("Reshape", "k0 heads", "k1"),
      node("Transpose", "k1", "kt", { perm: [0, 2, 3, 1] }),
      node("MatMul", "q kt", "p"),
      node("Softmax", "p", "soft", { axis: -1 }),
      node("MatMul", "soft q", "o"),
      node("Transpose", "o", "o1", { perm: [0, 2, 1, 3] }),
      node("Reshape", "o1 joined", "o2"),
      node("Add", "o2 z0", "z1"),
      node("Gather", "z1 i0", "cls", { axis: 1 }),
      node("Gemm", "cls w", "y"),
    ],
    initializers: {
      k: weights(8, 3, 4, 4),
      token: weights(1, 1, 8),
      place: weights(1, 5, 8),
      wq: weights(8, 8),
      wk: weights(8, 8),
      w: weights(8, 3),
      heads: ints(0, 5, 2, 4),
      joined: ints(0, 5, 8),
      i0: { shape: [], data: [0], type: "int64" },
      i1: ints(0),
      s_tail: ints(8, 4),
      t_tail: ints(1, 8),
      ...(literal ? { s0: ints(count, 8, 4) } : {}),
    },
    input: [count, 3, 8, 8],
  };
}

/** The scores of pictures together are those of each alone. */
function expectIndependent({ run, network }: Imported): void {
  const [height = 0, width = 0, channels = 0] = (network.inputs[0]?.shape.slice(1) ?? []) as number[];
  const each = height * width * channels;
  const values = createRandom("pictures").uniforms(3 * each);
  const of = (from: number, count: number) =>
    tf.tensor4d(values.slice(from * each, (from + count) * each), [count, height, width, channels]);
  const alone = [0, 1, 2].flatMap((i) => run(of(i, 1)));
  run(of(0, 3)).forEach((value, i) => {
    expect(value).toBeCloseTo(alone[i] as number, 4);
  });
}

describe("numbers are moved only where nothing else helps", () => {
  it("nowhere in a residual network", async () => {
    const one = await imported(onnx(residual()), folder);
    expect(one.moves).toBe(0);
    expect(one.classes.filter((name) => name === "BatchNormalization")).toHaveLength(3);
    expectIndependent(one);
    one.network.dispose();
  });

  it("nowhere in a ConvNeXt, and its parts are layers", async () => {
    const one = await imported(onnx(convNext()), folder);
    expect(one.moves).toBe(0);
    for (const name of ["DepthwiseConv2D", "LayerNormalization", "Gelu", "Dense", "Affine"]) expect(one.classes).toContain(name);
    expect(one.classes).not.toContain("Elementwise");
    expectIndependent(one);
    one.network.dispose();
  });

  it("for q, k, the values and the result of each attention", async () => {
    const one = await imported(onnx(transformer("b")), folder);
    expect(one.moves).toBe(3); // q serves as values too
    expect(one.classes).toContain("AppendConstant");
    expectIndependent(one);
    one.network.dispose();
  });
});

describe("the number of pictures", () => {
  it("that is written into a file is any number here", async () => {
    for (const count of [1, 2]) {
      const spec = { ...residual(), input: [count, 3, 12, 12] };
      const flat = spec.nodes.map((one) => (one.op === "Flatten" ? node("Reshape", "m flat", "f") : one));
      const one = await imported(onnx({ ...spec, nodes: flat, initializers: { ...spec.initializers, flat: ints(count, -1) } }), folder);
      expect(one.network.inputs[0]?.shape[0]).toBeNull();
      expect(one.moves).toBe(0);
      expectIndependent(one);
      one.network.dispose();
    }
    const one = await imported(onnx(transformer(1)), folder);
    expect(one.moves).toBe(3);
    expectIndependent(one);
    one.network.dispose();
  });

  it("must not decide otherwise than as a multiple", async () => {
    const nodes = (op: string): NodeSpec[] => [
      node("Shape", "x", "sh"),
      node("Slice", "sh zero one", "b"),
      node(op, "b one", "c"),
      node("ConstantOfShape", "c", "ones", { value: numbers([1], 1) }),
      node("ReduceSum", "ones", "sum"),
      node("Flatten", "x", "f"),
      node("Add", "f sum", "y"),
    ];
    const spec = (op: string): Spec => ({ nodes: nodes(op), initializers: { zero: ints(0), one: ints(1) }, input: ["b", 3, 2, 1] });
    const refused = imported(onnx(spec("Add")), folder, { input: { layout: "nchw" } });
    await expect(refused).rejects.toMatchObject({ code: "MODEL_INPUT", message: expect.stringContaining("different numbers of images") });
  });

  it("mixed with pixels is refused", async () => {
    const across: Spec = {
      nodes: [node("Flatten", "x", "f"), node("Softmax", "f", "y", { axis: 0 })],
      input: ["b", 3, 2, 1],
    };
    await expect(imported(onnx(across), folder, { input: { layout: "nchw" } })).rejects.toMatchObject({
      code: "MODEL_INPUT",
      message: expect.stringContaining("across the pictures of a batch"),
    });
  });
});
