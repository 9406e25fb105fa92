import { promises as fs } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { loadNetwork, saveNetwork } from "../../../../../src/engine/importers/index.ts";
import { tf, tfl } from "../../../../../src/engine/tf.ts";
import { convolutions, loadedPredictions, plainNetwork, predictions, randomImages, randomWeights } from "../modelFiles.ts";
import {
  type Contents,
  configOf,
  hdf5Bytes,
  type KerasFiles,
  kerasFiles,
  type LayerConfig,
  legacyContents,
  type ModelConfig,
} from "./files.ts";

let files: KerasFiles;
beforeAll(async () => {
  await useBackend("cpu");
  files = await kerasFiles();
});
afterAll(() => fs.rm(files.folder, { recursive: true }));

const written = async (contents: Contents): Promise<string> => files.write("model.h5", await hdf5Bytes(contents));
const close = (found: readonly number[], expected: readonly number[]): void => {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
};
const refused = async (contents: Contents, code: string, message: RegExp): Promise<void> => {
  const file = await written(contents);
  await expect(loadNetwork(file)).rejects.toMatchObject({ code, message: expect.stringMatching(message), fix: expect.any(String) });
};
const named = (config: ModelConfig, name: string): LayerConfig => {
  const found = config.config.layers.find((layer) => layer.config["name"] === name);
  if (!found) throw new Error(`no layer ${name}`);
  return found;
};

/** One of each kind of layer with weights. */
const everyKind = (): tfl.LayersModel =>
  randomWeights(
    tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, padding: "same", strides: 2, name: "c" }),
        tfl.layers.batchNormalization({ name: "bn" }),
        tfl.layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, name: "dw" }),
        tfl.layers.separableConv2d({ filters: 5, kernelSize: 2, padding: "same", name: "sep" }),
        tfl.layers.prelu({ sharedAxes: [1, 2], name: "slope" }),
        tfl.layers.globalAveragePooling2d({ name: "mean" }),
        tfl.layers.dense({ units: 3, activation: "softmax", name: "classes" }),
      ],
    }),
  );

describe("a whole model in .h5", () => {
  it("gives what Keras' network gives, with its softmax taken off", async () => {
    const network = everyKind();
    const x = randomImages([2, 8, 8, 3]);
    const loaded = await loadNetwork(await written(legacyContents(network)));
    expect(loaded).toMatchObject({ format: "keras", outputs: "logits", evidence: { outputs: "logits" } });
    const scores = loaded.network.predict(x) as tf.Tensor;
    close([...tf.softmax(scores).dataSync()], predictions(network, x));
    loaded.network.dispose();
  });

  it("finds weights by their names, in whatever order they are listed", async () => {
    const network = plainNetwork();
    const contents = legacyContents(network);
    const names = contents.attributes["/model_weights/bn"] as { weight_names: string[] };
    names.weight_names = [...names.weight_names].reverse();
    const x = randomImages([2, 6, 6, 3]);
    close(await loadedPredictions(await written(contents), x), predictions(network, x));
  });

  it("finds them by their place where the names do not say what they are", async () => {
    const network = plainNetwork();
    const { attributes, datasets } = legacyContents(network);
    const list = attributes["/model_weights/bn"] as { weight_names: string[] };
    for (const [i, name] of list.weight_names.entries()) {
      datasets[`/model_weights/bn/w${i}_of`] = datasets[`/model_weights/bn/${name}`] as (typeof datasets)[string];
      delete datasets[`/model_weights/bn/${name}`];
    }
    list.weight_names = list.weight_names.map((_, i) => `w${i}_of`);
    const x = randomImages([2, 6, 6, 3]);
    close(await loadedPredictions(await written({ attributes, datasets }), x), predictions(network, x));
  });

  it("joins lists that are split over attributes", async () => {
    const network = plainNetwork();
    const contents = legacyContents(network);
    const { layer_names } = contents.attributes["/model_weights"] as { layer_names: string[] };
    contents.attributes["/model_weights"] = { layer_names0: layer_names.slice(0, 1), layer_names1: layer_names.slice(1) };
    const { weight_names } = contents.attributes["/model_weights/bn"] as { weight_names: string[] };
    contents.attributes["/model_weights/bn"] = { weight_names0: weight_names.slice(0, 3), weight_names1: weight_names.slice(3) };
    const x = randomImages([2, 6, 6, 3]);
    close(await loadedPredictions(await written(contents), x), predictions(network, x));
  });

  it("has nested models, whose layers may share names", async () => {
    const input = tfl.input({ shape: [8, 8, 3], name: "picture" });
    const base = convolutions("base").apply(input);
    const more = convolutions("more", [4, 4, 4]).apply(base);
    const mean = tfl.layers.globalAveragePooling2d({ name: "mean" }).apply(more);
    const network = randomWeights(
      tfl.model({ inputs: input, outputs: tfl.layers.dense({ units: 3, name: "head" }).apply(mean) as tfl.SymbolicTensor }),
    );
    const x = randomImages([2, 8, 8, 3]);
    close(await loadedPredictions(await written(legacyContents(network)), x), predictions(network, x));
  });

  it("is saved as a TensorFlow.js model that gives the same", async () => {
    const x = randomImages([1, 6, 6, 3]);
    const { network, contract } = await loadNetwork(await written(legacyContents(plainNetwork())));
    const directory = `${files.folder}/saved`;
    await saveNetwork(network, directory, contract);
    expect(await loadedPredictions(directory, x)).toEqual(predictions(network, x));
    network.dispose();
  });

  it("pads the far side first, as TensorFlow does: windows of 3 by 2 over 4 numbers", async () => {
    const network = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [4, 4, 1], filters: 1, kernelSize: 3, strides: 2, padding: "same", useBias: false, name: "c" }),
        tfl.layers.flatten({ name: "flat" }),
      ],
    });
    network.setWeights([tf.ones([3, 3, 1, 1])]);
    const x = tf.tensor([...Array(16).keys()], [1, 4, 4, 1]);
    // Rows and columns 0–2, and 2–3: sums of 0…15 by hand. One row in front, as PyTorch pads, would give 10 first.
    expect(await loadedPredictions(await written(legacyContents(network)), x)).toEqual([45, 39, 66, 50]);
  });
});

