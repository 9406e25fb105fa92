import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import type { Writer } from "../../../../../src/engine/backends/onnxruntime/protobuf.ts";
import { classifierOf } from "../../../../../src/engine/classifier/network.ts";
import { checkedOf, loadNetwork, saveNetwork } from "../../../../../src/engine/importers/index.ts";
import { openOnnx } from "../../../../../src/engine/importers/onnx/index.ts";
import { inspectModel } from "../../../../../src/engine/jobs/inspectModel.ts";
import { convert3d } from "../../../../../src/engine/models/convert3d.ts";
import { tf, type tfl } from "../../../../../src/engine/tf.ts";
import { channelsFirst, float, ints, node, numbers, onnx, type Spec, valueMessage } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-import-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

let files = 0;
async function written(spec: Spec, sidecar?: object): Promise<string> {
  const place = path.join(folder, `model-${files++}`);
  await fs.mkdir(place);
  const file = path.join(place, "net.onnx");
  await fs.writeFile(file, onnx(spec));
  if (sidecar) await fs.writeFile(path.join(place, "net.bulwark.json"), JSON.stringify(sidecar));
  return file;
}

/** Red, green and blue of one pixel, scores 2r − b + 0.5 and g + b. */
const linear = (
  o: Partial<Spec> & { readonly before?: Spec["nodes"]; readonly from?: string; readonly end?: Spec["nodes"] } = {},
): Spec => {
  const { before = [], from = "x", end = [node("Identity", "scores", "y")], ...rest } = o;
  return {
    nodes: [...before, node("GlobalAveragePool", from, "m"), node("Flatten", "m", "f"), node("Gemm", "f w b", "scores"), ...end],
    input: ["b", 3, 2, 2],
    ...rest,
    initializers: { w: numbers([3, 2], 2, 0, 0, 1, -1, 1), b: numbers([2], 0.5, 0), ...rest.initializers },
  };
};
const pixel = (r: number, g: number, b: number) => channelsFirst([r, r, r, r, g, g, g, g, b, b, b, b], [1, 3, 2, 2]);
const predict = (network: tfl.LayersModel, x: tf.Tensor): number[] => [...(network.predict(x) as tf.Tensor).dataSync()];

