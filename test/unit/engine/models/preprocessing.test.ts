import { promises as fs } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { Normalization } from "../../../../src/engine/models/layers/normalization.ts";
import { CenterCrop, Resizing } from "../../../../src/engine/models/layers/resizing.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { near } from "../fixtures.ts";
import { type LayerJson, type ModelFiles, modelFiles, randomImages, randomWeights } from "../importers/modelFiles.ts";

let files: ModelFiles;
beforeAll(async () => {
  await useBackend("cpu");
  files = await modelFiles();
});
afterAll(() => fs.rm(files.folder, { recursive: true }));

const row = (values: number[]): tf.Tensor4D => tf.tensor4d(values, [1, 1, values.length, 1]);
const applied = (layer: tfl.layers.Layer, x: tf.Tensor): number[] => [...(layer.apply(x) as tf.Tensor).dataSync()];

describe("Resizing", () => {
  it("is bilinear with half-pixel centres, as Keras has it", () => {
    // Centres of 4 pixels over 2: −0.25, 0.25, 0.75, 1.25; outside the outer centres the edge goes on.
    expect(near(applied(new Resizing({ height: 1, width: 4 }), row([0, 1])), [0, 0.25, 0.75, 1])).toBeLessThan(1e-6);
    // Centres of 2 pixels over 4: 0.5 and 2.5, without averaging further pixels.
    expect(near(applied(new Resizing({ height: 1, width: 2 }), row([1, 3, 5, 9])), [2, 7])).toBeLessThan(1e-6);
    // The nearest of 5 for 2 pixels: centres 1.25 and 3.75 from the left edge.
    expect(applied(new Resizing({ height: 1, width: 2, interpolation: "nearest" }), row([1, 3, 5, 9, 11]))).toEqual([3, 9]);
  });

  it("keeps the aspect ratio where that is asked for, by its centre", () => {
    expect(applied(new Resizing({ height: 1, width: 2, cropToAspectRatio: true }), row([1, 3, 5, 9]))).toEqual([3, 5]);
  });

  it("has the gradient of its weights: each pixel's share in the result", () => {
    const layer = new Resizing({ height: 1, width: 4 });
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(layer.apply(x) as tf.Tensor, tf.tensor4d([1, 2, 3, 4], [1, 1, 4, 1]))))(
      row([0, 1]),
    );
    expect(near(gradient.dataSync(), [1 + 2 * 0.75 + 3 * 0.25, 2 * 0.25 + 3 * 0.75 + 4])).toBeLessThan(1e-6);
  });

  it("says its shape with the batch", () => {
    expect(new Resizing({ height: 3, width: 4 }).computeOutputShape([null, 9, 8, 3])).toEqual([null, 3, 4, 3]);
  });
});

describe("CenterCrop", () => {
  it("is the middle, the smaller half of an odd rest in front", () => {
    const crop = new CenterCrop({ height: 1, width: 3 });
    expect(applied(crop, row([1, 2, 3, 4, 5]))).toEqual([2, 3, 4]);
    expect(applied(new CenterCrop({ height: 1, width: 3 }), row([1, 2, 3, 4]))).toEqual([1, 2, 3]);
    expect(applied(new CenterCrop({ height: 1, width: 4 }), row([0, 1]))).toHaveLength(4);
  });
});

describe("Normalization", () => {
  it("takes off the mean and divides by the root of the variance, by its configuration", () => {
    const layer = new Normalization({ mean: [[[[1, 2]]]] as unknown as number[], variance: [4, 0.25] });
    expect(near(applied(layer, tf.tensor4d([5, 3, 1, 1], [1, 1, 2, 2])), [2, 2, 0, -2])).toBeLessThan(1e-6);
    const inverse = new Normalization({ mean: 1, variance: 4, invert: true });
    expect(near(applied(inverse, row([2, 0])), [5, 1])).toBeLessThan(1e-6);
  });

  it("or by its weights, and its count is not missed; it is saved and loaded again", async () => {
    const plain = randomWeights(
      tfl.sequential({
        layers: [tfl.layers.flatten({ inputShape: [3, 2, 3], name: "flat" }), tfl.layers.dense({ units: 3, name: "out" })],
      }),
    );
    const directory = await files.write(plain, (json) => {
      const layers = json.modelTopology.config.layers;
      const [flat] = layers as [LayerJson];
      const { batch_input_shape, ...config } = flat.config;
      flat.config = config;
      layers.unshift({ class_name: "Normalization", config: { name: "norm", axis: [-1], mean: null, variance: null, batch_input_shape } });
      const { weights } = json.weightsManifest[0] as { weights: { name: string; shape: number[]; dtype: string }[] };
      weights.push(
        { name: "norm/mean", shape: [3], dtype: "float32" },
        { name: "norm/variance", shape: [3], dtype: "float32" },
        { name: "norm/count", shape: [], dtype: "int32" },
      );
    });
    const moments = Buffer.from(new Float32Array([0.1, 0.2, 0.3, 4, 9, 0.25]).buffer);
    await fs.appendFile(`${directory}/weights.bin`, Buffer.concat([moments, Buffer.from(new Int32Array([7]).buffer)]));
    const x = randomImages([2, 3, 2, 3]);
    const seen = tf.div(tf.sub(x, [0.1, 0.2, 0.3]), [2, 3, 0.5]);
    const expected = (plain.predict(seen) as tf.Tensor).dataSync();
    const { network, contract } = await loadNetwork(directory);
    expect(near((network.predict(x) as tf.Tensor).dataSync(), expected)).toBeLessThan(1e-5);
    await saveNetwork(network, `${directory}-again`, contract);
    const { network: again } = await loadNetwork(`${directory}-again`);
    expect(near((again.predict(x) as tf.Tensor).dataSync(), expected)).toBeLessThan(1e-5);
  });
});
