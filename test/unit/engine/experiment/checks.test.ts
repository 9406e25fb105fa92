import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { openNpz, writeNpz } from "../../../../src/engine/io/npz.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { RunEvent } from "../../../../src/shared/events.ts";
import type { Finding, RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, readJson, writeData } from "../../../process/support.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());
const engine = await startEngine("cpu");

const conv = (own: object): tfl.layers.Layer =>
  tfl.layers.conv2d({ name: "conv", inputShape: [16, 16, 1], filters: 2, kernelSize: 3, ...own });
const network = (classes: number, own: object = {}): tfl.LayersModel =>
  tfl.sequential({ layers: [conv(own), tfl.layers.globalAveragePooling2d({}), tfl.layers.dense({ units: classes })] });

beforeAll(async () => {
  await writeData(workspace, 12);
  const images = { data: new Float32Array(4 * 256), shape: [4, 16, 16, 1] };
  await writeNpz(workspace.file("one.npz"), { images, labels: { data: new Int32Array(4), shape: [4] } });
  await saveNetwork(network(3), workspace.file("plain"), { input: {} });
  await saveNetwork(network(3, { dilationRate: 2, name: "wide" }), workspace.file("dilated"), { input: {} });
});

let runs = 0;
/** The error of a run, what kinds of events it came to, and what rules found. */
async function attempt(more: Readonly<Record<string, unknown>>) {
  const experiment = {
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
    model: { kind: "papernot" },
    train: { epochs: 1, batchSize: 8 },
    ...more,
  };
  const name = `run-${runs++}`;
  const file = workspace.write(`${name}.bulwark.jsonc`, JSON.stringify(experiment));
  const params = { file, workspace: workspace.directory, directory: workspace.file(name), mode: "run" as const, backend: "cpu" };
  const kinds = new Set<string>();
  const before = tf.memory().numTensors;
  const found: Finding[] = [];
  const onEvent = (event: RunEvent): void => {
    kinds.add(event.kind);
    if (event.kind === "finding") found.push(event.finding);
  };
  const host = { engine, signal: new AbortController().signal, onEvent };
  const error: unknown = await runExperiment(params, host).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(tf.memory().numTensors).toBe(before);
  return { error, worked: ["step", "trained", "attacked"].filter((kind) => kinds.has(kind)), found, folder: params.directory };
}
async function refused(more: Readonly<Record<string, unknown>>, code: string, message: RegExp): Promise<void> {
  const { error, worked } = await attempt(more);
  expect(error).toMatchObject({ code, message: expect.stringMatching(message), fix: expect.stringMatching(/\S/) });
  expect(worked).toEqual([]);
}

describe("before anything is trained or attacked", () => {
  it("data of one class are refused, unless a finished model is judged by them", async () => {
    const one = { dataset: { kind: "arrays", path: "one.npz", testShare: 0.5 } };
    await refused(one, "DATASET_INVALID", /has only one class, "0"; a classifier needs at least two/);
    expect((await attempt({ ...one, model: { file: "plain" }, attacks: [{ kind: "fgsm" }] })).error).toBeNull();
  });

  it("says that all images are for testing, or that none are asked for, where there is nothing to train on", async () => {
    const all = { dataset: { kind: "arrays", path: "data.npz", train: 6, test: 6 } };
    await refused(all, "DATASET_EMPTY", /^All 12 images of the data set are for testing: none is left to train on/);
    await refused(
      { dataset: { kind: "arrays", path: "data.npz", testShare: 0.5, train: 0 } },
      "DATASET_EMPTY",
      /"train" of the data set is 0/,
    );
  });

  it("a model file that cannot be converted is told, of a single arm and of a later one", async () => {
    const defense = { kind: "volumizedCurriculum", patch: 8, measure: "entropy" };
    await refused({ model: { file: "dilated" }, defense }, "MODEL_INVALID", /^volumizedCurriculum: .*"wide"/);
    const later = { name: "later", model: { file: "dilated" }, defense };
    await refused({ compare: [later] }, "MODEL_INVALID", /^later: .*"wide"/);
    await refused({ model: { file: "plain" }, attacks: [{ kind: "fgsm" }], compare: [later] }, "MODEL_INVALID", /^later: .*"wide"/);
    await refused({ defense: { ...defense, patch: 5 } }, "PARAMETER_INVALID", /^volumizedCurriculum: .*5×5/);
    const margin = { kind: "attentionRectification", lc: "mlsm" };
    await refused({ defense: [defense, margin] }, "EXPERIMENT_INVALID", /lc mlsm judges an image as a whole, and a volumized network/);
  });

  it("attacks are told by name: of the experiment, of its analyses, of its training", async () => {
    const pixel = { kind: "nPixel", popSize: 4, maxGen: 1 };
    const first = { kind: "fgsm" };
    await refused({ attacks: [first, { ...pixel, target: 3 }] }, "PARAMETER_INVALID", /^nPixel: The target is class 3/);
    await refused({ attacks: [pixel, { ...pixel, queryBudget: 3 }] }, "PARAMETER_INVALID", /^nPixel-2: queryBudget 3 /);
    const patch = { kind: "adversarialPatch", mode: "whitebox", scaleMax: 1.5 };
    const curve = { kind: "robustnessCurve", attack: "adversarialPatch", over: "area", values: [0, 0.1, 0.6] };
    await refused(
      { attacks: [patch], analyses: [curve] },
      "PARAMETER_INVALID",
      /^adversarialPatch-area-0_6: .*18×18.*larger than the image/,
    );
    const train = { epochs: 1, batchSize: 8, quickAttack: { ...pixel, target: 5 } };
    await refused({ train }, "PARAMETER_INVALID", /^quickAttack nPixel: The target is class 5/);
  });

  it("images to watch are among those that are set aside", async () => {
    const watch = (indices: readonly number[], validation: number) => ({ train: { epochs: 1, batchSize: 8, validation, watch: indices } });
    // 12 images, a quarter of them for testing: 9 to train on
    await refused(watch([0, 9], 0), "EXPERIMENT_INVALID", /^train\.watch: undefended has no image 9 .*9 training images/);
    await refused(watch([3], 0.34), "EXPERIMENT_INVALID", /^train\.watch: .*3 validation images/);
    const [seen, other] = [await attempt({ ...watch([1], 0.34) }), await attempt({ ...watch([2], 0.34) })];
    const key = ({ folder }: typeof seen) => readJson<{ key: string }>(`${folder}/model/training.json`).key;
    expect([seen.error, other.error]).toEqual([null, null]);
    expect(key(seen)).toBe(key(other)); // the same training, looked at elsewhere
  });

  it("attacks on a finished model are held against its own classes", async () => {
    await saveNetwork(network(5), workspace.file("more"), { input: {} });
    const attacks = (target: number) => [{ kind: "fgsm" }, { kind: "nPixel", popSize: 4, maxGen: 1, target }];
    await refused({ model: { file: "more" }, attacks: attacks(5) }, "PARAMETER_INVALID", /^nPixel: The target is class 5.*5 classes/);
    expect((await attempt({ model: { file: "more" }, attacks: attacks(4) })).error).toBeNull();
  });
});

