import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { adam, type Optimizer, sgd, trainedWeights } from "../../../../src/engine/training/optimizers.ts";
import { near } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const start = [0.5, -1, 2, 0.25];
const gradients = [
  [0.3, -0.2, 0.001, 0],
  [-0.1, 0.4, 0.002, 1],
  [0.2, 0.2, -3, 1e-5],
  [1, -1, 0.5, 0],
];

/** A dense layer of one unit, whose kernel is what is trained. */
function kernel(values: number[], bias = false) {
  const network = tfl.sequential({ layers: [tfl.layers.dense({ inputShape: [values.length], units: 1, useBias: bias })] });
  network.setWeights([tf.tensor2d(values, [values.length, 1]), ...(bias ? [tf.tensor1d([1])] : [])]);
  return trainedWeights(network);
}

function ours(make: (weights: ReturnType<typeof kernel>) => Optimizer, rates: number[]): Float32Array | number[] {
  const weights = kernel(start);
  const optimizer = make(weights);
  gradients.forEach((gradient, i) => {
    optimizer.update({ [weights[0]?.variable.name ?? ""]: tf.tensor2d(gradient, [4, 1]) }, rates[i] ?? 0);
  });
  return Array.from(weights[0]?.variable.dataSync() ?? []);
}

function theirs(make: (learningRate: number) => tf.Optimizer, rate: number): number[] {
  const variable = tf.variable(tf.tensor2d(start, [4, 1]));
  const optimizer = make(rate);
  for (const gradient of gradients) optimizer.applyGradients({ [variable.name]: tf.tensor2d(gradient, [4, 1]) });
  return Array.from(variable.dataSync());
}
const constant = (rate: number) => [rate, rate, rate, rate];

describe("optimisers", () => {
  it("Adam takes tfjs-core's steps", () => {
    expect(
      near(
        ours((w) => adam(w, 0), constant(0.01)),
        theirs((rate) => tf.train.adam(rate), 0.01),
      ),
    ).toBeLessThan(1e-6);
  });

  it("SGD with momentum takes tfjs-core's steps, and without it plain ones", () => {
    expect(
      near(
        ours((w) => sgd(w, 0.9, 0), constant(0.1)),
        theirs((rate) => tf.train.momentum(rate, 0.9), 0.1),
      ),
    ).toBeLessThan(1e-6);
    expect(
      near(
        ours((w) => sgd(w, 0, 0), constant(0.1)),
        theirs((rate) => tf.train.sgd(rate), 0.1),
      ),
    ).toBeLessThan(1e-6);
  });

  it("follows a changing learning rate", () => {
    expect(
      near(
        ours((w) => sgd(w, 0, 0), [1, 0, 0.5, 0]),
        [0.5 - 0.3 - 0.1, -1 + 0.2 - 0.1, 2 - 0.001 + 1.5, 0.25 - 5e-6],
      ),
    ).toBeLessThan(1e-6);
  });

  it("decays kernels and not biases", () => {
    const weights = kernel([2], true);
    const optimizer = sgd(weights, 0, 0.1);
    optimizer.update(Object.fromEntries(weights.map((w) => [w.variable.name, tf.zeros(w.variable.shape)])), 0.5);
    expect(weights[0]?.variable.dataSync()[0]).toBeCloseTo(2 - 0.5 * 0.1 * 2, 6);
    expect(weights[1]?.variable.dataSync()[0]).toBe(1);
  });

  it("frees its state", () => {
    const weights = kernel(start);
    const before = tf.memory().numTensors;
    const optimizer = adam(weights, 0);
    expect(tf.memory().numTensors).toBe(before + 2);
    const gradient = tf.ones([4, 1]);
    optimizer.update({ [weights[0]?.variable.name ?? ""]: gradient }, 0.1);
    expect(tf.memory().numTensors).toBe(before + 3);
    optimizer.dispose();
    expect(tf.memory().numTensors).toBe(before + 1);
  });
});
