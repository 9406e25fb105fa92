import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { writeNpz } from "../../../../src/engine/io/npz.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { RunEvent } from "../../../../src/shared/events.ts";
import type { Finding } from "../../../../src/shared/results.ts";
import { newWorkspace, writeData } from "../../../process/support.ts";

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
  return { error, worked: ["step", "trained", "attacked"].filter((kind) => kinds.has(kind)), found };
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

  it("attacks on a finished model are held against its own classes", async () => {
    await saveNetwork(network(5), workspace.file("more"), { input: {} });
    const attacks = (target: number) => [{ kind: "fgsm" }, { kind: "nPixel", popSize: 4, maxGen: 1, target }];
    await refused({ model: { file: "more" }, attacks: attacks(5) }, "PARAMETER_INVALID", /^nPixel: The target is class 5.*5 classes/);
    expect((await attempt({ model: { file: "more" }, attacks: attacks(4) })).error).toBeNull();
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
    expect(found).toMatchObject([{ rule: "RB407", severity: "warning", arm: "undefended", at }]);
  });
});
