import { promises as fs } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { loadNetwork } from "../../../../src/engine/importers/index.ts";
import { tfl } from "../../../../src/engine/tf.ts";
import { convolutions, type LayerJson, type ModelFiles, type ModelJson, modelFiles } from "./modelFiles.ts";

let files: ModelFiles;
beforeAll(async () => {
  await useBackend("cpu");
  files = await modelFiles();
});
afterAll(() => fs.rm(files.folder, { recursive: true }));

/** input – base (c1, pool, c2) – mean – head, functional around a Sequential model. */
function around(): tfl.LayersModel {
  const input = tfl.input({ shape: [8, 8, 3], name: "picture" });
  const base = convolutions("base").apply(input);
  const mean = tfl.layers.globalAveragePooling2d({ name: "mean" }).apply(base);
  return tfl.model({ inputs: input, outputs: tfl.layers.dense({ units: 3, name: "head" }).apply(mean) as tfl.SymbolicTensor });
}
const layer = (json: ModelJson, name: string): LayerJson => {
  const found = json.modelTopology.config.layers.find((one) => one.name === name || one.config["name"] === name);
  if (!found) throw new Error(`no layer ${name}`);
  return found;
};
const refused = async (change: (json: ModelJson) => void, message: RegExp, code = "MODEL_INVALID"): Promise<void> => {
  const directory = await files.write(around(), change);
  await expect(loadNetwork(directory)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
    fix: expect.any(String),
  });
};

describe("a topology that can never be completed is refused, by the name of the layer", () => {
  it("a layer that is not there", () =>
    refused((json) => {
      layer(json, "head").inbound_nodes = [[["lost_layer", 0, 0, {}]]];
    }, /lacks the layer "lost_layer", which its layer "head" is applied to/));

  it("an application of a layer that there is not", () =>
    refused((json) => {
      layer(json, "head").inbound_nodes = [[["mean", 1, 0, {}]]];
    }, /applies the layer "mean" once, and its layer "head" is applied to what application 2 gives/));

  it("a layer that is applied to itself", () =>
    refused((json) => {
      layer(json, "head").inbound_nodes = [[["head", 0, 0, {}]]];
    }, /circle through its layer "head"/));

  it("layers that wait for one another", () =>
    refused((json) => {
      layer(json, "mean").inbound_nodes = [[["head", 0, 0, {}]]];
    }, /circle through its layer "(mean|head)"/));

  it("two layers of one name", () =>
    refused((json) => {
      json.modelTopology.config.layers.push(structuredClone(layer(json, "head")));
    }, /two layers named "head"/));

  it("an end or a beginning that is not there", async () => {
    await refused((json) => {
      json.modelTopology.config["output_layers"] = [["tail", 0, 0]];
    }, /lacks the layer "tail", which its model ".*" ends in/);
    await refused((json) => {
      json.modelTopology.config["input_layers"] = [["mean", 0, 0]];
    }, /begins with "mean", which is none of its input layers/);
  });

  it("the same within a nested model", () =>
    refused((json) => {
      const base = layer(json, "base");
      const inner = base.config["layers"] as LayerJson[];
      for (const one of inner) one.name = String(one.config["name"]);
      const [first, pool, last] = inner as [LayerJson, LayerJson, LayerJson];
      const input = { class_name: "InputLayer", name: "in", config: { name: "in", batch_input_shape: [null, 8, 8, 3] }, inbound_nodes: [] };
      first.inbound_nodes = [[["in", 0, 0, {}]]];
      pool.inbound_nodes = [[["c1", 0, 0, {}]]];
      last.inbound_nodes = [[["gone", 0, 0, {}]]];
      base.class_name = "Model";
      base.config = { name: "base", layers: [input, ...inner], input_layers: [["in", 0, 0]], output_layers: [["c2", 0, 0]] };
    }, /lacks the layer "gone", which its layer "c2" is applied to/));

  it("a billion units, before anything is built", () =>
    refused((json) => {
      layer(json, "head").config["units"] = 1e9;
    }, /has 1000000000 units in its layer "head" and stores a kernel \[4, 3\]/));

  it("classes that nobody knows, program code, and what tfjs would compute otherwise", async () => {
    const named = (className: string) => (json: ModelJson) => {
      layer(json, "mean").class_name = className;
    };
    await refused(named("MeanOfMine"), /a layer "mean" of the class MeanOfMine/, "MODEL_UNSUPPORTED");
    await refused(named("Lambda"), /a Lambda layer "mean", which is program code/, "MODEL_UNSUPPORTED");
    await refused((json) => {
      json.modelTopology["keras_version"] = "3.8.0";
      layer(json, "head").config["activation"] = "hard_sigmoid";
    }, /a layer "head" \(Dense\) with the activation "hard_sigmoid", whose slope is 1\/6 in Keras 3/);
    await refused((json) => {
      layer(json, "head").config["activation"] = "squareplus";
    }, /the activation "squareplus", which TensorFlow.js lacks/);
  });
});
