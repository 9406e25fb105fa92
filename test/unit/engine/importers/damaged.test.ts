import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { readMat } from "../../../../src/engine/datasets/mat.ts";
import { parseVoc } from "../../../../src/engine/datasets/voc.ts";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { readImage } from "../../../../src/engine/io/images.ts";
import { readNpz, writeNpz } from "../../../../src/engine/io/npz.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-damaged-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

/** Reads `rounds` variants of a file, cut off or with a few bytes changed: each is read, or refused with an error of ours. */
async function damage(file: string, read: () => unknown, rounds: number): Promise<void> {
  const whole = await fs.readFile(file);
  await read();
  const random = createRandom(path.basename(file));
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = Uint8Array.from(whole);
    for (let i = 0; i < 3; i++) bytes[random.integer(bytes.length)] = random.integer(256);
    await fs.writeFile(file, round % 2 ? bytes : whole.subarray(0, random.integer(whole.length)));
    try {
      await read();
    } catch (error) {
      expect(error).toMatchObject({ name: "BulwarkError", fix: expect.any(String) });
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(rounds / 4);
  await fs.writeFile(file, whole);
}

describe("damaged files are refused with an error that says what to do", () => {
  it("images", async () => {
    const noise = sharp({
      create: { width: 24, height: 24, channels: 3, background: "red", noise: { type: "gaussian", mean: 128, sigma: 40 } },
    });
    for (const format of ["png", "jpeg", "webp", "gif"] as const) {
      const file = path.join(folder, `x.${format}`);
      await fs.writeFile(file, await noise.clone().toFormat(format).toBuffer());
      await damage(file, () => readImage(file, { channels: 3, resize: "none" }), 40);
    }
  });

  it("numpy and MATLAB arrays", async () => {
    const file = path.join(folder, "x.npz");
    await writeNpz(file, { images: { data: Float32Array.from({ length: 60 }, (_, i) => i / 60), shape: [5, 3, 4] } });
    await damage(file, () => readNpz(file), 80);
    const mat = path.join(folder, "x.mat");
    await fs.copyFile("test/unit/engine/datasets/fixtures/svhn-compressed.mat", mat);
    await damage(mat, () => readMat(mat), 80);
  });

  it("boxes", async () => {
    const file = path.join(folder, "x.xml");
    const box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox>";
    await fs.writeFile(
      file,
      `<annotation><size><width>9</width><height>9</height></size><object><name>a</name>${box}</object></annotation>`,
    );
    await damage(file, async () => parseVoc(await fs.readFile(file, "utf8"), "x.xml"), 100);
  });

  it("models", async () => {
    const network = tfl.sequential({
      layers: [
        tfl.layers.conv2d({ inputShape: [4, 4, 1], filters: 2, kernelSize: 2, activation: "relu" }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 3, activation: "softmax" }),
      ],
    });
    await saveNetwork(network, path.join(folder, "m"), { input: {} });
    const read = async () => (await loadNetwork(path.join(folder, "m"))).network.dispose();
    for (const name of ["model.json", "weights.bin", "model.bulwark.json"]) await damage(path.join(folder, "m", name), read, 60);
  });
});

it("keeps nothing of a network that could not be built", async () => {
  const network = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [4, 4, 1] }), tfl.layers.dense({ units: 3, name: "d" })] });
  const directory = path.join(folder, "unbuilt");
  await saveNetwork(network, directory, { input: {} });
  network.dispose();
  const file = path.join(directory, "model.json");
  const json = JSON.parse(await fs.readFile(file, "utf8"));
  json.modelTopology.config.layers.at(-1).config.activation = "none of them";
  await fs.writeFile(file, JSON.stringify(json));
  const before = tf.memory().numTensors;
  await expect(loadNetwork(directory)).rejects.toMatchObject({ code: expect.stringMatching(/^MODEL_/) });
  expect(tf.memory().numTensors).toBe(before);
});

describe("a configuration of layers", () => {
  const edited = async (change: (layers: { config: Record<string, unknown> }[]) => void): Promise<string> => {
    const { depthwiseConv2d, flatten, dense } = tfl.layers;
    const layers = [depthwiseConv2d({ inputShape: [8, 8, 1], kernelSize: 3, name: "dw" }), flatten(), dense({ units: 3, name: "d" })];
    const network = tfl.sequential({ layers });
    const directory = path.join(folder, "edited");
    await saveNetwork(network, directory, { input: {} });
    network.dispose();
    const file = path.join(directory, "model.json");
    const json = JSON.parse(await fs.readFile(file, "utf8"));
    change(json.modelTopology.config.layers);
    await fs.writeFile(file, JSON.stringify(json));
    return directory;
  };
  const setting = (layers: { config: Record<string, unknown> }[], name: string): Record<string, unknown> => {
    const found = layers.find(({ config }) => config["name"] === name);
    if (!found) throw new Error(`no layer ${name}`);
    return found.config;
  };

  it.each([
    ["strides", 0],
    ["strides", [1, 0]],
    ["strides", { toString: 1 }],
    ["dilation_rate", [1, -1]],
    ["dilation_rate", [1.5, 1]],
    ["dilation_rate", "two"],
    ["kernel_size", [0, 3]],
  ])("with %s %j is refused, naming the layer", async (key, value) => {
    const directory = await edited((layers) => {
      setting(layers, "dw")[key] = value;
    });
    await expect(loadNetwork(directory)).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining('"dw"') });
  });

  it("whose names are objects ends in an error of ours, or is read", async () => {
    const odd = { toString: 1, valueOf: 2 };
    for (const key of ["kernel_initializer", "kernel_regularizer", "bias_constraint"]) {
      const directory = await edited((layers) => {
        setting(layers, "d")[key] = { class_name: odd, config: odd };
      });
      const end = await loadNetwork(directory).then(
        ({ network }) => void network.dispose(),
        (thrown: unknown) => thrown,
      );
      if (end !== undefined) expect(end).toMatchObject({ name: "BulwarkError" });
    }
  });
});