describe("a model with its channels first", () => {
  /** By tfjs itself, on [b,C,H,W]. Along its axis 1 tfjs normalises wrongly in the plain backend: `inPlace` is for the file alone. */
  const channelsFirst = (flatten: "channelsFirst" | undefined, inPlace: boolean): tfl.LayersModel => {
    const dataFormat = "channelsFirst";
    const input = tfl.input({ shape: [3, 8, 6], name: "picture" });
    const c1 = tfl.layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", dataFormat, name: "c1" }).apply(input);
    const last = tfl.layers.permute({ dims: [2, 3, 1], name: "last" }).apply(c1);
    const normalised = tfl.layers.batchNormalization({ axis: inPlace ? 1 : -1, name: "bn" }).apply(inPlace ? c1 : last);
    const bn = inPlace ? normalised : tfl.layers.permute({ dims: [3, 1, 2], name: "first" }).apply(normalised);
    const c2 = tfl.layers.conv2d({ filters: 2, kernelSize: 1, dataFormat, activation: "relu", name: "c2" }).apply(bn);
    const both = tfl.layers.concatenate({ axis: 1, name: "both" }).apply([bn, c2] as tfl.SymbolicTensor[]);
    const pool = tfl.layers.maxPooling2d({ poolSize: 2, dataFormat, name: "pool" }).apply(both);
    const flat = tfl.layers.flatten({ ...(flatten && { dataFormat: flatten }), name: "flat" }).apply(pool);
    return randomWeights(
      tfl.model({ inputs: input, outputs: tfl.layers.dense({ units: 3, name: "head" }).apply(flat) as tfl.SymbolicTensor }),
    );
  };

  it.each([undefined, "channelsFirst" as const])("computes the same with its channels last: Flatten %s", async (flatten) => {
    const network = channelsFirst(flatten, false);
    const x = randomImages([2, 8, 6, 3]);
    const file = await written(legacyContents(channelsFirst(flatten, true)));
    const { network: loaded, contract } = await loadNetwork(file);
    expect(loaded.inputs[0]?.shape).toEqual([null, 8, 6, 3]);
    expect(contract.input.layout).toBeUndefined();
    close(predictions(loaded, x), predictions(network, tf.transpose(x, [0, 3, 1, 2])));
    loaded.dispose();
  });

  it("keeps the order that a Reshape to images and back gives", async () => {
    const dataFormat = "channelsFirst";
    const network = randomWeights(
      tfl.sequential({
        layers: [
          tfl.layers.conv2d({ inputShape: [3, 4, 6], filters: 4, kernelSize: 1, dataFormat, name: "c1" }),
          tfl.layers.reshape({ targetShape: [8, 4, 3], name: "other" }),
          tfl.layers.conv2d({ filters: 2, kernelSize: 3, dataFormat, name: "c2" }),
          tfl.layers.reshape({ targetShape: [4], name: "flat" }),
          tfl.layers.dense({ units: 3, name: "head" }),
        ],
      }),
    );
    const x = randomImages([2, 4, 6, 3]);
    close(await loadedPredictions(await written(legacyContents(network)), x), predictions(network, tf.transpose(x, [0, 3, 1, 2])));
  });

  it("is refused where a layer would compute along another axis, or the formats mix", async () => {
    const network = channelsFirst(undefined, true);
    const config = configOf(network);
    named(config, "bn").config["axis"] = -1;
    await refused(legacyContents(network, config), "MODEL_UNSUPPORTED", /normalises along axis -1 .* "bn"/);
    const mixed = configOf(network);
    named(mixed, "pool").config["data_format"] = "channels_last";
    await refused(legacyContents(network, mixed), "MODEL_UNSUPPORTED", /mixes layers of both data formats, such as "pool"/);
  });
});

