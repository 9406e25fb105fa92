import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { adadelta, adam, type Optimizer, rmsprop, sgd, trainedWeights } from "../../../../src/engine/training/optimizers.ts";
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

  // TensorFlow's ApplyRMSProp in NumPy (float64) from mean squares of 1: the recipe of paper 2 for ImageNet, and without momentum.
  it("RMSProp takes TensorFlow 1's steps", () => {
    const recipe = ours((w) => rmsprop(w, { decay: 0.9, epsilon: 1, momentum: 0.9 }, 0), constant(0.045));
    expect(near(recipe, [0.4286288, -0.99278564, 2.14364553, 0.16175944])).toBeLessThan(1e-6);
    const plain = ours((w) => rmsprop(w, { decay: 0.9, epsilon: 1e-10, momentum: 0 }, 0), constant(0.01));
    expect(near(plain, [0.48421746, -0.99324151, 2.01937761, 0.23951704])).toBeLessThan(1e-6);
    // By hand, one step of g = 0.3: s = 0.9 + 0.1·0.09 = 0.909, w = 0.5 − 0.045·0.3/√1.909 = 0.4902291.
    const one = ours((w) => rmsprop(w, { decay: 0.9, epsilon: 1, momentum: 0.9 }, 0), [0.045, 0, 0, 0])[0] as number;
    expect(one).toBeCloseTo(0.5 - (1 + 0.9 + 0.81 + 0.729) * (0.5 - 0.4902291), 6); // the velocity goes on
  });

  // torch.optim.Adadelta of torch 1.13, in float64.
  it("Adadelta takes torch's steps", () => {
    const moved = (rate: number, o: Parameters<typeof adadelta>[1]): number[] =>
      Array.from(ours((w) => adadelta(w, o, 0), constant(rate))).map((value, i) => value - (start[i] as number));
    const recipe = [-0.0013070885, 0.0003422785, -0.0003294595, -0.00044722];
    expect(near(moved(1, { decay: 0.95, epsilon: 1e-8 }), recipe)).toBeLessThan(1e-6);
    const large = [-0.139444251, 0.0331895588, 0.0362573448, -0.0497525989];
    expect(near(moved(0.5, { decay: 0.9, epsilon: 1e-3 }), large)).toBeLessThan(1e-6);
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
