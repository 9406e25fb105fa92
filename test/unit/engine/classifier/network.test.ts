import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import { linearClassifier, linearNetwork, near } from "../fixtures.ts";

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
    expect(logits[1]).toBeCloseTo(Math.log(1e-36), 3);
  });

  it("keeps the gradients of a mean of probabilities where the network is as good as sure", () => {
    // p₁ = (σ(−60t) + σ(−59t)) / 2 at t = 1, some 1e-26. By hand, with w = e⁻¹/(1 + e⁻¹) = .268941: log p₁ = −59 + log(1 + e⁻¹) − log 2,
    // its derivative −(59 + w), its second one w(1 − w) = .196612.
    const input = tfl.input({ shape: [1, 1, 1] });
    const flat = tfl.layers.flatten().apply(input);
    const heads = [60, 59].map((gap) => {
      const dense = tfl.layers.dense({ units: 2, useBias: false, activation: "softmax", weights: [tf.tensor2d([[0, -gap]])] });
      return dense.apply(flat) as tfl.SymbolicTensor;
    });
    const network = tfl.model({ inputs: input, outputs: tfl.layers.average().apply(heads) as tfl.SymbolicTensor });
    const model = classifierOf(network, { contract: { input: { mean: 0, scale: 255, channels: "gray" } }, outputs: "probabilities" });
    const second = (x: tf.Tensor): tf.Tensor => tf.slice(model.logits(x as Images), [0, 1], [1, 1]);
    const t = tf.ones([1, 1, 1, 1]);
    const slope = tf.grad(second);
    expect(second(t).dataSync()[0]).toBeCloseTo(-59.37989, 4);
    expect(slope(t).dataSync()[0]).toBeCloseTo(-59.268941, 4);
    expect(tf.grad(slope)(t).dataSync()[0]).toBeCloseTo(0.196612, 2);
    // At t = 0 both are σ(0) = 1/2: p″/p − (p′/p)² = 0 − (119/4)².
    expect(tf.grad(slope)(tf.mul(t, 0)).dataSync()[0]).toBeCloseTo(-885.0625, 2);
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
