import { beforeAll, describe, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { plainNetwork } from "../modelFiles.ts";
import { archiveEntries, configOf, legacyContents, type ModelConfig, zipOf } from "./contents.ts";
import { expectRefused, kerasFiles } from "./files.ts";

const files = kerasFiles();
beforeAll(() => useBackend("cpu"));

/** conv c1 – batch normalisation bn – flat – dense logits, with its configuration changed, as an archive. */
async function refused(change: (layers: ModelConfig["config"]["layers"]) => void, code: string, message: RegExp): Promise<void> {
  const network = plainNetwork();
  const config = configOf(network);
  change(config.config.layers);
  await expectRefused(await files.write("model.keras", zipOf(await archiveEntries(network, config))), code, message);
  network.dispose();
}
const set = (layer: number, key: string, value: unknown) => (layers: ModelConfig["config"]["layers"]) => {
  const config = layers[layer]?.config;
  if (config) config[key] = value;
};

describe("a Keras file with settings that no Keras writes is refused", () => {
  it.each([
    [1, "epsilon", "12"],
    [1, "epsilon", true],
    [1, "momentum", [[0.9]]],
    [0, "dilation_rate", [-1, 1]],
    [0, "filters", "4"],
    [0, "strides", [1.5, 1]],
    [3, "units", 0],
  ] as const)("layer %i, %s", (layer, key, value) =>
    refused(set(layer, key, value), "MODEL_INVALID", new RegExp(`with ${key} = .*, which has to be a (whole )?number`)),
  );

  it.each(["constructor", "__proto__", "toString", "hasOwnProperty"])("a layer of the class %s", (name) =>
    refused(
      (layers) => {
        if (layers[2]) layers[2].class_name = name;
      },
      "MODEL_UNSUPPORTED",
      /of the class \w+, which neither/,
    ),
  );

  it("weights of a shape that the file has no numbers for, before there is memory for them", async () => {
    const needs = /has layers that need more than [\d\u202f]+ numbers as weights, and stores \d+\.$/;
    const prelu = { class_name: "PReLU", config: { name: "bn" } };
    await refused(
      (layers) => {
        set(0, "batch_input_shape", [null, 30_000, 30_000, 3])(layers);
        layers[1] = prelu;
      },
      "MODEL_INVALID",
      needs,
    );
    // Its initial weights are an orthogonal matrix, which would be computed for hours.
    const pixels = { class_name: "Reshape", config: { name: "pixels", target_shape: [36, 3], batch_input_shape: [null, 6, 6, 3] } };
    const recurrent = { class_name: "LSTM", config: { name: "rnn", units: 3000 } };
    await refused((layers) => layers.splice(0, 3, pixels, recurrent), "MODEL_INVALID", needs);
  });
});

describe("an .h5 file that lists something twice is refused", () => {
  it.each([
    ["a layer", "/model_weights", "layer_names", /lists the layer "logits" twice\.$/],
    ["weights", "/model_weights/logits", "weight_names", /lists the weights "logits" twice\.$/],
  ])("%s", async (_, group, list, message) => {
    const network = plainNetwork();
    const contents = legacyContents(network);
    contents.attributes[group] = { ...contents.attributes[group], [list]: ["logits", "logits"] };
    await expectRefused(await files.writeHdf5(contents), "MODEL_INVALID", message);
    network.dispose();
  });
});
