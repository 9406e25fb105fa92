import { promises as fs } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { near } from "../fixtures.ts";
import {
  byTfjs,
  convolutions,
  type LayerJson,
  loadedPredictions,
  type ModelFiles,
  type ModelJson,
  modelFiles,
  plainNetwork,
  predictions,
  randomImages,
  randomWeights,
} from "./modelFiles.ts";

let files: ModelFiles;
beforeAll(async () => {
  await useBackend("cpu");
  files = await modelFiles();
});
afterAll(() => fs.rm(files.folder, { recursive: true }));

const layers = (json: ModelJson): LayerJson[] => json.modelTopology.config.layers;
const named = (json: ModelJson, name: string): LayerJson => layers(json).find(({ config }) => config["name"] === name) as LayerJson;

/** Loads what tfjs saved with its JSON changed; the scores are those of the network that was saved. */
async function same(network: tfl.LayersModel, change: (json: ModelJson) => void, shape = [2, 6, 6, 3]): Promise<string> {
  const x = randomImages(shape);
  const expected = predictions(network, x);
  expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.1);
  const directory = await files.write(network, change);
  expect(near(await loadedPredictions(directory, x), expected)).toBeLessThan(1e-5);
  return directory;
}

/** A layer as Keras 3 writes it. */
function asKeras3(layer: LayerJson): void {
  const config = layer.config;
  config["dtype"] = { module: "keras", class_name: "DTypePolicy", config: { name: "mixed_float16" }, registered_name: null };
  for (const [key, value] of Object.entries(config))
    if (key.endsWith("_initializer")) config[key] = { module: "keras.initializers", registered_name: null, ...(value as object) };
  if ("batch_input_shape" in config) {
    config["batch_shape"] = config["batch_input_shape"];
    delete config["batch_input_shape"];
  }
  Object.assign(layer, { module: "keras.layers", registered_name: null, build_config: { input_shape: [null, 6, 6, 3] } });
}
const keras3Tensor = ([name, node, tensor]: unknown[]) => ({
  class_name: "__keras_tensor__",
  config: { shape: [null, 1], dtype: "float32", keras_history: [name, node, tensor] },
});

describe("dialects", () => {
  it("Keras 3, Sequential", () =>
    same(plainNetwork(), (json) => {
      layers(json).forEach(asKeras3);
      named(json, "bn").config["axis"] = [3];
      named(json, "c1").config["kernel_regularizer"] = { module: "keras.regularizers", class_name: "L2", config: { l2: 0.01 } };
      named(json, "c1").config["kernel_initializer"] = { class_name: "OrthogonalOfTomorrow", config: {} };
    }));

  it("Keras 3, functional, with tensors and flat ends", () => {
    const input = tfl.input({ shape: [6, 6, 3] });
    const conv = tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", name: "c1" }).apply(input) as tfl.SymbolicTensor;
    const sum = tfl.layers.add({ name: "sum" }).apply([conv, input]) as tfl.SymbolicTensor;
    const flat = tfl.layers.flatten().apply(sum) as tfl.SymbolicTensor;
    const output = tfl.layers.dense({ units: 3, name: "logits", activation: "relu" }).apply(flat) as tfl.SymbolicTensor;
    return same(randomWeights(tfl.model({ inputs: input, outputs: output })), (json) => {
      const { config } = json.modelTopology;
      json.modelTopology.class_name = "Functional";
      for (const layer of config.layers) {
        asKeras3(layer);
        const nodes = layer.inbound_nodes as unknown[][][];
        layer.inbound_nodes = nodes.map((node) => ({
          args: node.length > 1 ? [node.map(keras3Tensor)] : node.map(keras3Tensor),
          kwargs: { mask: null, training: false },
        }));
      }
      named(json, "logits").config["activation"] = {
        module: "builtins",
        class_name: "function",
        config: "relu",
        registered_name: "function",
      };
      config["input_layers"] = (config["input_layers"] as unknown[])[0];
      config["output_layers"] = (config["output_layers"] as unknown[])[0];
    });
  });

  it("Keras 3: arrays as objects, the kernel of a DepthwiseConv2D under its name, a regularizer of activity", () => {
    const network = randomWeights(
      tfl.sequential({
        layers: [
          tfl.layers.depthwiseConv2d({ inputShape: [6, 6, 3], kernelSize: 3, name: "dw" }),
          tfl.layers.batchNormalization({ name: "bn" }),
          tfl.layers.leakyReLU({ alpha: 0.2, name: "leaky" }),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: 3 }),
        ],
      }),
    );
    return same(network, (json) => {
      layers(json).forEach(asKeras3);
      named(json, "dw").config["activity_regularizer"] = { module: "keras.regularizers", class_name: "L2", config: { l2: 0.01 } };
      named(json, "leaky").config = {
        name: "leaky",
        negative_slope: { class_name: "__numpy__", config: { value: 0.2, dtype: "float32" } },
      };
      for (const weight of json.weightsManifest[0]?.weights ?? []) weight.name = weight.name.replace("dw/depthwise_kernel", "dw/kernel");
    });
  });

  it("other names of a class", () =>
    same(plainNetwork(), (json) => {
      named(json, "bn").class_name = "BatchNormalizationV1";
      named(json, "c1").class_name = "Convolution2D";
    }));

  it("ReLU with a slope is LeakyReLU, as Keras computes it", async () => {
    const network = randomWeights(
      tfl.sequential({
        layers: [
          tfl.layers.conv2d({ inputShape: [6, 6, 3], filters: 4, kernelSize: 3 }),
          tfl.layers.leakyReLU({ alpha: 0.2, name: "leaky" }),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: 3 }),
        ],
      }),
    );
    await same(network, (json) => {
      const leaky = named(json, "leaky");
      leaky.class_name = "ReLU";
      leaky.config = { name: "leaky", max_value: null, negative_slope: 0.2, threshold: 0 };
    });
  });

  it("what acts in training alone is the identity, and noted", async () => {
    const network = plainNetwork();
    const directory = await same(network, (json) => {
      const [first] = layers(json) as [LayerJson];
      const { batch_input_shape, ...config } = first.config;
      first.config = config;
      layers(json).unshift(
        { class_name: "RandomFlip", config: { name: "flip", mode: "horizontal", batch_input_shape } },
        { class_name: "RandomRotation", config: { name: "turn", factor: 0.2 } },
        { class_name: "GaussianNoise", config: { name: "noise", stddev: 1 } },
      );
    });
    const { network: loaded, notes } = await loadNetwork(directory);
    expect(notes).toEqual(["flip", "turn", "noise"].map((name) => expect.stringContaining(`the layer "${name}"`)));
    loaded.dispose();
  });
});

