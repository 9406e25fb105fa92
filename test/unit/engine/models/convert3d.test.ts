import { describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { resolveParams } from "../../../../src/engine/define/index.ts";
import { convert3d } from "../../../../src/engine/models/convert3d.ts";
import { lenet } from "../../../../src/engine/models/lenet.ts";
import { papernot } from "../../../../src/engine/models/papernot.ts";
import { resnet9 } from "../../../../src/engine/models/resnet9.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { find } from "../../../../src/engine/registry.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { to3d } from "./to3d.ts";

await useBackend("cpu");

const facts = (side: number, channels: number) => ({ inputShape: [side, side, channels] as const, classes: 10, seed: 3 });
const networks = {
  lenet: () => lenet.build({ dropout: 0.5 }, facts(16, 1)),
  papernot: () => papernot.build({}, facts(16, 1)),
  resnet9: () => resnet9.build({ width: 1 }, facts(16, 3)),
};
const random = (shape: number[], seed = 1): tf.Tensor => tf.tensor(createRandom(seed).uniforms(shape.reduce((a, b) => a * b, 1)), shape);

const shapeOf = (x: { readonly shape: readonly (number | null)[] } | undefined): number[] => [...(x?.shape ?? [])].map(Number);

/** Weights of the 2-D network, put into the 3-D one of kernel depth 1. */
function copyWeights(from: tfl.LayersModel, to: tfl.LayersModel): void {
  for (const layer of from.layers) {
    const weights = layer.getWeights();
    if (weights.length === 0) continue;
    to.getLayer(layer.name).setWeights(weights.map((w) => (w.rank === 4 ? w.expandDims(0) : w)));
  }
}

/** A small network of every other kind of layer that converts. */
function everything(): tfl.LayersModel {
  const image = tfl.input({ shape: [9, 9, 2] });
  const apply = (layer: tfl.layers.Layer, x: tfl.SymbolicTensor | tfl.SymbolicTensor[]) => layer.apply(x) as tfl.SymbolicTensor;
  const padded = apply(tfl.layers.zeroPadding2d({ padding: 1 }), image);
  const conv = apply(tfl.layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: "valid" }), padded); // 5×5
  const norm = apply(tfl.layers.batchNormalization(), conv);
  const left = apply(tfl.layers.leakyReLU({ alpha: 0.1 }), norm);
  const right = apply(tfl.layers.conv2d({ filters: 4, kernelSize: 1, activation: "elu" }), left);
  const merged = apply(tfl.layers.concatenate(), [apply(tfl.layers.add(), [left, right]), apply(tfl.layers.maximum(), [left, right])]);
  const pooled = apply(tfl.layers.averagePooling2d({ poolSize: 3, strides: 2, padding: "valid" }), merged); // 2×2
  const up = apply(
    tfl.layers.cropping2D({
      cropping: [
        [1, 1],
        [0, 2],
      ] as never,
    }),
    apply(tfl.layers.upSampling2d({ size: [2, 2] }), pooled),
  ); // 2×2
  const gate = apply(tfl.layers.reshape({ targetShape: [1, 1, 8] }), apply(tfl.layers.globalMaxPooling2d({}), up));
  const inner = tfl.sequential({ layers: [tfl.layers.conv2d({ inputShape: [2, 2, 8], filters: 3, kernelSize: 2, padding: "same" })] });
  const out = apply(inner, apply(tfl.layers.multiply(), [up, gate]));
  return tfl.model({ inputs: image, outputs: apply(tfl.layers.dense({ units: 3 }), apply(tfl.layers.flatten(), out)) });
}

describe("one slice and kernels of depth 1 are the 2-D network", () => {
  it.each(Object.keys(networks) as (keyof typeof networks)[])("%s", async (id) => {
    const flat = networks[id]();
    const [, h = 0, w = 0, c = 0] = shapeOf(flat.inputs[0]);
    const deep = to3d(flat, { depth: 1, patch: [h, w], kernelDepth: 1 });
    copyWeights(flat, deep);
    const x = random([2, h, w, c]);
    const expected = (flat.predict(x) as tf.Tensor).dataSync();
    const actual = deep.predict(x.expandDims(1)) as tf.Tensor;
    expect(actual.shape).toEqual([2, 1, 10]);
    actual.dataSync().forEach((z, i) => {
      expect(z).toBeCloseTo(expected[i] as number, 4);
    });
  });

  it("with every other layer that converts, a model inside a model, and several slices alike", () => {
    const flat = everything();
    const [, h = 0, w = 0, c = 0] = shapeOf(flat.inputs[0]);
    const deep = to3d(flat, { depth: 1, patch: [h, w], kernelDepth: 1 });
    for (const layer of flat.layers.flatMap((l) => (l instanceof tfl.LayersModel ? l.layers : [l]))) {
      const weights = layer.getWeights();
      if (weights.length > 0) deep.getLayer(layer.name).setWeights(weights.map((v) => (v.rank === 4 ? v.expandDims(0) : v)));
    }
    const x = random([2, h, w, c]);
    const expected = (flat.predict(x) as tf.Tensor).dataSync();
    (deep.predict(x.expandDims(1)) as tf.Tensor).dataSync().forEach((z, i) => {
      expect(z).toBeCloseTo(expected[i] as number, 5);
    });
    expect(to3d(flat, { depth: 4, patch: [h, w], kernelDepth: 3 }).outputs[0]?.shape).toEqual([null, 4, 3]);
  });
});