describe("an analysis of attention", () => {
  const analyses = [{ kind: "attentionStudy" }];
  const attacks = [{ kind: "fgsm" }];

  it("wants an attack, and networks with a layer that has a grid: also those that are only going to be trained", async () => {
    const dense = tfl.sequential({
      layers: [
        tfl.layers.flatten({ inputShape: [16, 16, 1] }),
        tfl.layers.dense({ units: 8, activation: "relu" }),
        tfl.layers.dense({ units: 3 }),
      ],
    });
    await saveNetwork(dense, workspace.file("dense"), { input: {} });
    await refused({ analyses }, "EXPERIMENT_INVALID", /attentionStudy.* and the experiment has none/);
    const none = /^dense: Grad-CAM reads a layer that has a grid, and the model shows none/;
    const arm = { name: "dense", model: { file: "dense" } };
    await refused({ analyses, attacks, compare: [arm] }, "PARAMETER_INVALID", none);
    await refused({ analyses, attacks, compare: [{ ...arm, defense: { kind: "labelSmoothing" } }] }, "PARAMETER_INVALID", none);
    const explanations = [{ kind: "gradCam" }];
    await refused({ explanations, attacks, compare: [{ ...arm, defense: { kind: "labelSmoothing" } }] }, "PARAMETER_INVALID", none);
  });

  it("goes through a run: its arrays, its columns of the ledger, its tables", async () => {
    const compare = [{ name: "compressed", defense: { kind: "jpeg" } }];
    const given = { model: { file: "plain" }, analyses, attacks: [...attacks, { kind: "fgsm", eps: 0.4 }], compare };
    const { error, folder } = await attempt(given);
    expect(error).toBeNull();
    const files = ["fgsm", "fgsm-2", "compressed-fgsm", "compressed-fgsm-2"].map((name) => `attention-study-${name}.npz`);
    for (const file of files) {
      const { arrays, close } = await openNpz(path.join(folder, file));
      const [n = 0, ...grid] = arrays.get("clean")?.shape ?? [];
      expect([...arrays].map(([name, { shape }]) => [name, shape])).toEqual([
        ["clean", [n, ...grid]],
        ["adversarial", [n, ...grid]],
        ["cells", [4]],
        ["iou", [n, 4]],
        ["success", [n]],
        ["counted", [n]],
        ["index", [n]],
      ]);
      expect(grid).toHaveLength(2);
      const values = (await arrays.get("iou")?.read(0, n)) ?? [];
      expect([...values].every((value) => value >= 0 && value <= 1)).toBe(true);
      await close();
    }
    const ledger = await openNpz(path.join(folder, "ledger.npz"));
    for (const column of ["undefended/fgsm/attentionIoU", "compressed/fgsm-2/attentionIoU"])
      expect(ledger.arrays.get(column)).toMatchObject({ shape: [3], type: "int" });
    await ledger.close();
    const report = readJson<RunReport>(path.join(folder, "report.json"));
    const [table] = report.analyses?.[0]?.tables ?? [];
    expect(table?.rows.map(([arm, attack]) => `${arm}: ${attack}`)).toHaveLength(2 * 2 * 4);
    expect(JSON.stringify(report.analyses)).not.toContain("NaN");
  });
});

describe("a model that answers one class", () => {
  it("is found by its clean answers: no attack is needed", async () => {
    const dataset = { kind: "arrays", path: "data.npz", testShare: 0.75 }; // nine images, six of other classes than 0
    const constant = network(3);
    constant.setWeights(constant.getWeights().map((weights) => tf.zerosLike(weights)));
    await saveNetwork(constant, workspace.file("constant"), { input: {} });
    const { error, found } = await attempt({ dataset, model: { file: "constant" } });
    expect(error).toBeNull();
    const at = { file: expect.stringMatching(/^run-\d+\.bulwark\.jsonc$/), pointer: "/model" };
    expect(found).toMatchObject([
      { rule: "RB105", severity: "error", arm: "undefended", at }, // and its gradient is zero everywhere
      { rule: "RB407", severity: "warning", arm: "undefended", at },
    ]);
  });
});
