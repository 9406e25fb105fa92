import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { CompactConv2D, CompactConv3D, CompactDense } from "../../../../src/engine/models/layers/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { near } from "../fixtures.ts";
import { to3d } from "./to3d.ts";

const call = (layer: tfl.layers.Layer, x: tf.Tensor): tf.Tensor => layer.call(x, {}) as tf.Tensor;
const built = (layer: tfl.layers.Layer, shape: readonly number[], weights: readonly (readonly number[])[]): tfl.layers.Layer => {
  layer.build([null, ...shape]);
  layer.setWeights(weights.map((values, i) => tf.tensor([...values], layer.weights[i]?.shape as number[])));
  return layer;
};
/** x = [1, 2, 2, 0, 0] in a row of pixels, W = [1, 0, −1]. */
const row = (alpha = 1, bias = 0) =>
  built(new CompactConv2D({ filters: 1, kernelSize: [1, 3], padding: "same" }), [1, 5, 1], [[1, 0, -1], [bias], [alpha]]);
const pixels = (values: readonly number[]) => tf.tensor4d([...values], [1, 1, values.length, 1]);
/** The output at one place of a row. */
const outputAt = (layer: tfl.layers.Layer, place: number) => (v: tf.Tensor) =>
  tf.sum(tf.mul(tf.reshape(call(layer, v), [-1]), tf.tensor1d(mask(v.size, place))));
const mask = (n: number, place: number): number[] => Array.from({ length: n }, (_, i) => (i === place ? 1 : 0));

/** y by its definition, patch by patch, without padding: x [h,w,c], kernel [k,k,c,o]. */
function definition(x: number[][][], kernel: number[][][][], alpha: number, bias: readonly number[]): number[] {
  const k = kernel.length;
  const result: number[] = [];
  for (let i = 0; i + k <= x.length; i++)
    for (let j = 0; j + k <= (x[0]?.length ?? 0); j++) {
      let square = 0;
      const products = bias.map(() => 0);
      for (let p = 0; p < k; p++)
        for (let q = 0; q < k; q++)
          (x[i + p]?.[j + q] ?? []).forEach((value, c) => {
            square += value * value;
            products.forEach((_, o) => {
              products[o] = (products[o] ?? 0) + value * (kernel[p]?.[q]?.[c]?.[o] ?? 0);
            });
          });
      result.push(...products.map((product, o) => (alpha * product) / (Math.sqrt(square) + 0.01) + (bias[o] ?? 0)));
    }
  return result;
}

describe.each(["cpu", "onnxruntime", "wasm"] as const)("compact layers on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  it("have the gradient of the second output by hand", () => {
    const gradient = tf.grad(outputAt(row(), 1))(pixels([1, 2, 2, 0, 0]));
    expect(near(gradient.dataSync(), [0.369017, 0.073583, -0.258643, 0, 0])).toBeLessThan(1e-6);
  });

  it("give the bias on a patch of zeros, with the gradient 99.99·α·W and finite second derivatives", () => {
    const [x, layer] = [pixels([0, 0, 0, 0, 0]), row(2, 0.5)];
    expect([...call(layer, x).dataSync()]).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
    const first = outputAt(layer, 2);
    expect(near(tf.grad(first)(x).dataSync(), [0, 2 / 0.010001, 0, -2 / 0.010001, 0])).toBeLessThan(1e-2);
    const second = tf.grad((v: tf.Tensor) => tf.sum(tf.square(tf.grad(first)(v))))(x);
    expect([...second.dataSync()].every(Number.isFinite)).toBe(true);
    const dense = built(new CompactDense({ units: 1 }), [2], [[1, -1], [0.25], [3]]);
    const zeros = tf.zeros([1, 2]);
    expect([...call(dense, zeros).dataSync()]).toEqual([0.25]);
    expect(
      near(
        tf
          .grad((v: tf.Tensor) => tf.sum(call(dense, v)))(zeros)
          .dataSync(),
        [3 / 0.010001, -3 / 0.010001],
      ),
    ).toBeLessThan(1e-2);
  });

  it("agree with a loop over patches, and stay within α‖W‖ of the bias", () => {
    const random = createRandom(3);
    const [x, kernel] = [tf.tensor4d(random.uniforms(50, -1, 1), [1, 5, 5, 2]), tf.tensor4d(random.uniforms(54, -1, 1), [3, 3, 2, 3])];
    const [alpha, bias] = [1.7, [0.1, -0.2, 0.3]];
    const layer = built(new CompactConv2D({ filters: 3, kernelSize: 3 }), [5, 5, 2], [[...kernel.dataSync()], bias, [alpha]]);
    const y = call(layer, x);
    const byHand = definition((x.arraySync() as number[][][][])[0] as number[][][], kernel.arraySync(), alpha, bias);
    expect(near(y.dataSync(), byHand)).toBeLessThan(1e-5);
    const norms = [...tf.sqrt(tf.sum(tf.square(kernel), [0, 1, 2])).dataSync()];
    const large = call(layer, tf.mul(x, 1000)).dataSync(); // the norm of the patch does not matter
    large.forEach((value, i) => {
      expect(Math.abs(value - (bias[i % 3] ?? 0))).toBeLessThanOrEqual(alpha * (norms[i % 3] ?? 0) + 1e-5);
    });
  });

  it("train: every weight and the image have a finite gradient", () => {
    const image = tfl.input({ shape: [6, 6, 2] });
    const layers = [
      new CompactConv2D({ filters: 4, kernelSize: 3, padding: "same", activation: "relu" }),
      new CompactConv2D({ filters: 4, kernelSize: 3, strides: 2, groups: 2 }),
      tfl.layers.flatten(),
      new CompactDense({ units: 3 }),
    ];
    const network = tfl.model({ inputs: image, outputs: layers.reduce((v, layer) => layer.apply(v) as tfl.SymbolicTensor, image) });
    const x = tf.variable(tf.tensor4d(createRandom(4).uniforms(144), [2, 6, 6, 2]));
    const weights = network.trainableWeights.map((w) => w.read() as tf.Variable);
    const { grads } = tf.variableGrads(() => tf.sum(tf.square(network.apply(x) as tf.Tensor)) as tf.Scalar, [...weights, x]);
    expect(Object.keys(grads)).toHaveLength(3 * 3 + 1);
    for (const gradient of Object.values(grads)) {
      expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
      expect(gradient.dataSync().some((value) => value !== 0)).toBe(true);
    }
  });
});

