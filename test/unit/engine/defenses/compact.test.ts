import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { find } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { trainedWeights } from "../../../../src/engine/training/optimizers.ts";
import { convNetwork, near } from "../fixtures.ts";

await useBackend("cpu");
const directory = mkdtempSync(path.join(tmpdir(), "compact-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const build = (id: string, inputShape: readonly [number, number, number]): tfl.LayersModel =>
  find("model", id).build({ width: 0.1, hidden: 16 }, { inputShape: [...inputShape], classes: 10, seed: 1 });
const papernot = () => build("papernot", [28, 28, 1]);
const defended = (network: tfl.LayersModel, ...defenses: readonly (string | readonly [string, object])[]) => {
  const notes: string[] = [];
  const choices = defenses.map((one) =>
    typeof one === "string" ? { id: one, params: {} } : { id: one[0], params: one[1] as Record<string, unknown> },
  );
  const shape = (network.inputs[0]?.shape ?? []).slice(1) as [number, number, number];
  const result = planOf(choices, shape, network.outputs[0]?.shape.at(-1) ?? 0).network(network, (text) => notes.push(text));
  return { network: result, notes };
};
const types = (network: tfl.LayersModel): string[] => network.layers.map((layer) => layer.getClassName());
const count = (network: tfl.LayersModel, type: string): number => types(network).filter((one) => one === type).length;
const outputs = (network: tfl.LayersModel, x: tf.Tensor): number[] => [...(network.predict(x) as tf.Tensor).dataSync()];
const images = (n: number, shape: readonly number[]): tf.Tensor =>
  tf.tensor(createRandom(9).uniforms(n * shape.reduce((a, b) => a * b, 1)), [n, ...shape]);
const invalid = (code: string, text: string) => expect.objectContaining({ code, message: expect.stringContaining(text) });

describe("compactConvolution", () => {
  it("makes every layer of the paper's networks compact, with one parameter more for each", () => {
    const flat = papernot();
    const { network, notes } = defended(flat, "compactConvolution");
    expect(network.countParams()).toBe(312_202 + 7);
    expect(types(network).filter((type) => type.startsWith("Compact"))).toEqual([
      ...["CompactConv2D", "CompactConv2D", "CompactConv2D", "CompactConv2D"],
      ...["CompactDense", "CompactDense", "CompactDense"],
    ]);
    const alphas = network.layers.filter((l) => /Compact/.test(l.getClassName())).map((l) => l.getWeights().at(-1)?.dataSync()[0]);
    const expected = [9, 288, 288, 576, 1024, 200, 200].map((fanIn) => expect.closeTo(Math.sqrt(fanIn), 4));
    expect(alphas).toEqual(expected);
    expect(network.getLayer("conv2").getWeights()[0]?.dataSync()).toEqual(flat.getLayer("conv2").getWeights()[0]?.dataSync());
    expect(notes).toEqual([]); // what a defence is meant to do is no departure
    const cifar = build("vgg11", [32, 32, 3]);
    expect(defended(cifar, "compactConvolution").network.countParams()).toBe(cifar.countParams() + 11);
  });

  it("or those that are named, and l2Softmax is the last one alone", () => {
    const { network } = defended(papernot(), ["compactConvolution", { layers: "conv1, fc1", alpha: 2 }]);
    expect(network.layers.filter((l) => /Compact/.test(l.getClassName())).map(({ name }) => name)).toEqual(["conv1", "fc1"]);
    expect(network.getLayer("conv1").getWeights().at(-1)?.dataSync()[0]).toBe(2);
    const x = images(2, [28, 28, 1]);
    const last = defended(papernot(), "l2Softmax").network;
    expect(last.layers.filter((l) => /Compact/.test(l.getClassName())).map(({ name }) => name)).toEqual(["logits"]);
    expect(outputs(last, x)).toEqual(outputs(defended(papernot(), ["compactConvolution", { layers: "logits" }]).network, x));
  });

  it("weight decay applies to kernels, and neither to biases nor to α", () => {
    const weights = trainedWeights(defended(papernot(), "compactConvolution").network);
    expect(weights).toHaveLength(21);
    expect(weights.filter(({ decays }) => decays).map(({ variable }) => variable.rank)).toEqual([4, 4, 4, 4, 2, 2, 2]);
    expect(weights.filter(({ variable }) => variable.rank === 0 && /alpha/.test(variable.name))).toHaveLength(7);
  });

  it("is saved and loads again, with the same scores", async () => {
    const { network } = defended(convNetwork({ seed: 3 }), "compactConvolution");
    await saveNetwork(network, directory, { input: {} });
    const x = images(3, [8, 8, 1]);
    expect(outputs((await loadNetwork(directory)).network, x)).toEqual(outputs(network, x));
  });

  it("stands under and over the volumizer, and under label smoothing and bounded ReLU", () => {
    const volumizer = ["volumizedCurriculum", { patch: 4, kernelDepth: 1 }] as const;
    for (const stack of [
      ["compactConvolution", volumizer],
      [volumizer, "compactConvolution"],
    ] as const) {
      const { network } = defended(convNetwork({ seed: 3 }), ...stack);
      expect(types(network)).toEqual(expect.arrayContaining(["CompactConv3D", "CompactDense"]));
      expect(network.outputs[0]?.shape).toEqual([null, 4, 3]);
    }
    const { network } = defended(papernot(), "compactConvolution", "boundedRelu", "labelSmoothing");
    expect([count(network, "CompactConv2D"), count(network, "BoundedRelu")]).toEqual([4, 6]);
  });

  it("says which layers it leaves, and refuses names that it cannot meet", () => {
    const image = tfl.input({ shape: [8, 8, 2] });
    const { depthwiseConv2d, flatten, dense } = tfl.layers;
    const layers = [depthwiseConv2d({ name: "each", kernelSize: 3 }), flatten({ name: "flat" }), dense({ name: "scores", units: 3 })];
    const network = tfl.model({ inputs: image, outputs: layers.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, image) });
    const { notes } = defended(network, "compactConvolution");
    expect(notes[0]).toContain('leaves "each" (DepthwiseConv2D) as they are');
    const named = (names: string) => () => defended(network, ["compactConvolution", { layers: names }]);
    expect(named("each")).toThrow(invalid("PARAMETER_INVALID", 'layer "each" is a DepthwiseConv2D'));
    expect(named("score")).toThrow(invalid("PARAMETER_INVALID", 'layer "score" does not exist'));
    const none = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [1, 3, 1] })] });
    expect(() => defended(none, "compactConvolution")).toThrow(invalid("MODEL_INVALID", "would change nothing"));
    expect(() => defended(none, "l2Softmax")).toThrow(invalid("MODEL_INVALID", "l2Softmax"));
    expect(() => defended(papernot(), "compactConvolution", "l2Softmax")).toThrow(invalid("MODEL_INVALID", "CompactDense"));
  });
});

