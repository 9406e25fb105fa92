import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chosenClasses, layersShown } from "../../../../src/engine/analyses/features.ts";
import { tsne } from "../../../../src/engine/analyses/tsne.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { readNpz } from "../../../../src/engine/io/npz.ts";
import { nearestNeighbourAccuracy, silhouette } from "../../../../src/engine/metrics/separation.ts";
import { squaredDistances } from "../../../../src/engine/metrics/tsne.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, readJson, writeData } from "../../../process/support.ts";
import { arm, facts, records, undefended } from "../analyses/fixtures.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());
const engine = await startEngine("cpu");
const [units, pixels] = [4, 256];
const weights = createRandom(5).uniforms(pixels * units, -0.1, 0.1);

beforeAll(async () => {
  await writeData(workspace, 60);
  const hidden = tfl.layers.dense({ units, activation: "relu", name: "hidden" });
  const network = tfl.sequential({
    layers: [tfl.layers.flatten({ inputShape: [16, 16, 1] }), hidden, tfl.layers.dense({ units: 3, name: "scores" })],
  });
  hidden.setWeights([tf.tensor2d(weights, [pixels, units]), tf.zeros([units])]);
  await saveNetwork(network, workspace.file("plain"), { input: {} });
});

describe("an experiment with the features of two classes", () => {
  it("measures what plain loops find in the layer, and lays out every image of the two classes", async () => {
    const experiment = {
      dataset: { kind: "arrays", path: "data.npz", testShare: 0.5 },
      model: { file: "plain" },
      attacks: [{ kind: "fgsm", eps: 0.05 }],
      analyses: [{ kind: "tsne", classes: [0, 2], layers: ["hidden"], iterations: 250 }],
    };
    workspace.write("features.bulwark.jsonc", JSON.stringify(experiment));
    const file = workspace.file("features.bulwark.jsonc");
    const params = { file, workspace: workspace.directory, directory: workspace.file("run"), mode: "run" as const, backend: "cpu" };
    await runExperiment(params, { engine, signal: new AbortController().signal, onEvent: () => undefined });
    const [found] = readJson<RunReport>(workspace.file("run/report.json")).analyses ?? [];
    const { adversarial, label } = await readNpz(workspace.file("run/adversarial-fgsm.npz"));
    const of = (k: number): number[] => Array.from({ length: 30 }, (_, i) => i).filter((i) => Number(label?.data[i]) === k);
    const shown = [...of(0), ...of(2)];
    const features = shown.flatMap((image) =>
      Array.from({ length: units }, (_, unit) => {
        let sum = 0;
        for (let p = 0; p < pixels; p++) sum += Number(adversarial?.data[image * pixels + p]) * (weights[p * units + unit] as number);
        return Math.max(0, sum);
      }),
    );
    const distances = squaredDistances(Float64Array.from(features), shown.length);
    const classes = shown.map((image) => Number(label?.data[image]));
    const [row] = found?.tables[0]?.rows ?? [];
    expect(row?.slice(0, 5)).toEqual([expect.any(String), "hidden", units, shown.length, nearestNeighbourAccuracy(distances, classes)]);
    expect(row?.[5]).toBeCloseTo(silhouette(distances, classes) as number, 4);
    const [figure] = found?.figures ?? [];
    const drawn = figure?.kind === "scatter" ? figure.series.map(({ points }) => points.length) : [];
    expect(drawn).toEqual([of(0).length, of(2).length]);
  });
});

const model = { classNames: ["cat", "dog", "owl"] } as Pick<Classifier, "classNames"> as Classifier;
describe("the two classes", () => {
  const some = records("rrrr", [0, 1, 1, 4]);

  it("are those asked for, in their order; else two that have images, the same for the same seed", () => {
    expect(chosenClasses(model, some, [4, 1], createRandom(1))).toEqual([1, 4]);
    const drawn = chosenClasses(model, some, [], createRandom(1));
    expect(chosenClasses(model, some, [], createRandom(1))).toEqual(drawn);
    expect([0, 1, 4]).toEqual(expect.arrayContaining([...drawn]));
  });

  it("must have images", () => {
    expect(() => chosenClasses(model, some, [1, 2], createRandom(1))).toThrow("tsne: no test image is of class 2 (owl).");
    expect(() => chosenClasses(model, records("rr", [1, 1]), [], createRandom(1))).toThrow("of one");
  });
});

describe("the layers", () => {
  const layer = (name: string, shape: (number | null)[], activation: string | null = "relu") => ({
    name,
    type: "x",
    shape,
    spatial: shape.length === 4,
    activation,
  });
  const withLayers = (...all: ReturnType<typeof layer>[]) => ({ layers: { all } }) as unknown as Classifier;

  it("are the first convolution and two hidden dense ones", () => {
    const all = [layer("c1", [null, 8, 8, 2]), layer("c2", [null, 4, 4, 2]), layer("d1", [null, 9]), layer("d2", [null, 9])];
    expect(layersShown(withLayers(...all, layer("d3", [null, 3], null)), [])).toEqual(["c1", "d1", "d2"]);
    expect(layersShown(withLayers(layer("c1", [null, 8, 8, 2]), layer("pool", [null, 9], null)), [])).toEqual(["c1", "pool"]);
    expect(() => layersShown(withLayers(...all), ["d9"])).toThrow('there is no layer "d9"');
  });

  it("whose features do not fit are named", () => {
    const data = { attack: "FGSM", classes: ["3", "8"], shown: [], layers: [], leftOut: [{ layer: "c1", size: 800_000 }] };
    const { notes } = tsne.present([arm({ name: "a", defense: undefended, data })], {}, facts([]));
    expect(notes.at(-1)).toBe(
      'Left out, since more than 1 GB of features: a, c1 (800000 numbers an image). Ask for fewer "images" or other "layers".',
    );
  });
});
