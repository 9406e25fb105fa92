import { promises as fs } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { loadNetwork } from "../../../../../src/engine/importers/index.ts";
import { plainNetwork } from "../modelFiles.ts";
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
const refused = async (contents: Contents, code: string, message: RegExp): Promise<void> => {
  const file = await written(contents);
  await expect(loadNetwork(file)).rejects.toMatchObject({ code, message: expect.stringMatching(message), fix: expect.any(String) });
};
const named = (config: ModelConfig, name: string): LayerConfig => {
  const found = config.config.layers.find((layer) => layer.config["name"] === name);
  if (!found) throw new Error(`no layer ${name}`);
  return found;
};

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
