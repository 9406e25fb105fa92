import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { runNetwork } from "../../../../../src/engine/classifier/graph.ts";
import { hashOfModel, loadNetwork, outlineNetwork, saveNetwork } from "../../../../../src/engine/importers/index.ts";
import { tf, type tfl } from "../../../../../src/engine/tf.ts";
import { int, ints, node, number, numbers, type Spec, texts, written } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-graph-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const ones = [1, 1, 1, 1];
const size = { row: ints(-1, 4) };
/** [B,2,2,1] → a product with a 4×2 matrix. */
const linear = (o: Partial<Spec> = {}): Spec => ({
  nodes: [node("Reshape", "x row", "r"), node("MatMul", "r w", "y")],
  input: [-1, 2, 2, 1],
  ...o,
  weights: { w: numbers([4, 2], 1, 0, 0, 1, 2, 0, 0, -1), ...size, ...o.weights },
});
const scores = (network: tfl.LayersModel, ...pixels: number[]): number[] =>
  tf.tidy(() => [...runNetwork(network, tf.tensor(pixels, [1, 2, 2, 1])).dataSync()]);
const refused = async (spec: Spec, code: string, message: RegExp, change?: Parameters<typeof written>[2]) => {
  const file = await written(spec, folder, change);
  await expect(loadNetwork(file)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
    fix: expect.stringMatching(/\w/),
  });
};

