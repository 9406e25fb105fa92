import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { loadNetwork, saveNetwork } from "../../../../src/engine/importers/index.ts";
import { writePng } from "../../../../src/engine/io/png.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";
import type { RunEvent } from "../../../../src/shared/events.ts";
import type { RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, writeData } from "../../../process/support.ts";
import { node, numbers, onnx } from "../importers/onnx/encoder.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());
const engine = await startEngine("cpu");
const train = { epochs: 4, batchSize: 8, learningRate: 0.01, validation: 0 };

let events: RunEvent[] = [];
async function run(name: string, more: Readonly<Record<string, unknown>>): Promise<{ directory: string; report: RunReport }> {
  events = [];
  const experiment = { dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 }, train, ...more };
  const file = workspace.write(`${name}.bulwark.jsonc`, JSON.stringify(experiment));
  const directory = workspace.file(`run-${name}`);
  const params = { file, workspace: workspace.directory, directory, mode: "run" as const, backend: "cpu" };
  await runExperiment(params, { engine, signal: new AbortController().signal, onEvent: (event) => events.push(event) });
  return { directory, report: JSON.parse(readFileSync(path.join(directory, "report.json"), "utf8")) as RunReport };
}

/** Numbers of a weight, of the model in a folder. */
async function weight(model: string, layer: string, name: string): Promise<number[]> {
  const { network } = await loadNetwork(model);
  const found = network.getLayer(layer).weights.find(({ originalName }) => originalName.endsWith(`/${name}`));
  if (!found) throw new Error(`${layer} has no ${name}`);
  const values = [...((await (found.read() as tf.Variable).data()) as Float32Array)];
  network.dispose();
  return values;
}

/** x − ¼, a convolution of one pixel, batch normalisation, a factor for each channel, and a product. */
const exported = onnx({
  nodes: [
    node("Sub", "x quarter", "s", {}, "shift"),
    node("Conv", "s k", "c", {}, "conv"),
    node("BatchNormalization", "c g b m v", "n", {}, "norm"),
    node("Relu", "n", "r", {}, "relu"),
    node("Mul", "r f", "h", {}, "factor"),
    node("Flatten", "h", "t"),
    node("Gemm", "t w", "y", {}, "scores"),
  ],
  initializers: {
    quarter: numbers([], 0.25),
    k: numbers([2, 1, 1, 1], 1, -1),
    g: numbers([2], 1, 1),
    b: numbers([2], 0.1, 0.2),
    m: numbers([2], 0, 0),
    v: numbers([2], 0.04, 0.04),
    f: numbers([1, 2, 1, 1], 1, 2),
    w: numbers([512, 3], ...Array.from({ length: 1536 }, (_, i) => 0.05 * Math.sin(i * i))),
  },
  input: ["b", 1, 16, 16],
});

beforeAll(async () => {
  await writeData(workspace, 48);
  writeFileSync(workspace.file("net.onnx"), exported);
});

