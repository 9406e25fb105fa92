import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { inspectModel } from "../../../../src/engine/jobs/inspectModel.ts";
import { BoundedRelu } from "../../../../src/engine/models/layers/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { find } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { convNetwork, near, withoutInitialValues } from "../fixtures.ts";
import { to3d } from "./to3d.ts";

await useBackend("cpu");

const directory = mkdtempSync(path.join(tmpdir(), "layers-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const images = (n: number, [h, w, c]: readonly [number, number, number]): tf.Tensor4D =>
  tf.tensor4d(createRandom(9).uniforms(n * h * w * c), [n, h, w, c]);
const outputs = (network: tfl.LayersModel, x: tf.Tensor): number[] => [...(network.predict(x) as tf.Tensor).dataSync()];
const bounded = (network: tfl.LayersModel, bound: number): tfl.LayersModel =>
  planOf([{ id: "boundedRelu", params: { bound } }], [8, 8, 1], 3).network(network);

describe("BoundedRelu", () => {
  it("cuts off below 0 and above its bound, and passes gradients in between alone", () => {
    const layer = new BoundedRelu({ bound: 1 });
    const x = tf.tensor1d([-1, 0, 0.25, 0.5, 1.5]);
    expect([...(layer.apply(x) as tf.Tensor).dataSync()]).toEqual([0, 0, 0.25, 0.5, 1]);
    expect([
      ...tf
        .grad((v: tf.Tensor) => tf.sum(layer.apply(v) as tf.Tensor))(x)
        .dataSync(),
    ]).toEqual([0, 0, 1, 1, 0]);
  });

  it("in a saved network loads again with its bound, with the same scores", async () => {
    const network = bounded(convNetwork({ seed: 3 }), 0.25);
    await saveNetwork(network, directory, { input: {} });
    const loaded = await loadNetwork(directory);
    const layer = loaded.network.layers.find((one) => one instanceof BoundedRelu);
    expect(layer?.getConfig()).toMatchObject({ bound: 0.25 });
    const x = images(3, [8, 8, 1]);
    expect(outputs(loaded.network, x)).toEqual(outputs(network, x));
    expect((await inspectModel(directory)).layers.map(({ type }) => type)).toContain("BoundedRelu");
  });

  it("loads from a file that Keras wrote, within a model inside the model, and its layers can be taken, run from and replaced", async () => {
    const folder = path.join(directory, "keras");
    const layer = (class_name: string, name: string, config: object, inputs: readonly string[]) => ({
      class_name,
      name,
      config: { name, trainable: true, dtype: "float32", ...config },
      inbound_nodes: inputs.length === 0 ? [] : [inputs.map((from) => [from, 0, 0, {}])],
    });
    const functional = (name: string, input: string, output: string, layers: readonly object[]) => ({
      class_name: "Functional",
      name,
      config: { name, layers, input_layers: [[input, 0, 0]], output_layers: [[output, 0, 0]] },
    });
    const input = (name: string, shape: readonly number[]) =>
      layer("InputLayer", name, { batch_input_shape: [null, ...shape], sparse: false }, []);
    const inner = functional("rectifier", "before", "cut", [
      input("before", [1, 2, 1]),
      layer("BoundedRelu", "cut", { bound: 0.5 }, ["before"]),
    ]);
    const model = functional("outer", "image", "scores", [
      input("image", [1, 2, 1]),
      { ...inner, inbound_nodes: [[["image", 0, 0, {}]]] },
      { ...layer("Flatten", "flat", { data_format: "channels_last" }, []), inbound_nodes: [[["rectifier", 1, 0, {}]]] }, // 0 is the model itself
      layer("Dense", "scores", { units: 2, activation: "linear", use_bias: false }, ["flat"]),
    ]);
    mkdirSync(folder);
    const weights = [{ name: "scores/kernel", shape: [2, 2], dtype: "float32" }];
    writeFileSync(
      path.join(folder, "model.json"),
      JSON.stringify({
        format: "layers-model",
        modelTopology: { keras_version: "2.15.0", backend: "tensorflow", model_config: model },
        weightsManifest: [{ paths: ["weights.bin"], weights }],
      }),
    );
    writeFileSync(path.join(folder, "weights.bin"), new Uint8Array(Float32Array.of(1, 0, 0, 10).buffer));

    const { network } = await loadNetwork(folder);
    const { layers, logits } = classifierOf(network, { contract: { input: {} }, outputs: "logits" });
    const x = tf.tensor4d([0.25, 0.75], [1, 1, 2, 1]);
    expect([...logits(x).dataSync()]).toEqual([0.25, 5]); // 0.75 is cut off at 0.5
    expect(layers?.all.find(({ name }) => name === "rectifier/cut")).toMatchObject({ type: "BoundedRelu", activation: "boundedRelu" });
    const { taken } = layers?.run(x, { take: ["rectifier/cut"] }) ?? {};
    expect([...(taken?.get("rectifier/cut")?.dataSync() ?? [])]).toEqual([0.25, 0.5]);
    const onward = layers?.run(x, { from: { layer: "rectifier/cut", value: tf.tensor4d([1, 2], [1, 1, 2, 1]) } });
    expect([...(onward?.logits.dataSync() ?? [])]).toEqual([1, 20]);
    const unbounded = layers?.run(x, { activation: (unit, before) => (unit.activation === "boundedRelu" ? tf.relu(before) : undefined) });
    expect([...(unbounded?.logits.dataSync() ?? [])]).toEqual([0.25, 7.5]);
  });

  it("converts to 3-D: with the weights of the 2-D network and kernels of depth 1, each slice is seen as the image was", () => {
    const network = bounded(convNetwork({ shape: [4, 4, 1], seed: 3 }), 0.25);
    const volumes = to3d(network, { depth: 2, patch: [4, 4], kernelDepth: 1, weights: "inflate" });
    const x = images(2, [4, 4, 1]);
    const slices = tf.stack([x, tf.reverse(x, 1)], 1);
    const expected = [0, 1].flatMap((i) => [x, tf.reverse(x, 1)].flatMap((side) => outputs(network, side).slice(3 * i, 3 * i + 3)));
    expect(near(outputs(volumes, slices), expected)).toBeLessThan(1e-6);
    expect(volumes.layers.some((layer) => layer instanceof BoundedRelu)).toBe(true);
  });
});

it("a layer of a class that nobody knows is refused by its name", async () => {
  class Riddle extends tfl.layers.Layer {
    static readonly className = "Riddle";
  }
  const network = tfl.sequential({
    layers: [tfl.layers.flatten({ inputShape: [8, 8, 1] }), new Riddle({}), tfl.layers.dense({ units: 3 })],
  });
  await saveNetwork(network, path.join(directory, "riddle"), { input: {} });
  await expect(loadNetwork(path.join(directory, "riddle"))).rejects.toMatchObject({
    code: "MODEL_UNSUPPORTED",
    message: expect.stringContaining("of the class Riddle, which neither TensorFlow.js nor Bulwark knows"),
  });
  expect(() => to3d(network, { depth: 2, patch: [8, 8], kernelDepth: 1 })).toThrow("(Riddle) has no counterpart in three dimensions");
});

describe("boundedRelu", () => {
  /** A ReLU inside a convolution, as a layer and as an activation; a path around them, a layer used twice, a model inside the model. */
  function crooked(): tfl.LayersModel {
    const { layers } = tfl;
    const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
    const inner = tfl.sequential({
      name: "inner",
      layers: [
        layers.conv2d({
          inputShape: [8, 8, 2],
          filters: 2,
          kernelSize: 3,
          padding: "same",
          activation: "relu",
          kernelInitializer: init(1),
        }),
      ],
    });
    const input = tfl.input({ shape: [8, 8, 1] });
    const first = layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", kernelInitializer: init(2) }).apply(input);
    const twice = layers.conv2d({ filters: 2, kernelSize: 1, activation: "relu", kernelInitializer: init(3) });
    const rectified = layers.reLU().apply(first) as tfl.SymbolicTensor;
    const again = twice.apply(twice.apply(inner.apply(rectified))) as tfl.SymbolicTensor;
    const joined = layers.activation({ activation: "relu" }).apply(layers.add().apply([rectified, again]));
    const scores = layers.dense({ units: 3, kernelInitializer: init(4) }).apply(layers.flatten().apply(joined)) as tfl.SymbolicTensor;
    return tfl.model({ inputs: input, outputs: scores });
  }

  it("replaces every ReLU and nothing else: with a bound that nothing reaches the scores stay as they are", () => {
    for (const network of [
      crooked(),
      convNetwork({ seed: 4, batchNorm: true, dropout: 0.3 }),
      find("model", "lenet").build({ dropout: 0.5 }, { inputShape: [8, 8, 1], classes: 3, seed: 1 }),
    ]) {
      const x = images(4, [8, 8, 1]);
      const replaced = bounded(network, 1e6);
      expect(near(outputs(replaced, x), outputs(network, x))).toBeLessThan(1e-6);
      expect(replaced.countParams()).toBe(network.countParams());
      const rectifiers = replaced.layers.filter(
        (layer) => /relu/i.test(layer.getClassName()) || layer.getConfig()["activation"] === "relu",
      );
      expect(rectifiers.length).toBeGreaterThan(0);
      expect(rectifiers.every((layer) => layer instanceof BoundedRelu)).toBe(true);
    }
  });

  it("bounds what the layers give", () => {
    const network = bounded(crooked(), 0.01);
    const last = network.layers.filter((layer) => layer instanceof BoundedRelu).at(-1);
    const inside = tfl.model({ inputs: network.inputs, outputs: last?.output as tfl.SymbolicTensor });
    const values = outputs(inside, images(4, [8, 8, 1]));
    expect(Math.max(...values)).toBeCloseTo(0.01, 7);
    expect(Math.min(...values)).toBe(0);
  });

  it("leaves the network that it changes alone, frees those on the way, and stands over a volumized one as well as under it", () => {
    const stack = (...ids: string[]) =>
      planOf(
        ids.map((id) => ({ id, params: id === "volumizedCurriculum" ? { patch: 4 } : {} })),
        [8, 8, 1],
        3,
      );
    for (const ids of [
      ["boundedRelu", "volumizedCurriculum"],
      ["volumizedCurriculum", "boundedRelu"],
    ]) {
      const base = withoutInitialValues(() => convNetwork({ seed: 3 }));
      const before = tf.memory().numTensors;
      const network = withoutInitialValues(() => stack(...ids).network(base));
      expect(network.outputs[0]?.shape).toEqual([null, 4, 3]);
      expect(network.layers.filter((layer) => layer instanceof BoundedRelu)).toHaveLength(1);
      network.dispose();
      expect(tf.memory().numTensors).toBe(before);
      expect(outputs(base, images(1, [8, 8, 1]))).toHaveLength(3);
    }
  });

  it("refuses a network without any", () => {
    const linear = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [8, 8, 1] }), tfl.layers.dense({ units: 3 })] });
    expect(() => bounded(linear, 1)).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID", message: expect.stringContaining("no ReLU") }),
    );
  });
});
