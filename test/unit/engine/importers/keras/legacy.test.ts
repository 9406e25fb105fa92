import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { loadNetwork, saveNetwork } from "../../../../../src/engine/importers/index.ts";
import { tf, tfl } from "../../../../../src/engine/tf.ts";
import { convolutions, loadedPredictions, plainNetwork, predictions, randomImages, randomWeights } from "../modelFiles.ts";
import { type Contents, configOf, type LayerConfig, legacyContents, type ModelConfig } from "./contents.ts";
import { expectClose, expectRefused, kerasFiles } from "./files.ts";

const files = kerasFiles();
beforeAll(() => useBackend("cpu"));

const refused = async (contents: Contents, code: string, message: RegExp): Promise<void> =>
  expectRefused(await files.writeHdf5(contents), code, message);
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
    const loaded = await loadNetwork(await files.writeHdf5(legacyContents(network)));
    expect(loaded).toMatchObject({ format: "keras", outputs: "logits", evidence: { outputs: "logits" } });
    const scores = loaded.network.predict(x) as tf.Tensor;
    expectClose([...tf.softmax(scores).dataSync()], predictions(network, x));
    loaded.network.dispose();
  });

  it("finds weights by their names, in whatever order they are listed", async () => {
    const network = plainNetwork();
    const contents = legacyContents(network);
    const names = contents.attributes["/model_weights/bn"] as { weight_names: string[] };
    names.weight_names = [...names.weight_names].reverse();
    const x = randomImages([2, 6, 6, 3]);
    expectClose(await loadedPredictions(await files.writeHdf5(contents), x), predictions(network, x));
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
    expectClose(await loadedPredictions(await files.writeHdf5({ attributes, datasets }), x), predictions(network, x));
  });

  it("joins lists that are split over attributes", async () => {
    const network = plainNetwork();
    const contents = legacyContents(network);
    const { layer_names } = contents.attributes["/model_weights"] as { layer_names: string[] };
    contents.attributes["/model_weights"] = { layer_names0: layer_names.slice(0, 1), layer_names1: layer_names.slice(1) };
    const { weight_names } = contents.attributes["/model_weights/bn"] as { weight_names: string[] };
    contents.attributes["/model_weights/bn"] = { weight_names0: weight_names.slice(0, 3), weight_names1: weight_names.slice(3) };
    const x = randomImages([2, 6, 6, 3]);
    expectClose(await loadedPredictions(await files.writeHdf5(contents), x), predictions(network, x));
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
    expectClose(await loadedPredictions(await files.writeHdf5(legacyContents(network)), x), predictions(network, x));
  });

  it("is saved as a TensorFlow.js model that gives the same", async () => {
    const x = randomImages([1, 6, 6, 3]);
    const { network, contract } = await loadNetwork(await files.writeHdf5(legacyContents(plainNetwork())));
    const directory = await files.folder();
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
    expect(await loadedPredictions(await files.writeHdf5(legacyContents(network)), x)).toEqual([45, 39, 66, 50]);
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
    const file = await files.writeHdf5(legacyContents(channelsFirst(flatten, true)));
    const { network: loaded, contract } = await loadNetwork(file);
    expect(loaded.inputs[0]?.shape).toEqual([null, 8, 6, 3]);
    expect(contract.input.layout).toBeUndefined();
    expectClose(predictions(loaded, x), predictions(network, tf.transpose(x, [0, 3, 1, 2])));
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
    expectClose(
      await loadedPredictions(await files.writeHdf5(legacyContents(network)), x),
      predictions(network, tf.transpose(x, [0, 3, 1, 2])),
    );
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

describe("refused", () => {
  it("weights without a network", async () => {
    const { attributes, datasets } = legacyContents(plainNetwork());
    const inRoot = Object.fromEntries(Object.entries(datasets).map(([place, one]) => [place.replace("/model_weights", ""), one]));
    await refused({ attributes: { "/": attributes["/model_weights"] ?? {} }, datasets: inRoot }, "MODEL_INVALID", /holds weights only\.$/);
    await refused({ datasets: { "/layers/dense/vars/0": { shape: [1], values: [1] } } }, "MODEL_INVALID", /holds weights only\.$/);
  });

  it("an HDF5 file of something else", () =>
    refused({ datasets: { "/pictures": { shape: [2], values: [1, 2] } } }, "MODEL_INVALID", /an HDF5 file without a Keras model\.$/));

  it("a configuration that is cut off", async () => {
    const contents = legacyContents(plainNetwork());
    contents.attributes["/"] = { model_config: '{"class_name": "Sequential", "con' };
    await refused(contents, "MODEL_INVALID", /^The model_config of .* is cut off or is not JSON\.$/);
  });

  it("weights that are listed and not there, or of another shape", async () => {
    const lost = legacyContents(plainNetwork());
    delete lost.datasets["/model_weights/bn/bn/gamma:0"];
    await refused(lost, "MODEL_INVALID", /lists the weights "bn\/gamma:0" of its layer "bn" and does not hold them\.$/);
    const other = legacyContents(plainNetwork());
    other.datasets["/model_weights/bn/bn/gamma:0"] = { shape: [3], values: [1, 2, 3] };
    await refused(other, "MODEL_INVALID", /stores no weights that fit the gamma \[4\] of its layer "bn"/);
    const kernel = legacyContents(plainNetwork());
    kernel.datasets["/model_weights/c1/c1/kernel:0"] = { shape: [5, 5, 3, 4], values: new Float32Array(300) };
    await refused(kernel, "MODEL_INVALID", /has a kernel of 3×3 in its layer "c1" and stores a kernel \[5, 5, 3, 4\]/);
  });

  it("weights that are NaN, by their name", async () => {
    const contents = legacyContents(plainNetwork());
    contents.datasets["/model_weights/bn/bn/gamma:0"] = { shape: [4], values: [1, Number.NaN, 1, 1] };
    await refused(contents, "MODEL_NAN", /^The weight bn\/gamma of .* is NaN or infinite at position 1\.$/);
  });

  it.each<[string, string, (config: ModelConfig) => void, RegExp]>([
    [
      "a Lambda",
      "MODEL_UNSUPPORTED",
      (config) => {
        named(config, "flat").class_name = "Lambda";
      },
      /a Lambda layer "flat", which is program code/,
    ],
    [
      "a class of the user's",
      "MODEL_UNSUPPORTED",
      (config) => {
        named(config, "flat").class_name = "MyFlatten";
      },
      /"flat" of the class MyFlatten/,
    ],
    [
      "one that has the name of a known class",
      "MODEL_UNSUPPORTED",
      (config) => {
        Object.assign(named(config, "flat"), { module: "my.layers", registered_name: "Custom>Flatten" });
      },
      /"flat" of the class Flatten, which neither/,
    ],
    [
      "quantised weights",
      "MODEL_UNSUPPORTED",
      (config) => {
        named(config, "logits").config["dtype"] = { class_name: "QuantizedDTypePolicy", config: { name: "int8_from_float32" } };
      },
      /"logits" with quantised weights \(int8_from_float32\)/,
    ],
    [
      "a subclassed model",
      "MODEL_INVALID",
      (config) => {
        config.class_name = "MyModel";
      },
      /a model of the class MyModel/,
    ],
  ])("%s", async (_, code, change, message) => {
    const network = plainNetwork();
    const config = configOf(network);
    change(config);
    await refused(legacyContents(network, config), code, message);
  });
});
