import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { inspectModel } from "../../../../src/engine/jobs/inspectModel.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-models-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

/** 2×2 gray images, three classes: scores W·x + b with whole-number weights, so that every figure can be checked by hand. */
const kernel = [1, 0, 2, 0, 1, 0, -1, 0, 1, 3, 2, 0]; // [4,3], row-major
const bias = [0, 0.5, -1];
function linear(activation: "linear" | "softmax" | "sigmoid"): tfl.Sequential {
  const model = tfl.sequential({
    name: "tiny",
    layers: [tfl.layers.flatten({ inputShape: [2, 2, 1] }), tfl.layers.dense({ units: 3, activation, name: "scores" })],
  });
  model.setWeights([tf.tensor2d(kernel, [4, 3]), tf.tensor1d(bias)]);
  return model;
}
const image = [1, 2, 3, 4];
const scores = [10, 10.5, 4]; // e.g. class 0: 1·1 + 2·0 + 3·(−1) + 4·3
const contract: InputContract = { input: {} };

const predict = (network: tfl.LayersModel): number[] => [...(network.predict(tf.tensor4d(image, [1, 2, 2, 1])) as tf.Tensor).dataSync()];

let count = 0;
async function saved(network: tfl.LayersModel, o: InputContract = contract): Promise<string> {
  const directory = path.join(folder, `model-${count++}`);
  await saveNetwork(network, directory, o);
  return directory;
}
async function edit(directory: string, change: (json: Record<string, unknown>) => unknown): Promise<void> {
  const file = path.join(directory, "model.json");
  const json: unknown = JSON.parse(await fs.readFile(file, "utf8"));
  await fs.writeFile(file, JSON.stringify(change(json as Record<string, unknown>)));
}