describe("compact layers", () => {
  beforeAll(() => useBackend("cpu"));

  it("begin with α = √fan_in, or with what they are told", () => {
    const alphaOf = (layer: tfl.layers.Layer, shape: readonly number[]): number => {
      layer.build([null, ...shape]);
      return layer.getWeights().at(-1)?.dataSync()[0] ?? Number.NaN;
    };
    expect(alphaOf(new CompactConv2D({ filters: 2, kernelSize: 3 }), [28, 28, 1])).toBe(3);
    expect(alphaOf(new CompactConv2D({ filters: 2, kernelSize: 3 }), [26, 26, 32])).toBeCloseTo(16.970563, 5);
    expect(alphaOf(new CompactConv2D({ filters: 2, kernelSize: 3, groups: 2 }), [5, 5, 8])).toBe(6);
    expect(alphaOf(new CompactConv3D({ filters: 2, kernelSize: [2, 3, 3] }), [4, 5, 5, 2])).toBe(6);
    expect(alphaOf(new CompactDense({ units: 10 }), [200])).toBeCloseTo(14.142136, 5);
    expect(alphaOf(new CompactDense({ units: 10, alpha: 4.5 }), [200])).toBe(4.5);
    expect(() => new CompactDense({ units: 10, alpha: -1 })).toThrow("at least 0");
  });

  it("in 3-D with kernels of depth 1 see each slice as the image was seen; deeper ones say that they do not", () => {
    const image = tfl.input({ shape: [6, 6, 2] });
    const convolution = new CompactConv2D({
      filters: 3,
      kernelSize: 3,
      strides: 2,
      padding: "same",
      activation: "relu",
      alpha: 2,
      delta: 0.1,
    });
    const layers = [convolution, tfl.layers.flatten(), new CompactDense({ units: 4, alpha: 3 })];
    const flat = tfl.model({ inputs: image, outputs: layers.reduce((v, layer) => layer.apply(v) as tfl.SymbolicTensor, image) });
    const deep = to3d(flat, { depth: 3, patch: [6, 6], kernelDepth: 1, weights: "inflate" });
    expect(deep.layers.map((layer) => layer.getClassName())).toContain("CompactConv3D");
    const volume = tf.tensor(createRandom(5).uniforms(2 * 3 * 72, -1, 1), [2, 3, 6, 6, 2]);
    const expected = flat.predict(tf.reshape(volume, [6, 6, 6, 2])) as tf.Tensor;
    expect(near((deep.predict(volume) as tf.Tensor).dataSync(), expected.dataSync())).toBeLessThan(1e-5);
    const grouped = tfl.sequential({
      layers: [
        tfl.layers.inputLayer({ inputShape: [6, 6, 2] }),
        new CompactConv2D({ filters: 2, kernelSize: 3, groups: 2 }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 2 }),
      ],
    });
    expect(() => to3d(grouped, { depth: 2, patch: [6, 6], kernelDepth: 1 })).toThrow("norms of groups of channels");
    expect(() => to3d(flat, { depth: 2, patch: [6, 6], kernelDepth: 1, perSliceHead: true })).toThrow("weights of its own for each place");
  });

  it("LRN is that of Krizhevsky et al.: channels 1 to 5, by hand", () => {
    const y = tf.localResponseNormalization(tf.tensor4d([1, 2, 3, 4, 5], [1, 1, 1, 5]), 2, 2, 1e-4, 0.75);
    expect(near(y.dataSync(), [0.594292, 1.187871, 1.78014, 2.373609, 2.967456])).toBeLessThan(1e-6);
  });
});