describe("a graph model", () => {
  it("opens as a network of layers whose names are those of its nodes, and is saved as one", async () => {
    const file = await written(
      {
        nodes: [
          node("_FusedConv2D", "x k b", "PartitionedCall/net/StatefulPartitionedCall/conv/Relu", {
            strides: ones,
            padding: "VALID",
            fused_ops: texts("BiasAdd", "Relu"),
          }),
          node("Mean", "PartitionedCall/net/StatefulPartitionedCall/conv/Relu axes", "pool"),
          node("MatMul", "pool w", "dense"),
          node("BiasAdd", "dense c", "logits"),
          node("Softmax", "logits", "Identity"),
        ],
        weights: {
          k: numbers([1, 1, 1, 2], 1, -1),
          b: numbers([2], 0, 1),
          axes: ints(1, 2),
          w: numbers([2, 2], 1, 2, 3, 4),
          c: numbers([2], 0.5, -0.5),
        },
        input: [-1, 2, 2, 1],
      },
      folder,
    );
    const { network, format, outputs, notes } = await loadNetwork(file);
    expect(format).toBe("tfjs-graph");
    expect(network.layers.map((layer) => [layer.name, layer.getClassName()])).toEqual([
      ["x", "InputLayer"],
      ["net/conv/Relu/Conv2D", "Conv2D"],
      ["net/conv/Relu", "ReLU"],
      ["pool", "GlobalAveragePooling2D"],
      ["dense", "Dense"],
      ["Identity", "Activation"],
    ]);
    expect([outputs, notes]).toEqual(["logits", ["the final softmax is taken off: attacks use the scores before it"]]);
    // means of x and 1 − x are .25 and .75: .25 + 2.25 + .5, .5 + 3 − .5
    expect(scores(network, 0, 0, 0, 1)).toEqual([3, 3]);
    const copy = path.join(folder, "saved");
    await saveNetwork(network, copy, { input: {} });
    network.dispose();
    const saved = await loadNetwork(copy);
    expect(saved.format).toBe("tfjs-layers");
    expect(scores(saved.network, 0, 0, 0, 1)).toEqual([3, 3]);
    saved.network.dispose();
  });

  it("has its weights in several files, which end within a weight, and quantised", async () => {
    const w = numbers([4, 2], 1, 0, 0, 1, 2, 0, 0, -1);
    const forms = [
      w,
      { ...w, data: [100, 50, 50, 100, 150, 50, 50, 0], quantization: { dtype: "uint8", scale: 0.02, min: -1 } },
      { ...w, data: [40000, 20000, 20000, 40000, 60000, 20000, 20000, 0], quantization: { dtype: "uint16", scale: 0.00005, min: -1 } },
      { ...w, data: [0x3c00, 0, 0, 0x3c00, 0x4000, 0, 0, 0xbc00], quantization: { dtype: "float16" } },
    ] as const;
    for (const form of forms) {
      const { network } = await loadNetwork(await written(linear({ weights: { w: form }, shard: 5 }), folder));
      const found = scores(network, 0.25, 0.5, 1, 0.75);
      expect(found[0]).toBeCloseTo(2.25, 5);
      expect(found[1]).toBeCloseTo(-0.25, 5);
      network.dispose();
    }
  });

  it("is described without its weights, and its checksum is that of all its files", async () => {
    const file = await written(linear({ shard: 10 }), folder);
    const outlined = await outlineNetwork(file);
    expect(outlined.network.countParams()).toBe(8);
    outlined.network.dispose();
    const before = await hashOfModel(file);
    const shard = path.join(path.dirname(file), "group1-shard2.bin");
    const bytes = await fs.readFile(shard);
    bytes[0] = 1 ^ (bytes[0] as number);
    await fs.writeFile(shard, bytes);
    expect(await hashOfModel(file)).not.toBe(before);
  });

  it("gives the output that its signature or the contract names", async () => {
    const { nodes } = linear();
    const two = { ...linear(), nodes: [...nodes, node("Neg", "y", "other")] };
    const signed = (outputs: object) => ({ ...two, signature: { inputs: { image: { name: "x:0" } }, outputs } });
    const one = await loadNetwork(await written(signed({ scores: { name: "y:0" } }), folder));
    expect(scores(one.network, 1, 0, 0, 0)).toEqual([1, 0]);
    one.network.dispose();
    const both = signed({ scores: { name: "y:0" }, negative: { name: "other" } });
    await refused(both, "MODEL_INPUT", /has 2 outputs: scores, negative/);
    const chosen = await loadNetwork(await written(both, folder), { input: {}, output: { name: "negative" } });
    expect(scores(chosen.network, 1, 0, 0, 0)[0]).toBe(-1);
    chosen.network.dispose();
  });

  it("ignores control inputs, and what its output does not need", async () => {
    const more = [
      node("NoOp", "", "init"),
      node("Assert", "x", "assert"),
      { ...node("Identity", "y", "out"), input: ["y:0", "^init", "^assert"] },
    ];
    const spec = { ...linear(), nodes: [...linear().nodes, ...more], signature: { outputs: { out: { name: "out:0" } } } };
    const { network } = await loadNetwork(await written(spec, folder));
    expect(scores(network, 0, 0, 1, 0)).toEqual([2, 0]);
    network.dispose();
  });

  it("takes the default of a placeholder, bytes, and one image at a time", async () => {
    const spec = linear({ input: [1, 2, 2, 1], inputType: "DT_INT32", weights: { rate: numbers([], 2) } });
    const nodes = [
      node("Cast", "x", "f", { DstT: { type: "DT_FLOAT" } }),
      node("PlaceholderWithDefault", "rate", "p"),
      node("Mul", "f p", "m"),
      node("Reshape", "m row", "r"),
      node("MatMul", "r w", "y"),
    ];
    const { network, contract, contractSource } = await loadNetwork(await written({ ...spec, nodes }, folder));
    expect(contract.input).toMatchObject({ mean: 0, scale: 1 });
    expect(contractSource).toMatchObject({ kind: "layer" });
    expect(tf.tidy(() => [...runNetwork(network, tf.tensor([1, 0, 0, 0, 0, 1, 0, 0], [2, 2, 2, 1])).dataSync()])).toEqual([2, 0, 0, 2]);
    network.dispose();
  });

  it("passes gradients through a StopGradient, which is said", async () => {
    const spec = { ...linear(), nodes: [node("StopGradient", "x", "s"), node("Reshape", "s row", "r"), node("MatMul", "r w", "y")] };
    const { network, notes } = await loadNetwork(await written(spec, folder));
    expect(notes.join()).toMatch(/pass through "s" \(StopGradient\)/);
    const gradient = tf.tidy(() => [
      ...tf
        .grad((x) => tf.sum(runNetwork(network, x)))(tf.ones([1, 2, 2, 1]))
        .dataSync(),
    ]);
    expect(gradient).toEqual([1, 1, 2, -1]);
    network.dispose();
  });

  it("rounds places of pixels as TensorFlow does: down from half a pixel", async () => {
    const nodes = [node("ResizeNearestNeighbor", "x size", "n", { half_pixel_centers: true }), node("Reshape", "n flat", "y")];
    const { network } = await loadNetwork(
      await written({ nodes, weights: { size: ints(3, 3), flat: ints(-1, 9) }, input: [-1, 2, 2, 1] }, folder),
    );
    // floor((i + ½)·⅔) = 0, 1, 1
    expect(scores(network, 1, 2, 3, 4)).toEqual([1, 2, 2, 3, 4, 4, 3, 4, 4]);
    network.dispose();
  });
});