describe("saving and loading", () => {
  it("gives back the same network and contract, from file, folder and run folder", async () => {
    const run = path.join(folder, "run");
    const o: InputContract = { input: { channels: "gray", mean: 10, scale: [255] }, output: { classes: ["a", "b", "c"] } };
    await saveNetwork(linear("linear"), path.join(run, "model"), o);
    expect((await fs.readdir(path.join(run, "model"))).sort()).toEqual(["model.bulwark.json", "model.json", "weights.bin"]);
    for (const where of [run, path.join(run, "model"), path.join(run, "model", "model.json")]) {
      const loaded = await loadNetwork(where);
      expect(loaded).toMatchObject({ contract: o, format: "tfjs-layers", outputs: "logits", notes: [] });
      expect(loaded.file).toBe(path.join(run, "model", "model.json"));
      expect(predict(loaded.network)).toEqual(scores);
      loaded.network.dispose();
    }
  });

  it("replaces a contract by one that is given, but for the defence and the images that it was trained with", async () => {
    const carried = { id: "standard", params: {} };
    const trained = await saved(linear("linear"), { input: { size: [2, 2], channels: "gray", mean: 10 }, defense: carried });
    const given: InputContract = { input: { scale: 510 }, output: { classes: ["a", "b", "c"] } };
    const loaded = await loadNetwork(trained, given);
    expect(loaded.contract).toEqual({ ...given, input: { size: [2, 2], channels: "gray", scale: 510 }, defense: carried });
    const foreign = await loadNetwork(await saved(linear("linear"), { input: { size: [2, 2], mean: 10 } }), given);
    expect(foreign.contract).toEqual(given);
    for (const { network } of [loaded, foreign]) network.dispose();
    await expect(loadNetwork(trained, { input: { layout: "nchw" } })).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(/channels come first, and the model takes them last/),
      fix: 'Set "layout" to "nhwc" in the input contract.',
    });
  });

  it("takes the end-softmax off, whether activation, layer, functional model or nested model", async () => {
    const dense = tfl.layers.dense({ units: 3, weights: [tf.tensor2d(kernel, [4, 3]), tf.tensor1d(bias)] });
    const input = tfl.input({ shape: [2, 2, 1] });
    const output = tfl.layers.softmax().apply(dense.apply(tfl.layers.flatten().apply(input))) as tfl.SymbolicTensor;
    const functional = tfl.model({ inputs: input, outputs: output });
    const activation = tfl.sequential({ layers: [linear("linear"), tfl.layers.activation({ activation: "softmax" })] });
    const nested = tfl.sequential({ layers: [linear("softmax"), tfl.layers.reshape({ targetShape: [3] })] });
    for (const model of [linear("softmax"), functional, activation, nested, linear("sigmoid")]) {
      const loaded = await loadNetwork(await saved(model));
      expect(loaded).toMatchObject({ outputs: "logits", notes: [expect.stringContaining("taken off")] });
      expect(predict(loaded.network)).toEqual(scores);
    }
  });

  it("keeps a softmax that is not at the end, and warns where probabilities cannot be undone", async () => {
    const inside = tfl.sequential({ layers: [linear("softmax"), tfl.layers.dense({ units: 3, useBias: false, weights: [tf.eye(3)] })] });
    const loaded = await loadNetwork(await saved(inside));
    expect(loaded).toMatchObject({ outputs: "probabilities", evidence: { byValue: { kind: "all", most: 1 } } }); // the identity keeps their sum
    const stated = await loadNetwork(await saved(inside, { input: {}, output: { kind: "logits" } }));
    expect(stated.outputs).toBe("logits");
    expect(predict(loaded.network).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    const declared = await loadNetwork(await saved(inside, { input: {}, output: { kind: "probabilities" } }));
    expect(declared).toMatchObject({ outputs: "probabilities", evidence: { outputs: "probabilities" } });
  });

  it("reads several weight files and quantized weights", async () => {
    const directory = await saved(linear("linear"));
    const bytes = await fs.readFile(path.join(directory, "weights.bin"));
    await fs.writeFile(path.join(directory, "part1.bin"), bytes.subarray(0, 10));
    await fs.writeFile(path.join(directory, "part2.bin"), bytes.subarray(10));
    const manifest = (json: Record<string, unknown>) =>
      (json["weightsManifest"] as { paths: string[]; weights: Record<string, unknown>[] }[])[0];
    await edit(directory, (json) => ({ ...json, weightsManifest: [{ ...manifest(json), paths: ["part1.bin", "part2.bin"] }] }));
    expect(predict((await loadNetwork(directory)).network)).toEqual(scores);
    // the same weights as bytes: value = byte · 0.5 − 1
    await fs.writeFile(
      path.join(directory, "part1.bin"),
      Uint8Array.from([...kernel, ...bias], (value) => (value + 1) / 0.5),
    );
    await fs.writeFile(path.join(directory, "part2.bin"), "");
    await edit(directory, (json) => {
      const group = manifest(json);
      return {
        ...json,
        weightsManifest: [
          { ...group, weights: group?.weights.map((w) => ({ ...w, quantization: { dtype: "uint8", scale: 0.5, min: -1 } })) },
        ],
      };
    });
    expect(predict((await loadNetwork(directory)).network)).toEqual(scores);
  });

  it("reads weights of 8 bits as byte · scale + minimum", async () => {
    const layers = [tfl.layers.flatten({ inputShape: [1, 1, 1] }), tfl.layers.dense({ units: 3, useBias: false, name: "scores" })];
    const directory = await saved(tfl.sequential({ layers }));
    await fs.writeFile(path.join(directory, "weights.bin"), Uint8Array.of(0, 128, 255));
    await edit(directory, (json) => {
      const [group] = json["weightsManifest"] as { weights: Record<string, unknown>[] }[];
      const quantization = { dtype: "uint8", scale: 0.02, min: -2.5 };
      return { ...json, weightsManifest: [{ ...group, weights: group?.weights.map((w) => ({ ...w, quantization })) }] };
    });
    const [kernel] = (await loadNetwork(directory)).network.getWeights();
    [-2.5, 0.06, 2.6].forEach((value, i) => {
      expect(kernel?.dataSync()[i]).toBeCloseTo(value, 6);
    });
  });

  it("hashes model and weights together", async () => {
    const [one, two] = [await loadNetwork(await saved(linear("linear"))), await loadNetwork(await saved(linear("softmax")))];
    expect(one.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(two.sha256).not.toBe(one.sha256);
  });

  it("says what it cannot write, and leaves no temporary files", async () => {
    const directory = await saved(linear("linear"));
    await expect(saveNetwork(linear("linear"), path.join(directory, "weights.bin"), contract)).rejects.toMatchObject({
      code: "NOT_WRITABLE",
    });
    await fs.rm(path.join(directory, "model.json"));
    await fs.mkdir(path.join(directory, "model.json", "x"), { recursive: true });
    await expect(saveNetwork(linear("linear"), directory, contract)).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    expect((await fs.readdir(directory)).sort()).toEqual(["model.bulwark.json", "model.json", "weights.bin"]);
  });
});