describe("a model of Keras 1", () => {
  /** conv – relu – flatten – dense, written by Keras 1 on Theano with channels first: kernels [out,in,kh,kw], turned by 180°. */
  async function byKeras1(backend: "theano" | "tensorflow"): Promise<{ file: string; expected: tfl.LayersModel }> {
    const expected = randomWeights(
      tfl.sequential({
        layers: [
          tfl.layers.conv2d({ inputShape: [5, 5, 3], filters: 4, kernelSize: [2, 3], activation: "relu", name: "c" }),
          tfl.layers.permute({ dims: [3, 1, 2], name: "first" }),
          tfl.layers.flatten({ name: "flat" }),
          tfl.layers.dense({ units: 3, name: "d" }),
        ],
      }),
    );
    const [kernel, bias, weights, offset] = expected.getWeights() as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const turned = backend === "theano" ? tf.reverse(kernel, [0, 1]) : kernel;
    const numbers = (tensor: tf.Tensor) => ({ shape: tensor.shape, values: tensor.dataSync() });
    const layers = [
      {
        class_name: "Convolution2D",
        config: {
          name: "c",
          nb_filter: 4,
          nb_row: 2,
          nb_col: 3,
          border_mode: "valid",
          subsample: [1, 1],
          dim_ordering: "th",
          activation: "relu",
          bias: true,
          init: "glorot_uniform",
          W_regularizer: null,
          b_regularizer: null,
          activity_regularizer: null,
          W_constraint: null,
          b_constraint: null,
          trainable: true,
          batch_input_shape: [null, 3, 5, 5],
          input_dtype: "float32",
        },
      },
      { class_name: "Dropout", config: { name: "drop", p: 0.5, trainable: true } },
      { class_name: "Flatten", config: { name: "flat", trainable: true } },
      {
        class_name: "Dense",
        config: {
          name: "d",
          output_dim: 3,
          input_dim: null,
          init: "uniform",
          activation: "linear",
          bias: true,
          W_regularizer: null,
          trainable: true,
        },
      },
    ];
    const file = await written({
      attributes: {
        "/": { model_config: JSON.stringify({ class_name: "Sequential", config: layers }), keras_version: "1.2.2", backend },
        "/model_weights": { layer_names: ["c", "drop", "flat", "d"] },
        "/model_weights/c": { weight_names: ["c_W", "c_b"] },
        "/model_weights/d": { weight_names: ["d_W", "d_b"] },
        "/model_weights/drop": {},
        "/model_weights/flat": {},
      },
      datasets: {
        "/model_weights/c/c_W": numbers(tf.transpose(turned, [3, 2, 0, 1])),
        "/model_weights/c/c_b": numbers(bias),
        "/model_weights/d/d_W": numbers(weights),
        "/model_weights/d/d_b": numbers(offset),
      },
    });
    return { file, expected };
  }

  it.each(["theano", "tensorflow"] as const)("on %s, with its channels first", async (backend) => {
    const { file, expected } = await byKeras1(backend);
    const x = randomImages([2, 5, 5, 3]);
    close(await loadedPredictions(file, x), predictions(expected, x));
  });
});
