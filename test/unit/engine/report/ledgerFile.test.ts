import { execFile } from "node:child_process";
import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readNpz } from "../../../../src/engine/io/npz.ts";
import { type ArmLedger, writeLedger } from "../../../../src/engine/report/ledgerFile.ts";
import type { ImageRecord } from "../../../../src/shared/results.ts";

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-ledger-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const record = (index: number, prediction: number, more: Partial<ImageRecord> = {}): ImageRecord => ({
  index,
  label: index,
  cleanPrediction: index,
  prediction,
  success: index !== prediction,
  successAfter8Bit: false,
  linf: 0.5,
  l2: 1,
  l0: 3,
  iterations: 7,
  ...more,
});
const arms: readonly ArmLedger[] = [
  {
    arm: "a/b",
    clean: Int32Array.of(0, 1, 2),
    cleanConfidence: Float32Array.of(1, 0.5, 0.25),
    attacks: [
      { attack: "pgd", images: [record(2, 0, { confidence: 0.75, successAfter8Bit: true }), record(0, 0)] },
      { attack: "pgd-static", images: [record(0, 0), record(1, 1), record(2, 2)] },
    ],
  },
  { arm: "geglättet", clean: Int32Array.of(0, 0, 0), cleanConfidence: Float32Array.of(1, 1, 1), attacks: [] },
];
const fields = ["prediction", "success", "success8", "repaired", "confidence", "linf", "l2", "l0", "iterations"];

test("columns are in the order of the images, by arm and attack; an image that an attack did not meet is missing, not 0", async () => {
  await writeLedger(folder, [0, 1, 2], arms);
  const arrays = await readNpz(path.join(folder, "ledger.npz"));
  const column = (name: string) => [...(arrays[name]?.data ?? [])];
  expect(Object.keys(arrays)).toEqual([
    "index",
    "label",
    "a-b/clean",
    "a-b/cleanConfidence",
    ...fields.map((field) => `a-b/pgd/${field}`),
    ...fields.map((field) => `a-b/pgd-static/${field}`),
    "geglättet/clean",
    "geglättet/cleanConfidence",
  ]);
  expect(column("index")).toEqual([0, 1, 2]);
  expect(column("a-b/clean")).toEqual([0, 1, 2]);
  expect(column("a-b/cleanConfidence")).toEqual([1, 0.5, 0.25]);
  expect(column("a-b/pgd/prediction")).toEqual([0, -1, 0]);
  expect(column("a-b/pgd/success")).toEqual([0, 0, 1]);
  expect(column("a-b/pgd/success8")).toEqual([0, 0, 1]);
  expect(column("a-b/pgd/confidence")).toEqual([Number.NaN, Number.NaN, 0.75]);
  expect(column("a-b/pgd/linf")).toEqual([0.5, Number.NaN, 0.5]);
  expect(column("a-b/pgd-static/iterations")).toEqual([7, 7, 7]);
  expect(column("geglättet/clean")).toEqual([0, 0, 0]);
});

const run = promisify(execFile);
const hasNumpy = await run("python3", ["-c", "import numpy"]).then(
  () => true,
  () => false,
);

test.runIf(hasNumpy)("numpy reads the columns in their types, names of arms included", async () => {
  await writeLedger(folder, [0, 1, 2], arms);
  const script = `
import json, sys, numpy
with numpy.load(sys.argv[1]) as z:
    print(json.dumps({k: [str(z[k].dtype), [None if v != v else v for v in z[k].tolist()]] for k in z.files}))`;
  const { stdout } = await run("python3", ["-X", "utf8", "-c", script, path.join(folder, "ledger.npz")]);
  expect(JSON.parse(stdout)).toMatchObject({
    index: ["int32", [0, 1, 2]],
    label: ["int32", [0, 1, 2]],
    "a-b/clean": ["int32", [0, 1, 2]],
    "a-b/cleanConfidence": ["float32", [1, 0.5, 0.25]],
    "a-b/pgd/prediction": ["int32", [0, -1, 0]],
    "a-b/pgd/success": ["uint8", [0, 0, 1]],
    "a-b/pgd/success8": ["uint8", [0, 0, 1]],
    "a-b/pgd/confidence": ["float32", [null, null, 0.75]],
    "a-b/pgd/linf": ["float32", [0.5, null, 0.5]],
    "a-b/pgd/l2": ["float32", [1, null, 1]],
    "a-b/pgd/l0": ["int32", [3, 0, 3]],
    "a-b/pgd/iterations": ["int32", [7, 0, 7]],
    "geglättet/clean": ["int32", [0, 0, 0]],
  });
});