describe("refused with the node and what to do instead", () => {
  const after = (op: string, attr = {}): Spec => {
    const spec = linear();
    return { ...spec, nodes: [...spec.nodes, node(op, "y", "last", attr)] };
  };
  it.each([
    ["NonMaxSuppressionV5", "MODEL_INPUT", /is a detector \("last", NonMaxSuppressionV5\)/],
    ["ArgMax", "MODEL_INPUT", /gives a class number, not scores \("last", ArgMax\)/],
    ["LookupTableFindV2", "MODEL_INPUT", /works on text, sound or sequences/],
    ["Switch", "MODEL_UNSUPPORTED", /decides at run time what to compute \("last", Switch\)/],
    ["TensorListStack", "MODEL_UNSUPPORTED", /decides at run time/],
    ["RandomUniform", "MODEL_UNSUPPORTED", /draws random numbers/],
    ["Conv3D", "MODEL_UNSUPPORTED", /"last" of the operation Conv3D, which cannot be differentiated here/],
  ])("%s", (op, code, message) => refused(after(op), code, message));

  it("attributes of known operations that change the result", async () => {
    const conv = (attr: object): Spec => ({
      nodes: [node("Conv2D", "x k", "c", { strides: ones, padding: "VALID", ...attr }), node("Reshape", "c row", "y")],
      weights: { k: numbers([1, 1, 1, 1], 1), ...size },
      input: [-1, 2, 2, 1],
    });
    await refused(conv({ data_format: "NCHW_VECT_C" }), "MODEL_UNSUPPORTED", /"c" \(Conv2D\) on images in the format NCHW_VECT_C/);
    await refused(conv({ padding: "FULL" }), "MODEL_UNSUPPORTED", /with the padding FULL/);
    await refused(conv({ strides: [1, 1, 1, 2] }), "MODEL_UNSUPPORTED", /with strides 1, 1, 1, 2/);
    const fused = [node("_FusedConv2D", "x k", "c", { strides: ones, padding: "VALID", fused_ops: texts("FusedBatchNorm") })];
    await refused({ ...conv({}), nodes: [...fused, node("Reshape", "c row", "y")] }, "MODEL_UNSUPPORTED", /fused with FusedBatchNorm/);
    const training = [
      node("FusedBatchNormV3", "x k1 k1 k1 k1", "n", { epsilon: number(0.1), is_training: true }),
      node("Reshape", "n row", "y"),
    ];
    await refused({ ...linear(), nodes: training, weights: { k1: numbers([1], 1), ...size } }, "MODEL_UNSUPPORTED", /in training mode/);
    const blocks = [node("SpaceToBatchND", "x b p", "s"), node("Reshape", "s row", "y")];
    const block = { b: ints(2, 2), p: { ...ints(0, 0, 0, 0), shape: [2, 2] }, ...size };
    await refused({ ...linear(), nodes: blocks, weights: block }, "MODEL_UNSUPPORTED", /"y" \(Reshape\) behind a SpaceToBatchND/);
    const live = [node("Max", "x axes", "m"), node("ExpandDims", "x m", "y")];
    await refused(
      { ...linear(), nodes: live, weights: { axes: ints(0, 1, 2, 3) } },
      "MODEL_UNSUPPORTED",
      /"y" \(Unsqueeze\) whose sizes depend/,
    );
  });

  it("graphs that are none", async () => {
    const { nodes } = linear();
    const circle = [node("Neg", "b", "a"), node("Neg", "a", "b"), node("Add", "y b", "z")];
    await refused({ ...linear(), nodes: [...nodes, ...circle] }, "MODEL_INVALID", /form a circle through "[ab]"/);
    await refused({ ...linear(), nodes: [...nodes, node("Add", "y gone", "z")] }, "MODEL_INVALID", /"gone" is used by "z"/);
    await refused({ ...linear(), nodes: [...nodes, node("Neg", "y:3", "z")] }, "MODEL_UNSUPPORTED", /"z" \(Neg\) that uses "y:3"/);
    await refused({ ...linear(), nodes: [...nodes, ...nodes] }, "MODEL_INVALID", /has two nodes "r"/);
    const topology = (node: unknown) => (json: object) => ({ ...json, modelTopology: { node } });
    await refused(linear(), "MODEL_INVALID", /graph model without nodes/, topology([]));
    await refused(linear(), "MODEL_INVALID", /a node 1 of 1 that cannot be read/, topology([{ op: "Neg" }]));
    await refused(linear(), "MODEL_INVALID", /a node 1 of 1 that cannot be read/, topology([7]));
    const many = Array.from({ length: 100_001 }, (_, i) => ({ name: `n${i}`, op: "NoOp" }));
    await refused(linear(), "MODEL_TOO_LARGE", /more than 100,000 nodes/, topology(many));
  });

  it("sizes without limits, and inputs that are no images", async () => {
    const { nodes } = linear();
    const huge = [node("Fill", "wide value", "f"), node("Add", "y f", "z")];
    const wide = { wide: ints(2 ** 20, 2 ** 20), value: numbers([], 1) };
    await refused({ ...linear({ weights: wide }), nodes: [...nodes, ...huge] }, "MODEL_TOO_LARGE", /.*/);
    const range = [node("Range", "zero far one", "f"), node("Add", "y f", "z")];
    const far = { zero: int(0), far: int(2 ** 31 - 1), one: int(1) };
    await refused({ ...linear({ weights: far }), nodes: [...nodes, ...range] }, "MODEL_INVALID", /makes a tensor of/);
    await refused(linear({ input: [-1, 4] }), "MODEL_INPUT", /does not take images: x \[\?, 4\]/);
    await refused(linear({ inputType: "DT_STRING" }), "MODEL_INPUT", /does not take images/);
    const nan = linear({ weights: { w: numbers([4, 2], 1, 2, 3, Number.NaN, 5, 6, 7, 8) } });
    await refused(nan, "MODEL_NAN", /"w" of .* NaN or infinite at position 3/);
  });

  it("weights that are not what their list says", async () => {
    const file = await written(linear(), folder);
    await fs.truncate(path.join(path.dirname(file), "group1-shard1.bin"), 20);
    await expect(loadNetwork(file)).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining("cut off") });
    const outside = (json: Record<string, unknown>) =>
      JSON.parse(JSON.stringify(json).replace("group1-shard1.bin", "../group1-shard1.bin"));
    await refused(linear(), "MODEL_UNSAFE", /outside its folder/, outside);
  });

  it("names that are those of an object's own fields", async () => {
    const spec: Spec = {
      nodes: [node("Reshape", "x row", "__proto__"), node("MatMul", "__proto__ w", "constructor")],
      weights: linear().weights ?? {},
      input: [-1, 2, 2, 1],
    };
    const { network } = await loadNetwork(await written(spec, folder));
    expect(scores(network, 1, 0, 0, 0)).toEqual([1, 0]);
    network.dispose();
  });
});
