import { promises as fs } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { loadNetwork, outlineNetwork } from "../../../../src/engine/importers/index.ts";
import { describeNetwork } from "../../../../src/engine/importers/inspect.ts";
import { checkModel } from "../../../../src/engine/jobs/checkModel.ts";
import { Normalization } from "../../../../src/engine/models/layers/normalization.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { ModelCheckUpdate } from "../../../../src/shared/modelCheck.ts";
import { legacyContents } from "./keras/contents.ts";
import { kerasFiles } from "./keras/files.ts";
import { type ModelFiles, modelFiles, randomWeights } from "./modelFiles.ts";
import { node, numbers, onnx } from "./onnx/encoder.ts";

let tfjs: ModelFiles;
const keras = kerasFiles();
beforeAll(async () => {
  await useBackend("cpu");
  tfjs = await modelFiles();
});
afterAll(() => fs.rm(tfjs.folder, { recursive: true }));

const plain = (): tfl.Sequential =>
  randomWeights(
    tfl.sequential({
      layers: [
        tfl.layers.conv2d({ name: "c", inputShape: [6, 6, 3], filters: 4, kernelSize: 3, activation: "relu" }),
        tfl.layers.flatten({ name: "f" }),
        tfl.layers.dense({ name: "d", units: 3, activation: "softmax" }),
      ],
    }),
  );
/** A network with one weight that is NaN. */
const broken = (): tfl.Sequential => {
  const network = plain();
  const [, bias] = network.getLayer("d").getWeights() as [tf.Tensor, tf.Tensor];
  network.getLayer("d").setWeights([tf.zeros([64, 3]), tf.add(bias, tf.tensor1d([0, Number.NaN, 0]))]);
  return network;
};
const graph = (bias: number) =>
  onnx({
    nodes: [
      node("GlobalAveragePool", "x", "m"),
      node("Flatten", "m", "f"),
      node("Gemm", "f w b", "s"),
      node("Softmax", "s", "y", { axis: 1 }),
    ],
    input: ["b", 3, 2, 2],
    initializers: { w: numbers([3, 2], 2, 0, 0, 1, -1, 1), b: numbers([2], bias, 0) },
  });

/** The same files of each format, whole and with a NaN. */
const formats: Readonly<Record<string, (isBroken: boolean) => Promise<string>>> = {
  tfjs: (isBroken) => tfjs.write(isBroken ? broken() : plain()),
  keras: (isBroken) => keras.writeHdf5(legacyContents(isBroken ? broken() : plain())),
  onnx: (isBroken) => keras.write("net.onnx", graph(isBroken ? Number.NaN : 0.5)),
};

describe.each(Object.keys(formats))("the outline of a %s file", (format) => {
  const written = formats[format] as (isBroken: boolean) => Promise<string>;

  it("says what the whole network says, and leaves its weights 0", async () => {
    const file = await written(false);
    const whole = await loadNetwork(file);
    const outlined = await outlineNetwork(file);
    expect(describeNetwork(outlined)).toEqual(describeNetwork(whole));
    for (const weight of outlined.network.getWeights()) expect([...(await weight.data())].every((value) => value === 0)).toBe(true);
    expect(whole.network.getWeights().some((weight) => weight.dataSync().some((value) => value !== 0))).toBe(true);
    for (const { network } of [whole, outlined]) network.dispose();
  });

  it("is there although a weight is NaN, which the check tells", async () => {
    const file = await written(true);
    const { network, format: found } = await outlineNetwork(file);
    expect(found).toContain(format);
    network.dispose();
    await expect(checkModel({ model: file }, new AbortController().signal)).rejects.toMatchObject({ code: "MODEL_NAN" });
  });

  it("is checked afterwards: every weight, and ONNX files against ONNX Runtime", async () => {
    const check = await checkModel({ model: await written(false) }, new AbortController().signal);
    expect(check).toMatchObject({ weights: format === "onnx" ? 8 : 3 * 3 * 3 * 4 + 4 + 64 * 3 + 3, notes: [] });
    if (format === "onnx") expect(check.difference).toBeLessThan(1e-6);
    else expect(check.difference).toBeNull();
  });

  it("stops being checked when its watcher throws", async () => {
    const updates: ModelCheckUpdate[] = [];
    const file = await written(false);
    const watch = (update: ModelCheckUpdate): void => {
      updates.push(update);
      throw new Error("enough");
    };
    const before = tf.memory().numTensors;
    await expect(loadNetwork(file, undefined, { watch })).rejects.toThrow("enough");
    expect(updates).toHaveLength(1);
    expect(updates[0]).toMatchObject({ stage: "weights", share: expect.any(Number) });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("the outline of a TensorFlow.js model", () => {
  it("reads what a first Normalization was adapted to, also where it lies in two files", async () => {
    const normalization = new Normalization({ name: "n", inputShape: [4, 4, 3] } as ConstructorParameters<typeof Normalization>[0]);
    const network = tfl.sequential({ layers: [normalization, tfl.layers.flatten(), tfl.layers.dense({ units: 2 })] });
    normalization.setWeights([tf.tensor1d([120, 115, 104]), tf.tensor1d([3400, 3300, 3500])]);
    let at = 0;
    const directory = await tfjs.write(network, (json) => {
      for (const group of json.weightsManifest) {
        const first = group.weights.findIndex(({ name }) => name.startsWith("n/"));
        const before = group.weights.slice(0, first).reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
        at = 4 * before + 16; // within the variance, behind three numbers of the mean
        group.paths = ["a.bin", "b.bin"];
      }
    });
    expect(at).toBe(4 * (48 * 2 + 2) + 16);
    const bytes = await fs.readFile(path.join(directory, "weights.bin"));
    await fs.writeFile(path.join(directory, "a.bin"), bytes.subarray(0, at));
    await fs.writeFile(path.join(directory, "b.bin"), bytes.subarray(at));
    await fs.rm(path.join(directory, "model.bulwark.json"));
    const { network: outlined, contract, contractSource } = await outlineNetwork(directory);
    expect(contract.input).toMatchObject({ mean: 0, scale: 1 });
    expect(contractSource.kind).toBe("layer");
    outlined.dispose();
  });

  it("is refused where weights are cut off or missing, which sizes tell", async () => {
    const directory = await tfjs.write(plain());
    const weights = path.join(directory, "weights.bin");
    await fs.truncate(weights, 100);
    await expect(outlineNetwork(directory)).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining("cut off") });
    await fs.rm(weights);
    await expect(outlineNetwork(directory)).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await fs.writeFile(weights, "version https://git-lfs.github.com/spec/v1\n");
    await expect(outlineNetwork(directory)).rejects.toMatchObject({ message: expect.stringContaining("Git LFS pointer") });
  });
});