describe("inspection", () => {
  it("counts parameters and lists layers", async () => {
    const convolution = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [8, 8, 3], filters: 4, kernelSize: 3, name: "conv" }),
        tfl.layers.globalAveragePooling2d({ name: "pool" }),
        tfl.layers.dense({ units: 5, activation: "softmax", name: "head" }),
      ],
    });
    expect(await inspectModel(await saved(convolution))).toEqual({
      format: "tfjs-layers",
      inputShape: [null, 8, 8, 3],
      classes: 5,
      parameters: 3 * 3 * 3 * 4 + 4 + 4 * 5 + 5,
      layers: [
        { name: "conv", type: "Conv2D", outputShape: [null, 6, 6, 4], parameters: 3 * 3 * 3 * 4 + 4, depth: 0 },
        { name: "pool", type: "GlobalAveragePooling2D", outputShape: [null, 4], parameters: 0, depth: 0 },
        { name: "head", type: "Dense", outputShape: [null, 5], parameters: 4 * 5 + 5, depth: 0 },
      ],
      contract: { input: { mean: 0, scale: 255 } },
      contractSource: { kind: "file", text: "model.bulwark.json" },
      classNames: null,
      classNamesSource: null,
      warnings: [],
      notes: [expect.stringContaining("softmax")],
    });
  });
});

