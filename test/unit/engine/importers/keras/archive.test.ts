import { promises as fs } from "node:fs";
import os from "node:os";
import { strToU8 } from "fflate";
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { loadNetwork } from "../../../../../src/engine/importers/index.ts";
import { snakeCase } from "../../../../../src/engine/importers/keras/paths.ts";
import { tfl } from "../../../../../src/engine/tf.ts";
import { convolutions, loadedPredictions, plainNetwork, predictions, randomImages, randomWeights } from "../modelFiles.ts";
import { archiveEntries, configOf, type Entries, hdf5Bytes, legacyContents, zipOf } from "./contents.ts";
import { expectClose, expectRefused, kerasFiles } from "./files.ts";

const files = kerasFiles();
beforeAll(() => useBackend("cpu"));

const refusedBytes = async (bytes: Uint8Array, code: string, message: RegExp): Promise<void> =>
  expectRefused(await files.write("model.keras", bytes), code, message);
const refused = (entries: Entries, code: string, message: RegExp, level: 0 | 6 = 0) => refusedBytes(zipOf(entries, level), code, message);
const unpacked = async (): Promise<string[]> => (await fs.readdir(os.tmpdir())).filter((name) => name.startsWith("bulwark-keras-"));

describe("a .keras archive", () => {
  it.each([0, 6] as const)("gives what Keras' network gives, packed at level %i, and leaves nothing behind", async (level) => {
    const network = plainNetwork();
    const x = randomImages([2, 6, 6, 3]);
    const before = await unpacked();
    expectClose(
      await loadedPredictions(await files.write("model.keras", zipOf(await archiveEntries(network), level)), x),
      predictions(network, x),
    );
    expect(await unpacked()).toEqual(before);
  });

  it("tells layers by their class and place, not by their names", async () => {
    const build = (names: readonly [string, string, string]) =>
      randomWeights(
        tfl.sequential({
          layers: [
            tfl.layers.conv2d({ inputShape: [6, 6, 3], filters: 3, kernelSize: 1, name: names[0] }),
            tfl.layers.reLU({ name: "positive" }),
            tfl.layers.conv2d({ filters: 3, kernelSize: 1, name: names[1] }),
            tfl.layers.globalAveragePooling2d({ name: "mean" }),
            tfl.layers.dense({ units: 3, name: names[2] }),
          ],
        }),
      );
    const network = build(["conv2d_1", "conv2d", "dense_7"]); // as if the first were the second
    const x = randomImages([2, 6, 6, 3]);
    expectClose(
      await loadedPredictions(await files.write("model.keras", zipOf(await archiveEntries(network))), x),
      predictions(network, x),
    );
  });

  it.each(["layers", "_layer_checkpoint_dependencies"])("has nested models below %s", async (list) => {
    const input = tfl.input({ shape: [8, 8, 3], name: "picture" });
    const base = convolutions("base").apply(input);
    const inner = tfl.input({ shape: [4, 4, 4], name: "inside" });
    const same = tfl.layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", name: "c1" }).apply(inner);
    const more = tfl.model({ name: "more", inputs: inner, outputs: same as tfl.SymbolicTensor }).apply(base);
    const mean = tfl.layers.globalAveragePooling2d({ name: "mean" }).apply(more);
    const network = randomWeights(
      tfl.model({ inputs: input, outputs: tfl.layers.dense({ units: 3, name: "head" }).apply(mean) as tfl.SymbolicTensor }),
    );
    const config = configOf(network);
    for (const layer of config.config.layers) if (layer.class_name === "Model") layer.class_name = "Functional";
    const x = randomImages([2, 8, 8, 3]);
    expectClose(
      await loadedPredictions(await files.write("model.keras", zipOf(await archiveEntries(network, config, list))), x),
      predictions(network, x),
    );
  });

  it("reads what Keras 3 says of a Sequential model: batch_shape, dtype policies, origins of classes", async () => {
    const network = plainNetwork();
    const config = configOf(network);
    const dtype = { module: "keras", class_name: "DTypePolicy", config: { name: "float32" }, registered_name: null };
    const layers = config.config.layers.map((layer) => {
      const { batch_input_shape: _, ...rest } = layer.config;
      return { module: "keras.layers", ...layer, config: { ...rest, dtype }, registered_name: null };
    });
    const input = {
      module: "keras.layers",
      class_name: "InputLayer",
      config: { batch_shape: [null, 6, 6, 3], dtype: "float32", sparse: false, ragged: false, name: "input_layer" },
      registered_name: null,
    };
    config.config.layers = [input, ...layers];
    const x = randomImages([2, 6, 6, 3]);
    expectClose(
      await loadedPredictions(await files.write("model.keras", zipOf(await archiveEntries(network, config))), x),
      predictions(network, x),
    );
  });

  it("has grouped convolutions", async () => {
    const config = configOf(plainNetwork());
    const groups = config.config.layers.find(({ config: { name } }) => name === "c1");
    if (groups) groups.config["groups"] = 3;
    if (groups) groups.config["filters"] = 3;
    const entries = await archiveEntries(plainNetwork(), config);
    const kernel = [...Array(27).keys()];
    const rest = Object.fromEntries(
      ["0", "1", "2", "3"].map((i) => [
        `/layers/batch_normalization/vars/${i}`,
        { shape: [3], values: i === "0" || i === "3" ? [1, 1, 1] : [0, 0, 0] },
      ]),
    );
    const datasets = {
      "/layers/conv2d/vars/0": { shape: [3, 3, 1, 3], values: kernel },
      "/layers/conv2d/vars/1": { shape: [3], values: [0, 0, 0] },
      ...rest,
      "/layers/dense/vars/0": { shape: [48, 3], values: Array.from({ length: 144 }, (_, i) => (Math.floor(i / 3) === i % 3 ? 1 : 0)) },
      "/layers/dense/vars/1": { shape: [3], values: [0, 0, 0] },
    };
    const file = await files.write("model.keras", zipOf({ ...entries, "model.weights.h5": await hdf5Bytes({ datasets }) }));
    const ones = randomImages([1, 6, 6, 3]).mul(0).add(1);
    // Kernel [kh,kw,1,filter] of 0…26: filter f sees channel f alone and sums f, f + 3, …, f + 24: 108, 117, 126, over √(1 + 0.001).
    const found = await loadedPredictions(file, ones);
    const scale = 1 / Math.sqrt(1.001);
    for (const [i, sum] of [108, 117, 126].entries()) expect((found[i] as number) / (sum * scale)).toBeCloseTo(1, 5);
  });
});

