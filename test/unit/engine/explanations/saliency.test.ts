import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { resolveParams } from "../../../../src/engine/define/index.ts";
import { explainImages } from "../../../../src/engine/evaluation/explain.ts";
import { saliency } from "../../../../src/engine/explanations/saliency.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { attackContext, linearClassifier, near } from "../fixtures.ts";

const explain = async (model: Classifier, x: Images, classes: number[], params: object = {}) => {
  const resolved = resolveParams(saliency.params, params as never, "saliency");
  const { map, area, ...rest } = await saliency.explain(model, x, tf.tensor1d(classes, "int32"), resolved, attackContext());
  return { map: Array.from(map.dataSync()), area: Array.from(area.dataSync()), ...rest };
};

describe("saliency of a linear model", () => {
  // One row of two pixels with two channels: ∂z_0/∂x = (1, −4 | 2, 0.5), ∂z_1/∂x = (0, 0.5 | −1, −5), z_2 is constant.
  const rows = [
    [1, -4, 2, 0.5],
    [0, 0.5, -1, -5],
    [0, 0, 0, 0],
  ];
  let linear: Classifier;
  let x: Images;
  beforeAll(async () => {
    await useBackend("cpu");
    linear = linearClassifier(rows, [1, 2, 2]);
    x = tf.fill([3, 1, 2, 2], 0.5);
  });

  it("is the largest channel of the gradient's magnitude, over its maximum, for the class of each image", async () => {
    const { map, area, degenerate, layer, grid } = await explain(linear, x, [0, 1, 2]);
    expect(near(map, [1, 0.5, 0.1, 1, 0, 0])).toBeLessThan(1e-6);
    expect(area).toEqual([1, 0, 0, 1, 0, 0]);
    expect(degenerate).toEqual([false, false, true]);
    expect([layer, grid]).toEqual([null, null]);
  });

  it("is the same with noise, which moves no gradient here", async () => {
    const { map, degenerate } = await explain(linear, x, [0, 1, 2], { method: "smoothGrad", copies: 3 });
    expect(near(map, [1, 0.5, 0.1, 1, 0, 0])).toBeLessThan(1e-6);
    expect(degenerate).toEqual([false, false, true]);
  });

  it("counts a gradient for every copy and no other pass", async () => {
    const before = { ...linear.evaluations };
    await explain(linear, x, [0, 1, 2], { method: "smoothGrad", copies: 3 });
    expect(linear.evaluations).toEqual({ forward: before.forward, gradient: before.gradient + 9 });
  });

  it("refuses weights that are no numbers", async () => {
    const broken = linearClassifier([[Number.NaN], [0]], [1, 1, 1]);
    await expect(explain(broken, tf.ones([1, 1, 1, 1]), [0])).rejects.toMatchObject({ code: "MODEL_NAN" });
  });
});

// Float64 gradients by PyTorch 1.13 with the weights of the model; SmoothGrad's of 4,000 copies.
describe("saliency of the photo network of the samples", () => {
  const places = [0, 5 * 32 + 9, 16 * 32 + 16, 20 * 32 + 11, 31 * 32 + 31, 12 * 32 + 25];
  const pixels = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 96), Math.floor(i / 3) % 32, i % 3];
    return ((7 * y * y + 13 * x + 29 * c * x + y * x) % 256) / 255;
  });
  let model: Classifier;
  beforeAll(async () => {
    await useBackend("onnxruntime");
    model = (await openModel(path.resolve(import.meta.dirname, "../../../../media/samples/photos/model"))).classifier;
  });
  const mapOf = async (classIndex: number, params: object = {}) =>
    (await explainImages(model, pixels, { id: "saliency", params: { ...params } }, createContext(), { classIndex })).map(0);

  it.each([
    [3, 142.5587924, 18 * 32 + 15, [0.000724, 0.186689, 0.413082, 0.356462, 0.005852, 0.247519]],
    [6, 220.2558418, 10 * 32 + 21, [0.015449, 0.399236, 0.648517, 0.57924, 0.005418, 0.254763]],
  ])("is PyTorch's for class %s", async (classIndex, sum, strongest, values) => {
    const map = await mapOf(classIndex);
    expect(
      near(
        places.map((p) => map[p] as number),
        values,
      ),
    ).toBeLessThan(2e-5);
    expect(map.reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 2);
    expect(map.indexOf(Math.max(...map))).toBe(strongest);
    expect(map[strongest]).toBe(1);
  });

  it("smoothed is PyTorch's, as far as noise allows", async () => {
    const map = await mapOf(3, { method: "smoothGrad", copies: 400 });
    expect(map.reduce((a, b) => a + b, 0) / 1024).toBeCloseTo(0.2355, 2);
    const expected = [0.0037, 0.3341, 0.5706, 0.56, 0.0036, 0.2878];
    expect(
      near(
        places.map((p) => map[p] as number),
        expected,
      ),
    ).toBeLessThan(0.05);
    expect(near(map, await mapOf(3))).toBeGreaterThan(0.1);
  });
});