const large = { vgg16: { hidden: 32 }, vgg19: { hidden: 32 }, resnet50: {}, inceptionV3: { padding: "same" }, efficientNetB0: {} };

describe.each(Object.entries(large))("%s in 3-D", (id, params) => {
  const spec = find("model", id);
  const build = (side: number) =>
    spec.build(resolveParams(spec.params, { width: 0.1, ...params }, id), { inputShape: [side, side, 3], classes: 10, seed: 3 });

  it.each([
    [1, 1],
    [2, 3],
  ])("sees each of %i slices as the 2-D network with the same weights, kernels %i deep", (depth, kernelDepth) => {
    const flat = build(32);
    const deep = convert3d(flat, { depth, patch: [32, 32], kernelDepth, weights: "inflate" });
    expect(deep.notes.filter((note) => note.includes("anew"))).toEqual([]);
    const x = random([depth, 32, 32, 3]);
    const expected = (flat.predict(x) as tf.Tensor).dataSync();
    const largest = Math.max(...expected.map(Math.abs));
    (deep.network.predict(x.expandDims(0)) as tf.Tensor).dataSync().forEach((z, i) => {
      expect(Math.abs(z - (expected[i] as number))).toBeLessThan(1e-4 * largest);
    });
  });

  it.each([
    [16, 4],
    [8, 16],
  ])("on slices of %i gives a score per class for each of %i slices", (patch, depth) => {
    const deep = to3d(build(32), { depth, patch: [patch, patch], kernelDepth: 3 });
    expect((deep.predict(tf.zeros([1, depth, patch, patch, 3])) as tf.Tensor).shape).toEqual([1, depth, 10]);
  });
});

describe("shapes and parameters", () => {
  it.each([
    ["lenet", 8, 4],
    ["lenet", 7, 16],
    ["papernot", 8, 4],
    ["papernot", 7, 16],
    ["resnet9", 16, 4],
    ["resnet9", 8, 16],
    ["resnet9", 4, 64],
  ] as const)("%s on slices of %i gives a score per class for each of %i slices", (id, patch, depth) => {
    const flat = networks[id]();
    const channels = flat.inputs[0]?.shape[3] as number;
    const deep = to3d(flat, { depth, patch: [patch, patch], kernelDepth: 3 });
    expect(deep.outputs[0]?.shape).toEqual([null, depth, 10]);
    if (id !== "resnet9") expect((deep.predict(tf.zeros([1, depth, patch, patch, channels])) as tf.Tensor).shape).toEqual([1, depth, 10]);
    for (const layer of flat.layers.filter((l) => l.getClassName() === "Conv2D")) {
      const [kh = 0, kw = 0, cin = 0, cout = 0] = shapeOf(layer.getWeights()[0]);
      const bias = layer.getWeights().length > 1 ? cout : 0;
      expect(deep.getLayer(layer.name).countParams()).toBe(3 * kh * kw * cin * cout + bias);
    }
  });

  it("kernels are as deep as the volume by default", () => {
    const deep = to3d(networks.lenet(), { depth: 4, patch: [8, 8], kernelDepth: 0 });
    expect(deep.getLayer("conv1").getWeights()[0]?.shape).toEqual([4, 5, 5, 1, 32]);
  });

  it("dense layers are shared by the slices: equal slices with kernels of depth 1 score alike", () => {
    const deep = to3d(networks.lenet(), { depth: 3, patch: [8, 8], kernelDepth: 1 });
    const slice = random([1, 1, 8, 8, 1]);
    const z = (deep.predict(tf.concat([slice, random([1, 1, 8, 8, 1], 2), slice], 1)) as tf.Tensor3D).arraySync()[0] as number[][];
    expect(z[0]).toEqual(z[2]);
    expect(z[0]).not.toEqual(z[1]);
  });
});

