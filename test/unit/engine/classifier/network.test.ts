import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { resolveParams, type TrainingPlan, type VolumizerOptions } from "../../../../src/engine/define/index.ts";
import { mutualInformation } from "../../../../src/engine/measures/mutualInformation.ts";
import { find } from "../../../../src/engine/registry.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import { plainPlan } from "../../../../src/engine/training/plan.ts";
import { volumize } from "../../../../src/engine/volumizer/volumize.ts";
import { convNetwork, linearClassifier, linearNetwork, near } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

describe("classifier of a layers model", () => {
  it("gives W·x", () => {
    const model = linearClassifier(
      [
        [1, -1],
        [0, 0.5],
        [-1, 1],
      ],
      [1, 2, 1],
    );
    const logits = model.logits(tf.tensor4d([0.6, 0.4], [1, 1, 2, 1]));
    expect(near(logits.dataSync(), [0.2, 0.2, -0.2])).toBeLessThan(1e-6);
    expect(model.classes).toBe(3);
    expect(model.inputShape).toEqual([1, 2, 1]);
    expect(model.classNames).toEqual(["0", "1", "2"]);
  });

  it("shows the network (255·x − mean) / scale in its own channel order", () => {
    // A linear network that copies the three channels of one pixel: what it sees is what comes out.
    const network = linearNetwork(
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      [1, 1, 3],
    );
    const contract = { input: { channels: "bgr" as const, mean: [10, 20, 30], scale: [2, 4, 5] } };
    const model = classifierOf(network, { contract, outputs: "logits" });
    const seen = model.logits(tf.tensor4d([0.2, 0.4, 1], [1, 1, 1, 3])).dataSync();
    expect(near(seen, [(255 - 10) / 2, (102 - 20) / 4, (51 - 30) / 5])).toBeLessThan(1e-4);
  });

  it("leaves out the outputs before that of class 0", () => {
    const network = linearNetwork(
      [
        [9, 9],
        [0, 0.5],
        [-1, 1],
      ],
      [1, 2, 1],
    );
    const model = classifierOf(network, { contract: { input: {}, output: { labelOffset: 1 } }, outputs: "logits" });
    expect(model.classes).toBe(2);
    expect(near(model.logits(tf.tensor4d([0.6, 0.4], [1, 1, 2, 1])).dataSync(), [0.2, -0.2])).toBeLessThan(1e-6);
  });

  it("transposes for a channels-first network and keeps the gradient in image order", () => {
    const network = tfl.sequential({
      layers: [tfl.layers.flatten({ inputShape: [2, 1, 2] }), tfl.layers.dense({ units: 4, useBias: false })],
    });
    network.setWeights([tf.eye(4)]);
    const model = classifierOf(network, { contract: { input: { layout: "nchw", channels: "rgb" } }, outputs: "logits" });
    expect(model.inputShape).toEqual([1, 2, 2]);
    const x = tf.tensor4d([1, 2, 3, 4], [1, 1, 2, 2]); // pixel (0,0) = [1,2], pixel (0,1) = [3,4]
    expect(Array.from(model.logits(x).dataSync())).toEqual([1, 3, 2, 4]);
    const { gradient } = inputGradient(model, x, (z) => tf.sum(tf.mul(z, tf.tensor2d([[1, 10, 100, 1000]]))));
    expect(Array.from(gradient.dataSync())).toEqual([1, 100, 10, 1000]);
  });

  it("turns probabilities into log-probabilities, finite for 0", () => {
    const network = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [1, 1, 2] })] });
    const model = classifierOf(network, { contract: { input: {} }, outputs: "probabilities" });
    const logits = model.logits(tf.tensor4d([0.25, 0], [1, 1, 1, 2])).dataSync();
    expect(logits[0]).toBeCloseTo(Math.log(0.25), 6);
    expect(logits[1]).toBeCloseTo(Math.log(1e-12), 3);
  });

  it("counts a gradient once, as a gradient", () => {
    const model = linearClassifier(
      [
        [1, 0],
        [0, 1],
      ],
      [1, 2, 1],
    );
    const x: Images = tf.ones([5, 1, 2, 1]);
    model.logits(x);
    inputGradient(model, x, (z) => tf.sum(z));
    expect(model.evaluations).toEqual({ forward: 5, gradient: 5 });
  });

  it("refuses a network that is no image classifier", () => {
    const network = tfl.sequential({ layers: [tfl.layers.dense({ units: 3, inputShape: [7] })] });
    expect(() => classifierOf(network, { contract: { input: {} }, outputs: "logits" })).toThrow(/size of an image/);
  });
});

