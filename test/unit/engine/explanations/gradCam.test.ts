import { beforeAll, describe, expect, it } from "vitest";
import { gradCamMap, normaliseMap } from "../../../../src/engine/attention/gradCamMap.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Classifier, type LayerSource, spatialLayers } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { resolveParams } from "../../../../src/engine/define/index.ts";
import { gradCam } from "../../../../src/engine/explanations/gradCam.ts";
import { type Images, type Logits, tf, tfl } from "../../../../src/engine/tf.ts";
import { attackContext, convNetwork, linearClassifier, near } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

/** A¹ = [[1,2],[3,4]], A² = [[4,3],[2,1]]; z_0 = .5·ΣA¹ − .25·ΣA², z_1 = −z_0. */
const grids = [1, 4, 2, 3, 3, 2, 4, 1]; // [1,2,2,2], channels last
const blank = (): Images => tf.zeros([1, 2, 2, 1]);
const weights = (): tf.Tensor2D =>
  tf.tensor2d(
    [0.5, -0.25, 0.5, -0.25, 0.5, -0.25, 0.5, -0.25].flatMap((w) => [w, -w]),
    [8, 2],
  );
const source: LayerSource = {
  all: [{ name: "a", type: "Conv2D", shape: [null, 2, 2, 2], spatial: true, activation: null }],
  defaultLayer: "a",
  run: (_x, { from } = {}) => {
    const value = from?.value ?? tf.tensor4d(grids, [1, 2, 2, 2]);
    const logits = tf.matMul(tf.reshape(value, [1, 8]), weights()) as Logits;
    return { logits, taken: new Map([["a", value]]) };
  },
  kernel: () => undefined,
  toImage: (map) => map.clone(),
  inPlace: (map) => map.clone(),
};

describe("Grad-CAM map", () => {
  it("is ReLU of the weighted grids", () => {
    const map = gradCamMap(source, blank(), tf.tensor1d([0], "int32"), "a");
    expect(near(map.dataSync(), [0, 0.25, 1, 1.75])).toBeLessThan(1e-6);
    expect(near(normaliseMap(map, 1, "max").dataSync(), [0, 0.142857, 0.571429, 1])).toBeLessThan(1e-6);
    expect(
      near(
        normaliseMap(
          tf.tensor3d([
            [
              [1, 3],
              [2, 5],
            ],
          ]),
          1,
          "minmax",
        ).dataSync(),
        [0, 0.5, 0.25, 1],
      ),
    ).toBeLessThan(1e-6);
  });

  it("of the opposite class shows where that has evidence", () => {
    const map = gradCamMap(source, blank(), tf.tensor1d([1], "int32"), "a");
    expect(near(map.dataSync(), [0.5, 0, 0, 0])).toBeLessThan(1e-6);
  });

  it("is a class activation map for global average pooling and a dense head", () => {
    const network = tfl.sequential({
      layers: [
        tfl.layers.conv2d({
          inputShape: [5, 5, 1],
          filters: 3,
          kernelSize: 3,
          activation: "relu",
          kernelInitializer: tfl.initializers.glorotUniform({ seed: 4 }),
          name: "cam",
        }),
        tfl.layers.globalAveragePooling2d({}),
        tfl.layers.dense({ units: 2, kernelInitializer: tfl.initializers.glorotUniform({ seed: 5 }) }),
      ],
    });
    const model = classifierOf(network, { contract: { input: {} }, outputs: "logits" });
    const images: Images = tf.randomUniform([1, 5, 5, 1], 0, 1, "float32", 6);
    const cam = model.layers;
    if (!cam) throw new Error("no layers");
    const features =
      cam
        .run(images, { take: ["cam"] })
        .taken.get("cam")
        ?.dataSync() ?? [];
    const weights = network.getWeights()[2]?.dataSync() ?? [];
    const expected = Array.from({ length: 9 }, (_, p) =>
      Math.max(
        0,
        [0, 1, 2].reduce((sum, k) => sum + ((weights[k * 2 + 1] ?? 0) / 9) * (features[p * 3 + k] ?? 0), 0),
      ),
    );
    expect(near(gradCamMap(cam, images, tf.tensor1d([1], "int32"), "cam").dataSync(), expected)).toBeLessThan(1e-6);
  });
});

describe("gradCam", () => {
  const explain = (model: Classifier, images: Images, params: object = {}) =>
    gradCam.explain(
      model,
      images,
      tf.zeros([images.shape[0]], "int32") as tf.Tensor1D,
      resolveParams(gradCam.params, params as never, "gradCam"),
      attackContext(),
    );

  it("gives a map in [0,1] and an area at image size, each image its own", async () => {
    const model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    const images: Images = tf.randomUniform([3, 8, 8, 1], 0, 1, "float32", 8);
    const both = await explain(model, images);
    expect(both.map.shape).toEqual([3, 8, 8]);
    expect(both.layer).toBe(model.layers?.defaultLayer);
    const values = both.map.dataSync();
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThanOrEqual(1);
    const alone = await explain(model, images.slice([1, 0, 0, 0], [1, 8, 8, 1]) as Images);
    expect(near(alone.map.dataSync(), values.slice(64, 128))).toBeLessThan(1e-5);
    expect(near(alone.area.dataSync(), both.area.dataSync().slice(64, 128))).toBe(0);
  });

  it("says that a map is zero everywhere, with an empty area", async () => {
    const network = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [4, 4, 1], filters: 1, kernelSize: 1, kernelInitializer: "ones" }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 2, kernelInitializer: tfl.initializers.constant({ value: -1 }) }),
      ],
    });
    const model = classifierOf(network, { contract: { input: {} }, outputs: "logits" });
    const { degenerate, map, area } = await explain(model, tf.ones([2, 4, 4, 1]));
    expect(degenerate).toEqual([true, true]);
    expect(Math.max(...map.dataSync(), ...area.dataSync())).toBe(0);
  });

  it("does not change when a constant is added to all logits", async () => {
    const network = convNetwork({ seed: 3 });
    const model = classifierOf(network, { contract: { input: {} }, outputs: "logits" });
    const images: Images = tf.randomUniform([2, 8, 8, 1], 0, 1, "float32", 2);
    const before = (await explain(model, images)).map.dataSync();
    const weights = network.getWeights().map((w) => w.clone());
    network.setWeights(weights.map((w, i) => (i === weights.length - 1 ? tf.add(w, 5) : w)));
    expect(near((await explain(model, images)).map.dataSync(), before)).toBeLessThan(1e-6);
  });

  it("takes a layer by name and an area by size, and refuses what is none", async () => {
    const model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    const images: Images = tf.randomUniform([1, 8, 8, 1], 0, 1, "float32", 8);
    const [first = ""] = spatialLayers(model);
    const result = await explain(model, images, { layer: first, threshold: "equalSize", areaPixels: 10, normalise: "minmax" });
    expect(result.layer).toBe(first);
    expect(result.degenerate).toEqual([false]);
    expect(tf.sum(result.area).dataSync()[0]).toBe(10);
    await expect(explain(model, images, { layer: "nowhere" })).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
    await expect(
      explain(
        linearClassifier(
          [
            [1, 0],
            [0, 1],
          ],
          [1, 2, 1],
        ),
        tf.zeros([1, 1, 2, 1]),
      ),
    ).rejects.toThrow(/layer with a grid/);
  });
});
