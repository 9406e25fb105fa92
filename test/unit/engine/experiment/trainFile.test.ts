import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { inspectModel } from "../../../../src/engine/jobs/inspectModel.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { type Images, tf, tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";
import type { RunEvent } from "../../../../src/shared/events.ts";
import type { RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, writeData } from "../../../process/support.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());
const engine = await startEngine("cpu");
const input = { mean: 127.5, scale: 127.5, channels: "gray" } as const;

const layersOf = (side: number): tfl.layers.Layer[] => [
  tfl.layers.inputLayer({ inputShape: [side, side, 1] }),
  tfl.layers.conv2d({
    name: "conv",
    filters: 4,
    kernelSize: 3,
    activation: "tanh",
    kernelInitializer: tfl.initializers.heNormal({ seed: 3 }),
  }),
  tfl.layers.globalAveragePooling2d({ name: "pool" }),
];
const classifier = (side: number, classes = 3): tfl.LayersModel => {
  const last = tfl.layers.dense({ name: "scores", units: classes, kernelInitializer: tfl.initializers.heNormal({ seed: 4 }) });
  return tfl.sequential({ layers: [...layersOf(side), last] });
};
const save = (name: string, network: tfl.LayersModel, contract: InputContract = { input }): Promise<unknown> =>
  saveNetwork(network, workspace.file(name), contract);

const defense = { kind: "volumizedCurriculum", measure: "entropy", patch: 8, kernelDepth: 3, weights: "inflate" };
const notes: string[] = [];
const onEvent = (event: RunEvent): void => {
  if (event.kind === "note") notes.push(event.message);
};
async function train(file: string, own: Readonly<Record<string, unknown>> = defense): Promise<string> {
  const experiment = {
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
    model: { file },
    defense: own,
    train: { epochs: 1, batchSize: 8, learningRate: 1e-9 },
  };
  const written = workspace.write(`${file}.bulwark.jsonc`, JSON.stringify(experiment));
  const directory = workspace.file(`run-${file}`);
  const params = { file: written, workspace: workspace.directory, directory, mode: "train" as const, backend: "cpu" };
  await runExperiment(params, { engine, signal: new AbortController().signal, onEvent });
  return directory;
}

beforeAll(async () => {
  await writeData(workspace, 12);
});

describe("a model file with a training defence", () => {
  it("is converted and trained from its own weights, and sees images through its own contract", async () => {
    await save("mine", classifier(16));
    const directory = await train("mine");
    const saved = JSON.parse(readFileSync(path.join(directory, "model/model.bulwark.json"), "utf8")) as InputContract;
    expect(saved).toMatchObject({ input: { ...input, size: [16, 16] }, defense: [{ id: "volumizedCurriculum" }] });

    const { classifier: trained } = await openModel(directory);
    const image = tf.randomUniform([1, 16, 16, 1], 0, 1, "float32", 5) as Images;
    const actual = trained.logits(image).softmax().dataSync();
    // Kernels see their own slice, and the rate is too small to change them: the mean of what the 2-D network says of four quarters.
    const quarters = [0, 8].flatMap((y) => [0, 8].map((x) => tf.slice(image, [0, y, x, 0], [1, 8, 8, 1])));
    const scaled = tf.concat(quarters).mul(255).sub(127.5).div(127.5);
    const expected = tf.mean(tf.softmax(classifier(8).predict(scaled) as tf.Tensor), 0).dataSync();
    actual.forEach((p, i) => {
      expect(p).toBeCloseTo(expected[i] as number, 4);
    });
    trained.dispose();

    const said = "one slice reaches 3 of 4 slices"; // one convolution of depth 3
    const lines = (file: string) => readFileSync(path.join(directory, file), "utf8").split("\n");
    expect(notes.filter((note) => note.includes(said))).toHaveLength(1);
    expect(lines("report.md").filter((line) => line.includes(said))).toHaveLength(1);
    const report = JSON.parse(lines("report.json").join("\n")) as RunReport;
    expect(report.arms.map(({ slices }) => slices)).toEqual([{ count: 4, reach: 3 }]);
    expect((await inspectModel(directory)).notes.filter((note) => note.includes(said))).toHaveLength(1);
  });

  it("keeps its weights on slices that overlap, with their places and a head for each", async () => {
    await save("sliced", classifier(16));
    const own = { stride: 4, positionChannel: true, perSliceHead: true, order: "raster", kernelDepth: 1, weights: "inflate" };
    const directory = await train("sliced", { ...defense, ...own });
    const { classifier: trained } = await openModel(directory);
    expect(trained.slices).toMatchObject({ count: 9, stride: [4, 4], reach: 1 });
    const image = tf.randomUniform([1, 16, 16, 1], 0, 1, "float32", 5) as Images;
    const places = [0, 4, 8];
    const windows = places.flatMap((y) => places.map((x) => tf.slice(image, [0, y, x, 0], [1, 8, 8, 1])));
    const expected = (classifier(8).predict(tf.concat(windows).mul(255).sub(127.5).div(127.5)) as tf.Tensor).dataSync();
    const scores = trained.slices?.logits(image).dataSync() ?? [];
    expect(scores.length).toBe(27);
    scores.forEach((score, i) => {
      expect(score).toBeCloseTo(expected[i] as number, 4);
    });
    expect(readFileSync(path.join(directory, "report.md"), "utf8")).not.toContain("one slice reaches");
    expect((await inspectModel(directory)).notes.join()).not.toContain("one slice reaches");
    trained.dispose();
  });

  it("of another size, other classes, or defended already is refused", async () => {
    await save("small", classifier(8));
    await expect(train("small")).rejects.toMatchObject({ code: "IMAGE_SIZE" });
    await save("more", classifier(16, 5));
    await expect(train("more")).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining("5 scores") });
    const defended = { input: { ...input, size: [16, 16] as [number, number] }, defense: { id: "labelSmoothing", params: {} } };
    await save("defended", classifier(16), defended);
    await expect(train("defended")).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining("already") });
  });

  it("that cannot be converted is refused with the name of the layer", async () => {
    const dilated = tfl.layers.conv2d({ name: "wide", inputShape: [16, 16, 1], filters: 2, kernelSize: 3, dilationRate: 2 });
    const scores = tfl.layers.dense({ units: 3 });
    await save("dilated", tfl.sequential({ layers: [dilated, tfl.layers.globalAveragePooling2d({}), scores] }));
    await expect(train("dilated")).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining('"wide"') });
  });
});