describe("feature source", () => {
  it("finds the pooled convolution, and head ∘ features is the model", () => {
    const model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    const source = model.featureSource;
    if (!source) throw new Error("no feature source");
    expect(source.defaultLayer).toMatch(/^pool/);
    expect(source.layers).toHaveLength(3);
    const x: Images = tf.randomUniform([2, 8, 8, 1], 0, 1, "float32", 3);
    for (const layer of source.layers) {
      const features = source.features(x, layer);
      const logits = source.head(features, x, layer);
      expect(near(logits.dataSync(), model.logits(x).dataSync())).toBeLessThan(1e-6);
    }
    expect(source.features(x, source.defaultLayer).shape).toEqual([2, 4, 4, 4]);
    expect(source.toImage(tf.ones([2, 4, 4]), x).shape).toEqual([2, 8, 8]);
  });

  it("runs a graph with a path around the layer", () => {
    const input = tfl.input({ shape: [4, 4, 2] });
    const conv = tfl.layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", name: "inner" }).apply(input) as tfl.SymbolicTensor;
    const sum = tfl.layers.add({ name: "joined" }).apply([conv, input]) as tfl.SymbolicTensor;
    const output = tfl.layers.dense({ units: 3 }).apply(tfl.layers.flatten().apply(sum)) as tfl.SymbolicTensor;
    const model = classifierOf(tfl.model({ inputs: input, outputs: output }), { contract: { input: {} }, outputs: "logits" });
    const x: Images = tf.randomUniform([2, 4, 4, 2], 0, 1, "float32", 5);
    const source = model.featureSource;
    const features = source?.features(x, "inner");
    if (!source || !features) throw new Error("no feature source");
    expect(near(source.head(features, x, "inner").dataSync(), model.logits(x).dataSync())).toBeLessThan(1e-6);
    expect(source.layers).toEqual(["inner", "joined"]);
  });

  it("puts the slices of a volumized network back where they came from", () => {
    const volumizer: VolumizerOptions = {
      patch: 4,
      measure: mutualInformation,
      measureParams: {},
      order: "asc",
      reference: "mostSalient",
      refScore: "true",
      onRemainder: "error",
    };
    const network = tfl.sequential({
      layers: [
        tfl.layers.conv3d({ inputShape: [4, 4, 4, 1], filters: 2, kernelSize: [3, 3, 3], padding: "same", name: "volume" }),
        tfl.layers.reshape({ targetShape: [4, 32] }),
        tfl.layers.dense({ units: 3 }),
      ],
    });
    const plan: TrainingPlan = {
      ...plainPlan,
      prepare: (x) => volumize(x, volumizer).volume,
      toLogits: (output) => tf.mean(output, 1),
      volumizer,
    };
    const model = classifierOf(network, { contract: { input: {} }, outputs: "logits", plan, inputShape: [8, 8, 1] });
    const x: Images = tf.randomUniform([2, 8, 8, 1], 0, 1, "float32", 9);
    const source = model.featureSource;
    if (!source) throw new Error("no feature source");
    const features = source.features(x, "volume");
    expect(features.shape).toEqual([8, 4, 4, 2]);
    expect(near(source.head(features, x, "volume").dataSync(), model.logits(x).dataSync())).toBeLessThan(1e-6);
    // The volume of the image itself, slice by slice, is the image again.
    const slices = tf.reshape(volumize(x, volumizer).volume, [8, 4, 4]) as tf.Tensor3D;
    expect(Array.from(source.toImage(slices, x).dataSync())).toEqual(Array.from(x.dataSync()));
  });

  it("of a network in 3-D has layers of one map a slice alone, each of which leads to the logits", () => {
    const [defense, model] = [find("defense", "volumizedCurriculum"), find("model", "papernot")];
    if (defense.kind !== "training") throw new Error("no training defence");
    const facts = { inputShape: [16, 16, 1], classes: 3 } as const;
    const plan = defense.plan(plainPlan, resolveParams(defense.params, { patch: 8, kernelDepth: 3 }, defense.id), facts);
    const network = plan.network(model.build({}, { ...facts, seed: 1 }));
    const classifier = classifierOf(network, { contract: { input: {} }, outputs: "logits", plan, inputShape: facts.inputShape });
    const x: Images = tf.randomUniform([2, 16, 16, 1], 0, 1, "float32", 4);
    const logits = classifier.logits(x).dataSync();
    const source = classifier.featureSource;
    if (!source) throw new Error("no feature source");
    expect(source.layers.length).toBeGreaterThan(3);
    for (const layer of source.layers) {
      const features = source.features(x, layer);
      expect([layer, features.shape[0]]).toEqual([layer, 2 * 4]);
      expect(near(source.head(features, x, layer).dataSync(), logits)).toBeLessThan(1e-6);
      expect(source.toImage(tf.mean(features, 3), x).shape).toEqual([2, 16, 16]);
    }
    classifier.dispose();
  });
});