describe("localResponseNormalization", () => {
  it("stands behind the ReLU of every convolution and nowhere else, by the definition", () => {
    const network = defended(papernot(), "localResponseNormalization").network;
    const after = (name: string) => network.getLayer(name).outboundNodes.map(({ outboundLayer }) => outboundLayer.getClassName());
    expect(count(network, "LocalResponseNormalization")).toBe(4);
    expect(["conv1", "conv4", "fc1"].map((name) => after(name)[0])).toEqual([
      "LocalResponseNormalization",
      "LocalResponseNormalization",
      "Dense",
    ]);
    const x = images(1, [8, 8, 1]);
    const small = convNetwork({ seed: 4, batchNorm: true });
    const lrn = defended(small, "localResponseNormalization").network;
    const of = (model: tfl.LayersModel, type: string) =>
      outputs(
        tfl.model({ inputs: model.inputs, outputs: model.layers.find((l) => l.getClassName() === type)?.output as tfl.SymbolicTensor }),
        x,
      );
    const rectified = of(small, "ReLU");
    const expected = rectified.map((value, i) => {
      const place = i - (i % 4); // four channels, all within two of channels 1 and 2
      let sum = 0;
      for (let c = 0; c < 4; c++) if (Math.abs(c - (i % 4)) <= 2) sum += (rectified[place + c] ?? 0) ** 2;
      return value / (2 + 1e-4 * sum) ** 0.75;
    });
    expect(near(of(lrn, "LocalResponseNormalization"), expected)).toBeLessThan(1e-6);
  });

  it("comes before the volumizer, not behind it", () => {
    const volumizer = ["volumizedCurriculum", { patch: 4 }] as const;
    expect(count(defended(convNetwork(), "localResponseNormalization", volumizer).network, "LocalResponseNormalization")).toBe(1);
    expect(() => defended(convNetwork(), volumizer, "localResponseNormalization")).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID", fix: expect.stringContaining("before volumizedCurriculum") }),
    );
  });
});

describe("batchNormalization", () => {
  it("stands between every convolution or hidden dense layer and its ReLU, and changes no score at first but by its ε", () => {
    const flat = papernot();
    const { network } = defended(flat, "batchNormalization");
    expect(count(network, "BatchNormalization")).toBe(6);
    expect(network.countParams()).toBe(312_202 + 4 * (32 + 32 + 64 + 64 + 200 + 200));
    const order = types(network).slice(2, 5);
    expect(order).toEqual(["Conv2D", "BatchNormalization", "Activation"]);
    expect(network.getLayer("conv1").getConfig()["activation"]).toBe("linear");
    expect(network.layers.find((l) => l.getClassName() === "BatchNormalization")?.getConfig()).toMatchObject({
      momentum: 0.9,
      epsilon: 1e-3,
    });
    const x = images(2, [28, 28, 1]);
    // Running averages of 0 and variances of 1: each of the six divides by √1.001.
    expect(near(outputs(network, x), outputs(flat, x))).toBeLessThan(0.01);
  });

  it("leaves what is normalised already, and refuses a network where nothing is left", () => {
    const once = defended(convNetwork({ batchNorm: true }), ["compactConvolution", {}]).network;
    expect(() => defended(once, "batchNormalization")).toThrow(invalid("MODEL_INVALID", "would change nothing"));
    const { network } = defended(papernot(), "compactConvolution", "batchNormalization");
    expect([count(network, "CompactConv2D"), count(network, "BatchNormalization")]).toEqual([4, 6]);
  });
});