describe("a .keras archive that is refused", () => {
  it("unpacks to a thousand times its size", async () => {
    const entries = await archiveEntries(plainNetwork());
    await refused(
      { ...entries, "model.weights.h5": new Uint8Array(4_000_000) },
      "MODEL_UNSAFE",
      /unpacks to \d{3,} times its size \(model\.weights\.h5\)\.$/,
      6,
    );
    await refused({ "config.json": " ".repeat(4_000_000) }, "MODEL_UNSAFE", /unpacks to \d{3,} times its size \(config\.json\)\.$/, 6);
  });

  it("says less of the size of its weights than they have", async () => {
    const entries = await archiveEntries(plainNetwork());
    const bytes = Buffer.from(zipOf(entries, 6));
    const before = await unpacked();
    const size = (entries["model.weights.h5"] as Uint8Array).length;
    const written = Buffer.alloc(4);
    written.writeUInt32LE(size);
    for (let at = bytes.indexOf(written); at >= 0; at = bytes.indexOf(written, at + 1)) bytes.writeUInt32LE(size - 100, at);
    await refusedBytes(bytes, "MODEL_INVALID", /is cut off or damaged: model\.weights\.h5 is larger than it says\.$/);
    expect(await unpacked()).toEqual(before);
  });

  it.each(["../evil.txt", "/etc/passwd", "model.py", "assets/../../x", "C:\\x"])("holds %s", async (name) => {
    await refused(
      { ...(await archiveEntries(plainNetwork())), [name]: "x" },
      /^assets/.test(name) ? "MODEL_UNSUPPORTED" : "MODEL_UNSAFE",
      /./,
    );
  });

  it("holds two entries of one name", async () => {
    const bytes = Buffer.from(zipOf({ ...(await archiveEntries(plainNetwork())), "config.jsoX": "{}" }));
    for (let at = bytes.indexOf("config.jsoX"); at >= 0; at = bytes.indexOf("config.jsoX", at + 1)) bytes.write("config.json", at);
    await refusedBytes(bytes, "MODEL_UNSAFE", /holds two entries named "config\.json"\.$/);
  });

  it("holds more entries than any model", async () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`assets/${i}/`, ""]));
    await refused(many, "MODEL_UNSAFE", /holds 1001 entries/);
  });

  it("is of another kind, or in parts", async () => {
    const { "model.weights.h5": weights = "", ...rest } = await archiveEntries(plainNetwork());
    await refused(rest, "MODEL_INVALID", /holds no weights\.$/);
    await refused({ ...rest, "model.weights.npz": "PK" }, "MODEL_UNSUPPORTED", /as NumPy arrays, which are not read\.$/);
    await refused({ ...rest, "model.weights.json": "{}", "model_00000.weights.h5": "x" }, "MODEL_UNSUPPORTED", /in several files/);
    await refused({ ...rest, "model.weights.h5": weights, "assets/layers/words.txt": "a\nb" }, "MODEL_UNSUPPORTED", /vocabularies/);
    await refused({ "model.weights.h5": weights }, "MODEL_INVALID", /is an archive without a Keras model\.$/);
    await refused(
      { ...rest, "config.json": "{", "model.weights.h5": weights },
      "MODEL_INVALID",
      /^config\.json of .* is cut off or is not JSON\.$/,
    );
    await refused({ ...rest, "model.weights.h5": "no HDF5 at all" }, "MODEL_INVALID", /is cut off or damaged\.$/);
  });

  it("is cut off at any of a hundred places", async () => {
    const whole = zipOf(await archiveEntries(plainNetwork()));
    for (let i = 1; i < 100; i++) {
      const file = await files.write("model.keras", whole.subarray(0, Math.floor((whole.length * i) / 100)));
      await expect(loadNetwork(file)).rejects.toMatchObject({ code: "MODEL_INVALID" });
    }
  });

  it("keeps the weights of a layer in another shape", async () => {
    const entries = await archiveEntries(plainNetwork());
    const datasets = { "/layers/conv2d/vars/0": { shape: [3, 3, 3, 5], values: new Float32Array(135) } };
    await refused(
      { ...entries, "model.weights.h5": await hdf5Bytes({ datasets }) },
      "MODEL_INVALID",
      /has 4 filters in its layer "c1" and stores a kernel \[3, 3, 3, 5\]/,
    );
    await refused(
      { ...entries, "model.weights.h5": await hdf5Bytes({ datasets: {} }) },
      "MODEL_INVALID",
      /stores no weights that fit the kernel/,
    );
  });

  it("holds a whole model where weights belong: they are found under no layer", async () => {
    const entries = await archiveEntries(plainNetwork());
    const weights = await hdf5Bytes(legacyContents(plainNetwork()));
    await refused(
      { ...entries, "model.weights.h5": weights, "metadata.json": new Uint8Array(strToU8("{}")) },
      "MODEL_INVALID",
      /stores no weights that fit/,
    );
  });
});

describe("names of classes", () => {
  it.each([
    ["Conv2D", "conv2d"],
    ["BatchNormalization", "batch_normalization"],
    ["DepthwiseConv2D", "depthwise_conv2d"],
    ["ReLU", "re_lu"],
    ["PReLU", "p_re_lu"],
    ["GlobalAveragePooling2D", "global_average_pooling2d"],
  ])("%s is %s", (name, snake) => expect(snakeCase(name)).toBe(snake));
});
