import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { gradientsOf } from "../../../src/engine/gradients/index.ts";
import { tf, tfl } from "../../../src/engine/tf.ts";
import { apart, at, cubes, dot, cases as kernelCases, random, type Scalar, t4 } from "./gradientCases.ts";
import { contracted, derivatives, expectAgreement, secondOf } from "./gradientChecks.ts";
import { groupedCases } from "./groupedConvolutionCases.ts";

const cases = [...kernelCases, ...groupedCases];

beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});

it("every registered gradient has its case", () => {
  const registered = gradientsOf(tf).map(({ kernelName }) => kernelName);
  expect([...new Set(cases.flatMap(({ gradients }) => gradients))].sort()).toEqual(registered.sort());
});

it.each(cases.flatMap((entry) => entry.gradients.map((kernel) => [entry.name, kernel, entry] as const)))(
  "%s needs the gradient of %s",
  async (_, kernel, entry) => {
    await tf.setBackend("cpu");
    const config = tf.getGradient(kernel);
    tf.unregisterGradient(kernel);
    try {
      expect(() => secondOf(entry)).toThrow(kernel);
    } finally {
      tf.registerGradient(config);
    }
  },
);

it("layer normalisation over a whole image takes no more kernels than over a few numbers, and its gradient adds up to 0", async () => {
  await tf.setBackend("cpu");
  const kernelsOf = async (side: number): Promise<number> => {
    const network = tfl.sequential({ layers: [tfl.layers.layerNormalization({ axis: [1, 2, 3], inputShape: [side, side, 8] })] });
    const x = random([2, side, side, 8], 5);
    const loss = (input: tf.Tensor): tf.Scalar => cubes(network.apply(input) as tf.Tensor);
    const { kernels, result } = await tf.profile(() => tf.tidy(() => tf.grad(loss)(x)));
    const gradient = result as tf.Tensor;
    const sum = tf.tidy(() => tf.sum(gradient).dataSync()[0]);
    expect(sum).toBeCloseTo(0, 2); // y stays where the same is added to all of x
    tf.dispose([gradient, x]);
    network.dispose();
    return kernels.length;
  };
  expect(await kernelsOf(16)).toBe(await kernelsOf(2));
});