describe("an ONNX file as a model", () => {
  it("gives scores before its softmax, and says what was done", async () => {
    const loaded = await loadNetwork(await written(linear({ end: [node("Softmax", "scores", "y", { axis: 1 })] })));
    expect(loaded).toMatchObject({ format: "onnx", outputs: "logits", contractSource: { kind: "assumed" } });
    expect(loaded.notes).toEqual(["the final softmax is taken off: attacks use the scores before it"]);
    expect(predict(loaded.network, pixel(1, 0.5, 0.25))).toEqual([2.25, 0.75]);
    expect(loaded.sha256).toMatch(/^[0-9a-f]{64}$/);
    loaded.network.dispose();
  });

  it("takes contract and class names from the file beside it, and class names from what its maker wrote into it", async () => {
    const sidecar = { input: { mean: 127.5, scale: 127.5, channels: "bgr", layout: "nchw" }, output: { classes: ["cat", "dog"] } };
    const beside = await loadNetwork(await written(linear(), sidecar));
    expect(beside.classes?.names).toEqual(["cat", "dog"]);
    expect(beside.contract.input).toEqual({ mean: 127.5, scale: 127.5, channels: "bgr" }); // the network takes [b,H,W,C]
    const classifier = classifierOf(beside.network, { contract: beside.contract, outputs: beside.outputs });
    const logits = classifier.logits(pixel(1, 0.5, 0) as tf.Tensor4D); // b, g, r = −1, 0, 1
    expect([...logits.dataSync()]).toEqual([-2 - 1 + 0.5, 0 + 1]);
    classifier.dispose();
    const inside = await loadNetwork(await written(linear({ metadata: { classes: '["owl", "fox"]' } })));
    expect(inside.classes).toMatchObject({ names: ["owl", "fox"], source: { kind: "metadata", text: "metadata of net.onnx" } });
    inside.network.dispose();
  });

  it("knows the range of a network that takes bytes, or that normalises its pictures itself", async () => {
    const bytes = await loadNetwork(await written(linear({ before: [node("Cast", "x", "c", { to: 1 })], from: "c", inputType: 2 })));
    expect(bytes.contract.input).toEqual({ mean: 0, scale: 1 });
    expect(bytes.contractSource).toEqual({ kind: "layer", text: "the type of its input, uint8" });
    bytes.network.dispose();
    const own = linear({
      before: [node("Sub", "x mean", "c"), node("Div", "c std", "d")],
      from: "d",
      initializers: { mean: numbers([1, 3, 1, 1], 123.675, 116.28, 103.53), std: numbers([1, 3, 1, 1], 58.395, 57.12, 57.375) },
    });
    const normalised = await loadNetwork(await written(own));
    expect(normalised.contract.input).toEqual({ mean: 0, scale: 1 });
    expect(normalised.contractSource.kind).toBe("layer");
    normalised.network.dispose();
  });

  it("of RGBA gets an opaque alpha, and is compared with it", async () => {
    const spec = linear({ input: ["b", 4, 2, 2], initializers: { w: numbers([4, 2], 2, 0, 0, 1, -1, 1, 8, 4) } });
    const loaded = await loadNetwork(await written(spec));
    expect(predict(loaded.network, pixel(1, 0.5, 0.25))).toEqual([10.25, 4.75]);
    loaded.network.dispose();
  });

  it("takes its images where other inputs are named that its scores do not depend on", async () => {
    const unused = (type: number) => (graph: Writer) => graph.message(11, valueMessage("mask", ["b", 5], type));
    for (const type of [1, 7, 8, 9, 10]) {
      const loaded = await loadNetwork(await written(linear({ more: unused(type) })));
      expect(loaded.comparison).toEqual({ difference: expect.any(Number), notes: [] });
      expect(predict(loaded.network, pixel(1, 0.5, 0.25))).toEqual([2.25, 0.75]);
      loaded.network.dispose();
    }
    const large = linear({ more: (graph) => graph.message(11, valueMessage("mask", [2 ** 40])) });
    const loaded = await loadNetwork(await written(large));
    expect(loaded.comparison).toEqual({
      difference: null,
      notes: [expect.stringMatching(/not compared .* does not run the file: its input 'mask'/)],
    });
    loaded.network.dispose();
  });

  it("of a newer operator set opens where its scores agree with ONNX Runtime's, and says so", async () => {
    const loaded = await loadNetwork(await written(linear({ opset: 23 })));
    expect(loaded.comparison?.difference).toBeLessThan(1e-4);
    expect(loaded.notes.join()).toMatch(/opset 23 is newer than 22/);
    loaded.network.dispose();
  });

  it("whose own scores are no numbers is said to be so, not to be computed wrongly", async () => {
    const w = numbers([3, 2], 3e38, 3e38, 3e38, 3e38, 3e38, 3e38);
    await expect(loadNetwork(await written(linear({ initializers: { w } })))).rejects.toMatchObject({
      code: "MODEL_NAN",
      message: expect.stringMatching(/NaN or infinite scores, in ONNX Runtime too/),
    });
    const byDeviation = linear({
      before: [
        node("ReduceMean", "x", "mean", { axes: [1, 2, 3] }),
        node("Sub", "x mean", "c"),
        node("ReduceL2", "c", "norm", { axes: [1, 2, 3] }),
        node("Div", "c norm", "d"),
      ],
      from: "d",
    });
    const grey = await loadNetwork(await written(byDeviation));
    expect(grey.comparison?.notes).toEqual(["for 1 of 4 made-up images its scores are no numbers, in ONNX Runtime neither"]);
    grey.network.dispose();
  });

  it("can be inspected", async () => {
    const inspection = await inspectModel(await written(linear({ nodes: linear().nodes })));
    expect(inspection).toMatchObject({ format: "onnx", inputShape: [null, 2, 2, 3], classes: 2, parameters: 8 });
    expect(inspection.layers.map(({ type }) => type)).toEqual(["InputLayer", "GlobalAveragePooling2D", "Dense"]);
  });
});