describe("a model file that is fine-tuned", () => {
  it("is trained from its own weights, and better on the new data than as it was", async () => {
    const own = { file: "net.onnx" };
    const { directory, report } = await run("both", {
      model: { ...own, fineTune: true },
      attacks: [{ kind: "fgsm", eps: 0.02 }],
      compare: [{ name: "as it is", model: own }],
    });
    const [tuned, before] = report.arms;
    expect([tuned?.name, before?.name]).toEqual(["fine-tuned", "as it is"]);
    expect([tuned?.defenses, before?.defenses]).toEqual([[], []]);
    expect([tuned?.training?.epochs, before?.training]).toEqual([4, null]);
    expect(before?.clean.correct).toBeLessThan(8); // of 12
    expect(tuned?.clean.correct).toBe(12);

    const { network, contract, format } = await loadNetwork(directory);
    expect([format, contract.defense]).toEqual(["tfjs-layers", undefined]);
    expect(network.layers.map((layer) => layer.getClassName())).toContain("BatchNormalization");
    network.dispose();
    const notes = events.flatMap((event) => (event.kind === "note" ? [event.message] : []));
    expect(notes.filter((note) => /fine-tuned: 1 layer Affine multiply or add numbers of the file/.test(note))).toHaveLength(1);
    expect(await weight(directory, "shift", "offset")).toEqual([-0.25]); // how images are normalised
    expect(await weight(directory, "factor", "scale")).not.toEqual([1, 2]);
    const again = await run("again", { model: { file: "run-both", fineTune: true } }); // what it has trained is a model file like any other
    expect(again.report.arms[0]?.clean.correct).toBe(12);
  });

  it("moves the statistics of batch normalisation towards those of the new data", async () => {
    const once = { ...train, epochs: 1, batchSize: 48, learningRate: 1e-9, optimizer: "sgd" };
    const { directory } = await run("statistics", { model: { file: "net.onnx", fineTune: true }, train: once });
    // A third of the pixels is .7 in the mean and the others .3: x − ¼ is .1833, and a tenth of it is taken.
    const [first = 0, second = 0] = await weight(directory, "norm", "moving_mean");
    expect(first).toBeCloseTo(0.0183, 3);
    expect(second).toBeCloseTo(-0.0183, 3);
    expect(await weight(directory, "norm", "gamma")).toEqual([1, 1]);
  });

  it("keeps what is frozen in it, statistics included", async () => {
    const norm = tfl.layers.batchNormalization({ name: "norm", trainable: false });
    const layers = [
      tfl.layers.conv2d({ name: "conv", inputShape: [16, 16, 1], filters: 2, kernelSize: 1, kernelInitializer: "ones" }),
      norm,
      tfl.layers.flatten({ name: "list" }),
      tfl.layers.dense({ name: "scores", units: 3, kernelInitializer: tfl.initializers.heNormal({ seed: 4 }) }),
    ];
    await saveNetwork(tfl.sequential({ layers }), workspace.file("frozen"), { input: {} });
    const { directory } = await run("frozen", { model: { file: "frozen", fineTune: true } });
    for (const [name, value] of [
      ["moving_mean", 0],
      ["moving_variance", 1],
      ["gamma", 1],
    ] as const)
      expect(await weight(directory, "norm", name)).toEqual([value, value]);
    expect(await weight(directory, "conv", "kernel")).not.toEqual([1, 1]);
  });

  it("may say that it was trained without a defence, as files of earlier versions do", async () => {
    const plain = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [16, 16, 1] }), tfl.layers.dense({ units: 3 })] });
    const input: InputContract["input"] = { size: [16, 16], channels: "gray" }; // as Bulwark writes it beside a defence
    await saveNetwork(plain, workspace.file("plain"), { input, defense: { id: "standard", params: {} } });
    const { report } = await run("plain", { model: { file: "plain", fineTune: true } });
    expect(report.arms[0]?.training?.epochs).toBe(4);
    await saveNetwork(plain, workspace.file("defended"), { input, defense: { id: "labelSmoothing", params: {} } });
    await expect(run("defended", { model: { file: "defended", fineTune: true } })).rejects.toMatchObject({
      message: expect.stringContaining("is defended by labelSmoothing already"),
    });
  });

  it("keeps the order of its own classes: labels are counted by their names, and the saved model says them", async () => {
    const brightness = { cat: 0, dog: 128, fox: 255 }; // the folders, in their order
    for (const [name, grey] of Object.entries(brightness))
      for (let i = 0; i < 8; i++) await writePng(workspace.file(`animals/${name}/${i}.png`), new Uint8Array(64).fill(grey), 8, 8, 1);
    const scores = tfl.layers.dense({ units: 3 });
    const network = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [8, 8, 1] }), scores] });
    const kernel = Array.from({ length: 64 }, () => [10 / 64, -10 / 64, 0]); // fox is bright, cat is dark, dog is neither
    scores.setWeights([tf.tensor2d(kernel), tf.tensor1d([-7.5, 2.5, 0])]);
    const classes = ["fox", "cat", "dog"];
    await saveNetwork(network, workspace.file("brightness"), { input: {}, output: { classes } });
    const still = { ...train, epochs: 1, learningRate: 1e-12 };
    const experiment = { dataset: { kind: "imageFolder", path: "animals", testShare: 0.25 }, train: still };
    const arms = { tuned: {}, smoothed: { defense: { kind: "labelSmoothing" } } };
    for (const [name, defense] of Object.entries(arms)) {
      const model = { file: "brightness", fineTune: true };
      const { directory, report } = await run(name, { ...experiment, model, ...defense });
      expect(report.arms[0]?.clean.accuracy).toBe(1);
      const saved = await loadNetwork(path.join(directory, "model"));
      expect(saved.contract.output?.classes).toEqual(classes);
      saved.network.dispose();
    }
  });

  it("must be a file, of the data's classes and size", async () => {
    await expect(run("built", { model: { kind: "papernot", fineTune: true } })).rejects.toMatchObject({
      code: "EXPERIMENT_INVALID",
      message: expect.stringContaining('papernot has no "fineTune"'),
      fix: '"fineTune" goes with "file".',
    });
    const wide = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: [16, 16, 1] }), tfl.layers.dense({ units: 5 })] });
    await saveNetwork(wide, workspace.file("wide"), { input: {} });
    await expect(run("wide", { model: { file: "wide", fineTune: true } })).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("5 scores"),
    });
  });
});