describe("convolution over slices", () => {
  const ones = (kernelSize: number, padding: "same" | "valid", side: number): tfl.LayersModel => {
    const layers = [
      tfl.layers.conv2d({ inputShape: [side, side, 1], filters: 1, kernelSize, padding, kernelInitializer: "ones", name: "conv" }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 1 }),
    ];
    return tfl.sequential({ layers });
  };
  const convolved = (flat: tfl.LayersModel, volume: tf.Tensor, kernelDepth: number): tf.Tensor => {
    const [, depth, h, w] = volume.shape as [number, number, number, number];
    const deep = to3d(flat, { depth, patch: [h, w], kernelDepth });
    return tfl.model({ inputs: deep.inputs, outputs: deep.getLayer("conv").output }).predict(volume) as tf.Tensor;
  };

  it("of ones with ones: corner 8, edge 12, centre 18", () => {
    const sums = convolved(ones(3, "same", 3), tf.ones([1, 2, 3, 3, 1]), 3)
      .reshape([2, 9])
      .arraySync();
    expect(sums).toEqual([
      [8, 12, 8, 12, 18, 12, 8, 12, 8],
      [8, 12, 8, 12, 18, 12, 8, 12, 8],
    ]);
  });

  it("keeps 'valid' within the slice and still pads depth", () => {
    expect(
      convolved(ones(2, "valid", 3), tf.ones([1, 4, 3, 3, 1]), 3)
        .reshape([4, 4])
        .arraySync(),
    ).toEqual([8, 12, 12, 8].map((sum) => [sum, sum, sum, sum]));
  });

  it("with kernels of even depth sees ⌊(Z−1)/2⌋ slices before and ⌈(Z−1)/2⌉ behind", () => {
    for (const padding of ["same", "valid"] as const) {
      const volume = tf.tensor5d([1, 10, 100, 1000], [1, 4, 1, 1, 1]);
      expect([...convolved(ones(1, padding, 1), volume, 4).dataSync()]).toEqual([111, 1111, 1110, 1100]);
    }
  });
});

describe("what does not fit", () => {
  it("is an error that says which layer", () => {
    expect(() => to3d(networks.lenet(), { depth: 49, patch: [4, 4], kernelDepth: 3 })).toThrow(
      expect.objectContaining({ code: "PARAMETER_INVALID", message: expect.stringContaining("conv1") }),
    );
    const recurrent = tfl.sequential({
      layers: [tfl.layers.reshape({ inputShape: [8, 8, 1], targetShape: [8, 8] }), tfl.layers.lstm({ units: 2, name: "memory" })],
    });
    expect(() => to3d(recurrent, { depth: 4, patch: [8, 8], kernelDepth: 3 })).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID", message: expect.stringContaining("memory") }),
    );
    const dilated = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [8, 8, 1], filters: 1, kernelSize: 3, dilationRate: 2, name: "wide" }),
        tfl.layers.flatten(),
      ],
    });
    expect(() => to3d(dilated, { depth: 4, patch: [8, 8], kernelDepth: 3 })).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID", message: expect.stringContaining("wide") }),
    );
  });

  it("is noted where the network is bent a little", () => {
    const { network, notes } = convert3d(networks.papernot(), { depth: 16, patch: [4, 4], kernelDepth: 3 });
    expect(network.outputs[0]?.shape).toEqual([null, 16, 10]);
    expect(notes.some((note) => note.includes("conv1") && note.includes("half"))).toBe(true);
    expect(notes.some((note) => note.includes("conv3") && note.includes("padded"))).toBe(true);
    expect(notes.some((note) => note.includes("pool2"))).toBe(true);
    expect(convert3d(networks.lenet(), { depth: 1, patch: [16, 16], kernelDepth: 1 }).notes).toEqual([]);
  });

  it("replaces a depthwise convolution by a dense one where that is asked for, and says so", () => {
    const layers = [
      tfl.layers.depthwiseConv2d({ inputShape: [8, 8, 3], kernelSize: 3, depthMultiplier: 2, padding: "same", name: "depthwise" }),
      tfl.layers.separableConv2d({ filters: 5, kernelSize: 3, name: "separable" }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 2 }),
    ];
    const { network, notes } = convert3d(tfl.sequential({ layers }), {
      depth: 4,
      patch: [4, 4],
      kernelDepth: 3,
      depthwise: "dense",
    });
    expect(notes).toHaveLength(3);
    expect(network.getLayer("depthwise").countParams()).toBe(3 * 9 * 3 * 6 + 6);
    expect((network.predict(tf.zeros([1, 4, 4, 4, 3])) as tf.Tensor).shape).toEqual([1, 4, 2]);
  });
});

it("starts alike twice, also from layers without seeds", () => {
  const flat = tfl.sequential({
    layers: [tfl.layers.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 3 }), tfl.layers.flatten(), tfl.layers.dense({ units: 2 })],
  });
  const weights = (): Float32Array[] =>
    to3d(flat, { depth: 2, patch: [4, 4], kernelDepth: 2 })
      .getWeights()
      .map((w) => w.dataSync<"float32">());
  expect(weights()).toEqual(weights());
});