describe("weights", () => {
  const prefix = (json: ModelJson, rename: (name: string) => string): void => {
    for (const weight of json.weightsManifest[0]?.weights ?? []) weight.name = rename(weight.name);
  };

  it("with a prefix, or a place in a scope, are found by their ends and shapes", async () => {
    await same(plainNetwork(), (json) => prefix(json, (name) => `model/scope/${name}`));
    await same(plainNetwork(), (json) => prefix(json, (name) => `backbone_${name.length % 2}/${name}:0`));
  });

  it("are found in any order, and those that nobody wants are left out", () =>
    same(plainNetwork(), (json) => {
      named(json, "bn").config["name"] = "bn";
      prefix(json, (name) => `m/${name}`);
    }));

  it("that may be several, or none, are refused by name", async () => {
    const twins = tfl.sequential({
      layers: [
        tfl.layers.flatten({ inputShape: [2, 2, 1] }),
        tfl.layers.dense({ units: 4, useBias: false, name: "a" }),
        tfl.layers.dense({ units: 4, useBias: false, name: "b" }),
      ],
    });
    const both = await files.write(twins, (json) => prefix(json, (name) => `m/${name.replace(/^b/, "x/a")}`));
    await expect(loadNetwork(both)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(/2 weights that may be the kernel \[4, 4\] of its layer "a"/),
    });
    const none = await files.write(twins, (json) => prefix(json, (name) => name.replace(/^b/, "c")));
    await expect(loadNetwork(none)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(/no weights that fit the kernel \[4, 4\] of its layer "b"/),
    });
  });
});

