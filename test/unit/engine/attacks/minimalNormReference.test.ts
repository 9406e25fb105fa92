import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { carliniWagner } from "../../../../src/engine/attacks/minimalNorm/carliniWagner.ts";
import { deepFool } from "../../../../src/engine/attacks/minimalNorm/deepFool.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { type Attack, type Params, resolveParams } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { openModel } from "../../../../src/engine/session/openModel.ts";
import { digits } from "./digits.ts";

/** Written by minimalNorm.py beside it: loops in PyTorch over the same saved network and the first test images of MNIST. */
const reference = JSON.parse(readFileSync(path.join(import.meta.dirname, "fixtures/minimalNorm.json"), "utf8")) as {
  readonly deepFool: { readonly l2: readonly number[]; readonly steps: readonly number[] };
  readonly foolbox08: { readonly l2: readonly number[]; readonly steps: readonly number[] };
  readonly carliniWagner: { readonly params: Params; readonly l2: readonly number[]; readonly targets: readonly number[] };
};
const samples = path.resolve(import.meta.dirname, "../../../../samples");

describe("distances on the sample network are those of loops in PyTorch", () => {
  let model: Classifier;
  beforeAll(async () => {
    await useBackend("onnxruntime");
    model = (await openModel(path.join(samples, "models/papernot"))).classifier;
  });
  afterAll(() => model.dispose());

  const records = async (entry: Attack, o: Params, n: number) => {
    const params = resolveParams(entry.params, o, entry.id);
    const task = { attack: entry, params, model, batch: digits(n), firstIndex: 0, seedName: "t" };
    return (await attackBatch(task, createContext())).records;
  };
  /** Largest relative difference of a distance. */
  const apart = (found: readonly { readonly l2: number }[], l2: readonly number[]): number =>
    Math.max(...found.map((record, i) => Math.abs(record.l2 / (l2[i] as number) - 1)));

  it.each(["deepFool", "foolbox08"] as const)("%s", async (name) => {
    const { l2, steps } = reference[name];
    const found = await records(deepFool, name === "foolbox08" ? { variant: name } : {}, l2.length);
    expect(found.every(({ success }) => success)).toBe(true);
    // A step of Foolbox's that ends 10⁻⁴ from the boundary may end on either side of it in float32.
    expect(found.filter(({ iterations }, i) => Math.abs(iterations - (steps[i] as number)) > (name === "deepFool" ? 0 : 1))).toEqual([]);
    expect(apart(found, l2)).toBeLessThan(0.005);
  });

  it("carliniWagner", async () => {
    const { params, l2, targets } = reference.carliniWagner;
    const found = await records(carliniWagner, params, l2.length);
    expect(found.map(({ target, prediction }) => [target, prediction])).toEqual(targets.map((target) => [target, target]));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.abs(mean(found.map((record) => record.l2)) / mean(l2) - 1)).toBeLessThan(0.02);
    expect(apart(found, l2)).toBeLessThan(0.04); // few steps: the nearest of the iterates is a matter of rounding
  }, 240_000);
});