describe.each(["cpu", "onnxruntime"])("on %s", (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
  });

  it.each(cases.map((entry) => [entry.name, entry] as const))("%s: second derivative as by central differences", (_, entry) => {
    expectAgreement(secondOf(entry));
  });

  it("leaves no tensor behind", () => {
    const before = tf.memory().numTensors;
    for (const entry of cases) secondOf(entry);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("kernels whose gradient uses their own result: σ″ = σ(1−σ)(1−2σ), tanh″ = −2t(1−t²), (eˣ)″ = eˣ, (2ˣ)″ = ln²2·2ˣ", () => {
    const second = (f: (x: tf.Tensor) => tf.Tensor): number =>
      tf
        .grad((x: tf.Tensor) => tf.sum(tf.grad((y: tf.Tensor) => tf.sum(f(y)))(x)))(tf.tensor1d([0.5]))
        .dataSync()[0] ?? Number.NaN;
    const [sigmoid, tanh] = [1 / (1 + Math.exp(-0.5)), Math.tanh(0.5)];
    expect(second(tf.sigmoid)).toBeCloseTo(sigmoid * (1 - sigmoid) * (1 - 2 * sigmoid), 6);
    expect(second(tf.tanh)).toBeCloseTo(-2 * tanh * (1 - tanh ** 2), 6);
    expect(second(tf.exp)).toBeCloseTo(Math.exp(0.5), 6);
    expect(second((x) => tf.pow(2, x))).toBeCloseTo(Math.LN2 ** 2 * Math.SQRT2, 6);
  });

  it("the Hessian of cross-entropy is diag(p) − p·pᵀ", () => {
    const z = tf.tensor2d([[0.2, -1, 0.7]]);
    const loss = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(tf.logSoftmax(x), tf.tensor2d([[0, -1, 0]])));
    const row = tf
      .grad((x: tf.Tensor) => tf.sum(tf.slice(tf.grad(loss)(x), [0, 0], [1, 1])))(z)
      .dataSync();
    const total = Math.exp(0.2) + Math.exp(-1) + Math.exp(0.7);
    const [a = 0, b = 0, c = 0] = [0.2, -1, 0.7].map((score) => Math.exp(score) / total);
    for (const [i, value] of [a - a * a, -a * b, -a * c].entries()) expect(row[i]).toBeCloseTo(value, 6);
  });

  it("batch normalisation without scale or offset is trained and differentiated: as with ones and zeros", () => {
    const x = random([6, 3], 9);
    const gradientOf = (scale: boolean, center: boolean, training: boolean): number[] => {
      const network = tfl.sequential({ layers: [tfl.layers.batchNormalization({ scale, center, inputShape: [3] })] });
      const loss = (input: tf.Tensor): tf.Scalar => cubes(network.apply(input, { training }) as tf.Tensor);
      const found = [...tf.tidy(() => tf.grad(loss)(x)).dataSync()];
      network.dispose();
      return found;
    };
    for (const training of [true, false]) {
      const wanted = gradientOf(true, true, training);
      for (const [scale, center] of [
        [false, true],
        [true, false],
        [false, false],
      ] as const)
        for (const [i, value] of gradientOf(scale, center, training).entries()) expect(value).toBeCloseTo(wanted[i] ?? Number.NaN, 5);
    }
  });

  it("the first of tied maxima has the second derivative alone: φ = 3y²·v₀, ∇φ = 6y·v₀ = 12", () => {
    const x = tf.tensor4d([1, 1, 0, 1], [1, 2, 2, 1]);
    const phi = contracted((image) => cubes(tf.maxPool(t4(image), 2, 2, "valid")), [tf.tensor4d([2, 3, 5, 7], [1, 2, 2, 1])]);
    expect([
      ...tf
        .grad((image: tf.Tensor) => phi(image))(x)
        .dataSync(),
    ]).toEqual([12, 0, 0, 0]);
  });

  it("the third derivative of a max pool: Σ of 6·u·v·w at the maximum", () => {
    const x = tf.tensor4d([1, 4, 0, 2], [1, 2, 2, 1]);
    const v = tf.tensor4d([2, 3, 5, 7], [1, 2, 2, 1]);
    const first = contracted((image) => cubes(tf.maxPool(t4(image), 2, 2, "valid")), [v]);
    const second = contracted(first, [v]);
    expect([
      ...tf
        .grad((image: tf.Tensor) => second(image))(x)
        .dataSync(),
    ]).toEqual([0, 54, 0, 0]);
  });

  it("max pooling as by b + relu(a − b)", () => {
    const pairwise = (a: tf.Tensor, b: tf.Tensor) => tf.add(b, tf.relu(tf.sub(a, b)));
    const composed = (x: tf.Tensor) => {
      const [a, b, c, d] = tf.split(tf.reshape(x, [2, 3, 2, 3, 2, 2]).transpose([0, 1, 3, 5, 2, 4]).reshape([36, 4]), 4, 1);
      return pairwise(pairwise(at(a), at(b)), pairwise(at(c), at(d)));
    };
    const x = apart([2, 6, 6, 2], 5);
    const v = random(x.shape, 6);
    const hessian = (f: Scalar) =>
      tf
        .grad((image: tf.Tensor) => contracted(f, [v])(image))(x)
        .dataSync();
    const wanted = hessian((image) => cubes(composed(at(image))));
    const actual = hessian((image) => cubes(tf.maxPool(t4(image), 2, 2, "valid")));
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - (actual[i] ?? Number.NaN))))).toBeLessThan(1e-5);
  });

  describe("a small network", () => {
    const weights = [
      [3, 3, 1, 4],
      [3, 3, 4, 4],
      [4 * 2 * 2, 3],
    ] as const;
    const start = () => weights.map((shape, i) => tf.mul(random(shape, 21 + i), 0.5));
    const head = (a: tf.Tensor, w2: tf.Tensor, w3: tf.Tensor) => {
      const b = tf.relu(tf.conv2d(tf.maxPool(t4(a), 2, 2, "valid"), t4(w2), 1, "same"));
      const z = tf.matMul(tf.reshape(tf.avgPool(b, 2, 2, "valid"), [-1, 16]), w3 as tf.Tensor2D);
      return tf.sum(tf.slice(z, [0, 1], [-1, 1]));
    };
    const features = (x: tf.Tensor, w1: tf.Tensor) => tf.relu(tf.conv2d(t4(x), t4(w1), 1, "same"));
    // No ReLU and no maximum changes within the step for these images.
    const x = () => random([2, 8, 8, 1], 8120001);

    it("d/dw of ‖∂z/∂x‖", () => {
      const norm: Scalar = (w1, w2, w3) => {
        const gradient = tf.grad((image: tf.Tensor) => head(features(image, at(w1)), at(w2), at(w3)))(x());
        return tf.sqrt(dot(gradient, gradient));
      };
      expectAgreement(derivatives(norm, start(), 3e-4));
    });

    it("d/dw of a Grad-CAM map's energy", () => {
      const energy: Scalar = (w1, w2, w3) => {
        const a = features(x(), at(w1));
        const alpha = tf.mean(tf.grad((maps: tf.Tensor) => head(maps, at(w2), at(w3)))(a), [1, 2], true);
        return tf.mul(100, tf.sum(tf.square(tf.relu(tf.sum(tf.mul(alpha, a), -1)))));
      };
      expectAgreement(derivatives(energy, start(), 3e-4));
    });
  });
});
