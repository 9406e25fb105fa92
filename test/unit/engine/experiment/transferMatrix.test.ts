import { afterAll, beforeAll, expect, it } from "vitest";
import { intervalText } from "../../../../src/engine/analyses/columns.ts";
import { runExperiment } from "../../../../src/engine/experiment/runExperiment.ts";
import { saveNetwork } from "../../../../src/engine/importers/index.ts";
import { readNpz } from "../../../../src/engine/io/npz.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import type { RunReport } from "../../../../src/shared/results.ts";
import { newWorkspace, readJson, writeData } from "../../../process/support.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());
const engine = await startEngine("cpu");
const names = ["plain", "noisy", "other"];
const shape = [16, 16, 1];

/** Tells the bright third by its mean, with noise on every weight: [256·3]. */
function weightsOf(seed: number): Float32Array {
  const rng = createRandom(seed);
  return Float32Array.from({ length: 256 * 3 }, (_, i) => {
    const third = Math.floor((3 * (Math.floor(i / 3) % 16)) / 16);
    return (third === i % 3 ? 0.2 : -0.1) + rng.uniform(-0.6, 0.6);
  });
}
/** Scores [n·3] by plain loops. */
const predicted = (images: Float32Array, weights: Float32Array): number[] =>
  Array.from({ length: images.length / 256 }, (_, image) => {
    const scores = [0, 1, 2].map((k) => {
      let sum = 0;
      for (let pixel = 0; pixel < 256; pixel++) sum += (images[image * 256 + pixel] as number) * (weights[pixel * 3 + k] as number);
      return sum;
    });
    return scores.indexOf(Math.max(...scores));
  });

beforeAll(async () => {
  await writeData(workspace, 60);
  for (const [i, name] of names.entries()) {
    const dense = tfl.layers.dense({ units: 3 });
    const network = tfl.sequential({ layers: [tfl.layers.flatten({ inputShape: shape as [number, number, number] }), dense] });
    dense.setWeights([tf.tensor2d(weightsOf(i + 1), [256, 3]), tf.zeros([3])]);
    await saveNetwork(network, workspace.file(name), { input: {} });
  }
});

async function run(name: string, more: Record<string, unknown>): Promise<RunReport> {
  const experiment = {
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.5 },
    model: { file: "plain" },
    compare: names.slice(1).map((file) => ({ name: file, model: { file } })),
    ...more,
  };
  workspace.write(`${name}.bulwark.jsonc`, JSON.stringify(experiment));
  const file = workspace.file(`${name}.bulwark.jsonc`);
  const directory = workspace.file(name);
  const params = { file, workspace: workspace.directory, directory, mode: "run" as const, backend: "cpu" };
  await runExperiment(params, { engine, signal: new AbortController().signal, onEvent: () => undefined });
  return readJson<RunReport>(`${directory}/report.json`);
}

it("shows every network the images made on every other one, and counts an image that any column breaks as lost", async () => {
  const report = await run("own", { attacks: [{ kind: "fgsm", eps: 0.1 }], analyses: [{ kind: "transferMatrix" }] });
  const arms = report.arms.map((arm) => arm.name);
  const [matrix, worst] = report.analyses?.[0]?.tables ?? [];
  expect(matrix?.columns.map(({ name }) => name)).toEqual(["tested on", ...arms]);
  const correct = await Promise.all(
    arms.map(async (_, on) =>
      Promise.all(
        arms.map(async (arm, from) => {
          const stem = from === 0 ? "adversarial-fgsm" : `adversarial-${arm}-fgsm`;
          const { adversarial, label } = await readNpz(workspace.file(`own/${stem}.npz`));
          const classes = predicted(adversarial?.data as Float32Array, weightsOf(on + 1));
          return classes.map((k, i) => k === Number(label?.data[i]));
        }),
      ),
    ),
  );
  const share = (flags: readonly boolean[]): number => flags.filter(Boolean).length / flags.length;
  expect(matrix?.rows).toEqual(arms.map((arm, on) => [arm, ...(correct[on] ?? []).map(share)]));
  // The diagonal is what the report says of the attack itself, and not all of the matrix is alike.
  expect(arms.map((_, i) => matrix?.rows[i]?.[i + 1])).toEqual(report.arms.map((arm) => arm.attacks[0]?.attacked.accuracy));
  expect(new Set(matrix?.rows.flatMap(([, ...cells]) => cells)).size).toBeGreaterThan(3);
  const kept = correct.map((columns) => (columns[0] ?? []).filter((_, i) => columns.every((flags) => flags[i])).length);
  expect(worst?.rows.map((row) => [row[3], row[4]])).toEqual(kept.map((k) => [k / 30, intervalText(k, 30)]));
});

it("of an attack that the experiment does not make, on the first images alone; with a radius of 0 every column is the clean accuracy", async () => {
  const report = await run("none", {
    attacks: [{ kind: "fgsm", eps: 0 }],
    analyses: [
      { kind: "transferMatrix", images: 12 },
      { kind: "transferMatrix", attack: "pgd", images: 5 },
    ],
  });
  const [still, further] = report.analyses ?? [];
  for (const [, ...cells] of still?.tables[0]?.rows ?? []) expect(new Set(cells).size).toBe(1);
  expect(still?.notes[0]).toMatch(/^12 images/);
  expect(further?.notes[0]).toMatch(/^5 images/);
  expect(further?.title).toMatch(/^PGD/);
});