describe("models that are refused", () => {
  const refused = (where: string, code: string, pattern: RegExp) =>
    expect(loadNetwork(where)).rejects.toMatchObject({ code, message: expect.stringMatching(pattern), fix: expect.any(String) });

  it("a model.json cut anywhere, and weights cut anywhere", async () => {
    const directory = await saved(linear("linear"));
    const file = path.join(directory, "model.json");
    const whole = await fs.readFile(file);
    for (let length = 0; length < whole.length; length += 97) {
      await fs.writeFile(file, whole.subarray(0, length));
      await refused(directory, "MODEL_INVALID", /model\.json/);
    }
    await fs.writeFile(file, whole);
    await fs.truncate(path.join(directory, "weights.bin"), 30);
    await refused(directory, "MODEL_INVALID", /weights\.bin.*cut off: 60 bytes expected, 30 found/);
    await fs.rm(path.join(directory, "weights.bin"));
    await refused(directory, "FILE_NOT_FOUND", /weights\.bin/);
  });

  it("weights that are NaN or infinite, by name", async () => {
    const directory = await saved(linear("linear"));
    const bytes = await fs.readFile(path.join(directory, "weights.bin"));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      bytes.writeFloatLE(value, 4 * 13); // the second bias
      await fs.writeFile(path.join(directory, "weights.bin"), bytes);
      await refused(directory, "MODEL_NAN", /scores\/bias.*position 1/);
    }
  });

  it("graph models, other JSON, layers that do not exist, weights that do not fit", async () => {
    const directory = await saved(linear("linear"));
    const original = await fs.readFile(path.join(directory, "model.json"), "utf8");
    const attempt = async (change: (json: Record<string, unknown>) => unknown, pattern: RegExp, code = "MODEL_INVALID") => {
      await fs.writeFile(path.join(directory, "model.json"), original);
      await edit(directory, change);
      await refused(directory, code, pattern);
    };
    await attempt((json) => ({ ...json, format: "graph-model" }), /graph model/);
    await attempt(() => ({ name: "a package" }), /not a TensorFlow\.js model/);
    await attempt(() => [1, 2], /not a TensorFlow\.js model/);
    await attempt((json) => JSON.parse(JSON.stringify(json).replaceAll('"Dense"', '"Denser"')), /Denser/, "MODEL_UNSUPPORTED");
    await attempt((json) => JSON.parse(JSON.stringify(json).replaceAll('"units":3', '"units":4')), /has 4 units in its layer "scores"/);
    await attempt(
      (json) => JSON.parse(JSON.stringify(json).replaceAll("weights.bin", "../weights.bin")),
      /outside its folder/,
      "MODEL_UNSAFE",
    );
  });

  it("weights that lie elsewhere, behind a link of their own or of a folder", async () => {
    const elsewhere = await saved(linear("linear"));
    const directory = await saved(linear("linear"));
    const weights = path.join(directory, "weights.bin");
    await fs.rm(weights);
    await fs.symlink(path.join(elsewhere, "weights.bin"), weights);
    await refused(directory, "MODEL_UNSAFE", /keeps weights in "weights\.bin", through a link/);
    await fs.symlink(elsewhere, path.join(directory, "up"));
    await edit(directory, (json) => JSON.parse(JSON.stringify(json).replaceAll("weights.bin", "up/weights.bin")));
    await refused(directory, "MODEL_UNSAFE", /through a link/);
    // The folder itself may be a link: what it holds is still beside the model.
    const link = `${elsewhere}-link`;
    await fs.symlink(elsewhere, link);
    const { network } = await loadNetwork(link);
    network.dispose();
  });

  it("formats that come later, and paths that hold no model", async () => {
    for (const [extension, pattern] of [
      ["h5", /not a Keras model/],
      ["keras", /not a Keras model/],
      ["pt", /not supported yet/],
    ] as const) {
      const file = path.join(folder, `net.${extension}`);
      await fs.writeFile(file, "x");
      await refused(file, "MODEL_INVALID", pattern);
    }
    await refused(path.join(folder, "none.json"), "FILE_NOT_FOUND", /none\.json/);
    await fs.mkdir(path.join(folder, "empty"));
    await refused(path.join(folder, "empty"), "FILE_NOT_FOUND", /no model\.json/);
  });

  it("networks that are no image classifiers", async () => {
    const vector = tfl.sequential({ layers: [tfl.layers.dense({ units: 3, inputShape: [4] })] });
    await refused(await saved(vector), "MODEL_INVALID", /no image/);
    const channels = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [2, 2, 2] }), tfl.layers.dense({ units: 3 })] });
    await refused(await saved(channels), "MODEL_INVALID", /2 channels/);
    const map = tfl.sequential({ layers: [tfl.layers.conv2d({ inputShape: [2, 2, 1], filters: 2, kernelSize: 1 })] });
    await refused(await saved(map), "MODEL_INVALID", /not one score/);
    const single = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [2, 2, 1] }), tfl.layers.dense({ units: 1 })] });
    await refused(await saved(single), "MODEL_INVALID", /at least two classes/);
  });

  it("contracts that are broken or do not fit the model", async () => {
    const attempt = async (o: unknown, pattern: RegExp) => {
      const directory = await saved(linear("linear"));
      await fs.writeFile(path.join(directory, "model.bulwark.json"), typeof o === "string" ? o : JSON.stringify(o));
      await refused(directory, "MODEL_INVALID", pattern);
    };
    await attempt('{"input":', /model\.bulwark\.json.*cut off/);
    await attempt({ input: { size: "big" } }, /input\.size/);
    await attempt({ input: { sizes: [2, 2] } }, /sizes/);
    await attempt({ input: { layout: "nchw" } }, /channels/);
    await attempt({ input: { channels: "rgb" } }, /takes 1/);
    await attempt({ input: { size: [28, 28] } }, /28×28.*2×2/);
    await attempt({ input: { mean: [1, 2, 3] } }, /"mean" has 3 numbers/);
    await attempt({ input: { scale: 0 } }, /"scale"/);
    await attempt({ input: { mean: [0.485, 0.456, 0.406], scale: [0.229, 0.224, 0.225] } }, /mean and scale are in units of 0…255/);
    await attempt({ input: {}, output: { classes: ["a"] } }, /names 1 classes/);
  });
});