/** A network of the layers that only imported ones have. */
const special: Spec = {
  nodes: [
    node("Conv", "x k", "c", { group: 2, pads: [1, 1, 1, 1] }),
    node("HardSwish", "c", "h"),
    node("MaxPool", "h", "p", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
    node("Mul", "p s", "m"),
    node("Slice", "m zero three axis", "v"),
    node("Clip", "v low high", "q"),
    node("Pad", "q pads", "e", { mode: "edge" }),
    node("AveragePool", "e", "a", { kernel_shape: [2, 2], pads: [1, 1, 0, 0] }),
    node("Flatten", "a", "f"),
    node("Gemm", "f w", "y"),
  ],
  initializers: {
    k: numbers([4, 1, 3, 3], ...Array.from({ length: 36 }, (_, i) => Math.sin(i))),
    s: numbers([4, 1, 1], 1, -1, 2, 0.5),
    zero: ints(0),
    three: ints(3),
    axis: ints(1),
    low: numbers([], -1),
    high: numbers([], 1.5),
    pads: ints(0, 0, 1, 1, 0, 0, 1, 1),
    w: numbers([108, 3], ...Array.from({ length: 324 }, (_, i) => Math.cos(i))),
  },
  input: ["b", 2, 6, 6],
  opset: 14,
};

describe("a network from ONNX is one like any other", () => {
  it("can be saved as a TensorFlow.js model and loaded again", async () => {
    const spec: Spec = {
      ...special,
      nodes: [
        node("Conv", "x k0", "x2"),
        ...special.nodes.map((n) => ({ ...n, inputs: n.inputs.map((name) => (name === "x" ? "x2" : name)) })),
      ],
    };
    const k0 = numbers([2, 3, 1, 1], 1, 0.5, -1, 0.25, 1, 2);
    const loaded = await loadNetwork(await written({ ...spec, input: ["b", 3, 6, 6], initializers: { ...spec.initializers, k0 } }));
    const classes = loaded.network.layers.map((layer) => layer.getClassName());
    for (const name of ["DepthwiseConv2D", "Elementwise", "MaxPoolPad", "Affine", "SliceLayer", "Clip", "Pad2D", "AvgPoolPad"])
      expect(classes).toContain(name);
    const x = tf.randomUniform([2, 6, 6, 3], 0, 1, "float32", 1);
    const before = predict(loaded.network, x);
    const place = path.join(folder, "saved");
    await saveNetwork(loaded.network, place, loaded.contract);
    loaded.network.dispose();
    const again = await loadNetwork(place);
    predict(again.network, x).forEach((value, i) => {
      expect(value).toBeCloseTo(before[i] as number, 5);
    });
    expect(again.contract.input).toEqual({ mean: 0, scale: 255 });
    again.network.dispose();
  });

  it("shows its layers, can be run from the middle, and has a plane of features at the end", async () => {
    const nodes = [
      node("Conv", "x k", "c", {}, "features"),
      node("Relu", "c", "r", {}, "act"),
      node("GlobalAveragePool", "r", "m"),
      node("Flatten", "m", "f"),
      node("Gemm", "f w", "y", {}, "head"),
    ];
    const initializers = { k: numbers([2, 3, 1, 1], 1, 0, 0, 0, 1, 0), w: numbers([2, 2], 1, 2, 3, 4) };
    const { network, contract } = await loadNetwork(await written({ nodes, initializers, input: ["b", 3, 2, 2] }));
    const { layers, dispose } = classifierOf(network, { contract, outputs: "logits" });
    expect(layers?.defaultLayer).toBe("act");
    expect(layers?.all.find(({ name }) => name === "act")).toMatchObject({ spatial: true, activation: "relu", shape: [null, 2, 2, 2] });
    const x = pixel(0.5, 0.25, 1) as tf.Tensor4D;
    const first = layers?.run(x, { take: ["act"] });
    if (!first) throw new Error("no layers");
    const { taken, logits } = first;
    const value = taken.get("act") as tf.Tensor4D;
    const from = layers?.run(x, { from: { layer: "act", value } });
    expect([...(from?.logits.dataSync() ?? [])]).toEqual([...logits.dataSync()]);
    expect([...logits.dataSync()]).toEqual([0.5 + 0.75, 1 + 1]);
    dispose();
  });

  it("can be made a network of volumes", async () => {
    const nodes = [
      node("Conv", "x k", "c", { pads: [1, 1, 1, 1] }),
      node("BatchNormalization", "c g b m v", "n", { epsilon: float(1e-3) }),
      node("Relu", "n", "r"),
      node("MaxPool", "r", "p", { kernel_shape: [2, 2], strides: [2, 2] }),
      node("Flatten", "p", "f"),
      node("Gemm", "f w", "y"),
    ];
    const initializers = {
      k: numbers([2, 1, 3, 3], ...Array.from({ length: 18 }, (_, i) => Math.sin(i))),
      g: numbers([2], 1, 2),
      b: numbers([2], 0, 1),
      m: numbers([2], 0, 0.5),
      v: numbers([2], 1, 2),
      w: numbers([32, 3], ...Array.from({ length: 96 }, (_, i) => Math.cos(i))),
    };
    const { network } = await loadNetwork(await written({ nodes, initializers, input: ["b", 1, 8, 8] }));
    expect(network.layers.map((layer) => layer.getClassName())).toEqual([
      "InputLayer",
      "Conv2D",
      "BatchNormalization",
      "ReLU",
      "MaxPooling2D",
      "Flatten",
      "Dense",
    ]);
    const kernel = network.layers.find((layer) => layer.getClassName() === "Conv2D")?.getConfig()["kernelInitializer"];
    expect(kernel).toMatchObject({ className: "VarianceScaling" }); // a training that begins anew must not begin at 0
    const volumes = convert3d(network, { depth: 4, patch: [4, 4], kernelDepth: 3, weights: "inflate" });
    expect(volumes.network.outputs[0]?.shape).toEqual([null, 4, 3]);
    volumes.network.dispose();
    network.dispose();
  });
});

describe("the comparison with ONNX Runtime", () => {
  it("names the first layer that differs", async () => {
    const nodes = [
      node("Conv", "x k", "c", { pads: [1, 1, 1, 1] }, "/first/conv"),
      node("Relu", "c", "r", {}, "/first/relu"),
      node("Conv", "r k2", "d", {}, "/second/conv"),
      node("Relu", "d", "e", {}, "/second/relu"),
      node("GlobalAveragePool", "e", "m"),
      node("Flatten", "m", "f"),
      node("Gemm", "f w", "y"),
    ];
    const initializers = {
      k: numbers([2, 3, 3, 3], ...Array.from({ length: 54 }, (_, i) => Math.sin(i + 1))),
      k2: numbers([4, 2, 1, 1], 1, 2, 3, 4, -1, 2, 5, 6),
      w: numbers([4, 2], 1, 2, 3, 4, 5, 6, 7, 8),
    };
    const model = await openOnnx(await written({ nodes, initializers, input: ["b", 3, 5, 5] }));
    const { whole, contract, ending } = model.normalise({ input: {} }, undefined);
    const network = await model.build(whole);
    const [kernel] = network.getLayer("second/conv").weights;
    const right = kernel?.read().clone() as tf.Tensor;
    kernel?.write(tf.mul(right, 1.1));
    const compare = await model.check?.(checkedOf(network, { contract, ending }));
    await expect(compare?.(network)).rejects.toMatchObject({
      code: "MODEL_MISMATCH",
      message: expect.stringMatching(/first at "\/second\/conv" \(Conv\): 9\.\d+ %|first at "\/second\/conv" \(Conv\): 10 %/),
    });
    kernel?.write(right);
    expect(await compare?.(network)).toMatchObject({ difference: expect.any(Number), notes: [] });
    network.dispose();
    model.close();
  });
});