describe("nested models", () => {
  const nested = (levels: number): tfl.Sequential => {
    let inner = convolutions("level0");
    for (let i = 1; i < levels; i++) inner = tfl.sequential({ name: `level${i}`, layers: [inner] });
    const head = tfl.sequential({
      name: "head",
      layers: [tfl.layers.globalAveragePooling2d({ inputShape: [4, 4, 4], name: "mean" }), tfl.layers.dense({ units: 3, name: "scores" })],
    });
    return randomWeights(tfl.sequential({ name: "all", layers: [inner, head] }));
  };

  for (const levels of [1, 2, 4])
    it(`of ${levels} levels become one network with the same scores, also when it is saved again`, async () => {
      const directory = await same(nested(levels), () => {}, [2, 8, 8, 3]);
      const { network, contract } = await loadNetwork(directory);
      const path = Array.from({ length: levels }, (_, i) => `level${levels - 1 - i}`).join("/");
      expect(network.layers.slice(-5).map(({ name }) => name)).toEqual([
        `${path}/c1`,
        `${path}/pool`,
        `${path}/c2`,
        "head/mean",
        "head/scores",
      ]);
      await saveNetwork(network, `${directory}-again`, contract);
      const x = randomImages([2, 8, 8, 3]);
      expect(near(await loadedPredictions(`${directory}-again`, x), predictions(network, x))).toBe(0);
      network.dispose();
    });

  it("that share the names of their layers, applied twice, with a path around them", async () => {
    const input = tfl.input({ shape: [8, 8, 3] });
    const twice = tfl.sequential({
      name: "twice",
      layers: [
        tfl.layers.conv2d({
          inputShape: [8, 8, 3],
          filters: 3,
          kernelSize: 3,
          useBias: false,
          padding: "same",
          activation: "tanh",
          name: "conv",
        }),
      ],
    });
    const once = tfl.sequential({
      name: "once",
      layers: [
        tfl.layers.conv2d({
          inputShape: [8, 8, 3],
          filters: 3,
          kernelSize: 5,
          useBias: false,
          padding: "same",
          activation: "tanh",
          name: "conv",
        }),
      ],
    });
    const first = twice.apply(input) as tfl.SymbolicTensor;
    const second = twice.apply(once.apply(first)) as tfl.SymbolicTensor;
    const sum = tfl.layers.add().apply([second, first, input]) as tfl.SymbolicTensor;
    const output = tfl.layers.dense({ units: 3 }).apply(tfl.layers.flatten().apply(sum)) as tfl.SymbolicTensor;
    const network = randomWeights(tfl.model({ inputs: input, outputs: output }));
    await same(
      network,
      (json) => {
        const names = json.weightsManifest[0]?.weights ?? [];
        expect(names.filter(({ name }) => name === "conv/kernel")).toHaveLength(2); // tfjs itself does not load that
      },
      [2, 8, 8, 3],
    );
  });

  it("are counted from 0 by some files", () => {
    const input = tfl.input({ shape: [8, 8, 3] });
    const mean = tfl.layers.globalAveragePooling2d({ name: "mean" }).apply(convolutions("base").apply(input));
    const output = tfl.layers.dense({ units: 3 }).apply(mean) as tfl.SymbolicTensor;
    return same(
      randomWeights(tfl.model({ inputs: input, outputs: output })),
      (json) => {
        named(json, "mean").inbound_nodes = [[["base", 0, 0, {}]]];
      },
      [2, 8, 8, 3],
    );
  });
});

describe("a layer that is applied twice", () => {
  it("keeps its applications apart where the deeper one is the first: tfjs itself takes one for the other", async () => {
    const input = tfl.input({ shape: [6, 6, 3] });
    const shared = tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "tanh", name: "shared" });
    const between = tfl.layers.conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "tanh", name: "between" });
    const deep = shared.apply(between.apply(input)) as tfl.SymbolicTensor; // application 0
    const shallow = shared.apply(input) as tfl.SymbolicTensor; // application 1
    const narrow = tfl.layers.dense({ units: 2, name: "narrow" }).apply(deep) as tfl.SymbolicTensor;
    const both = tfl.layers.concatenate({ name: "both" }).apply([narrow, shallow]) as tfl.SymbolicTensor;
    const output = tfl.layers.dense({ units: 3, name: "end" }).apply(tfl.layers.flatten().apply(both)) as tfl.SymbolicTensor;
    const network = randomWeights(tfl.model({ inputs: input, outputs: output }));
    const directory = await same(network, (json) => {
      const order = ["shared", "between"];
      layers(json)
        .sort((a, b) => order.indexOf(String(b.name)) - order.indexOf(String(a.name)))
        .reverse();
    });
    const x = randomImages([2, 6, 6, 3]);
    expect(near(predictions(await byTfjs(directory), x), predictions(network, x))).toBeGreaterThan(0.01);
  });
});

it("nothing of a network that was loaded by matching is left behind", async () => {
  const directory = await files.write(plainNetwork(), (json) => {
    for (const weight of json.weightsManifest[0]?.weights ?? []) weight.name = `m/${weight.name}`;
  });
  const before = tf.memory().numTensors;
  (await loadNetwork(directory)).network.dispose();
  const rest = tf.memory().numTensors - before;
  (await loadNetwork(directory)).network.dispose();
  expect(tf.memory().numTensors - before).toBeLessThanOrEqual(2 * rest);
  expect(rest).toBeLessThanOrEqual(0);
});
