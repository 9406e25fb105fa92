import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { ImageBatch } from "../../../../src/engine/define/index.ts";
import { batchesOf, batchSizeOf, inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { cleanAccuracy, cleanAnswers } from "../../../../src/engine/evaluation/clean.ts";
import { evaluateAttack } from "../../../../src/engine/evaluation/evaluate.ts";
import { PartialBatches } from "../../../../src/engine/evaluation/partial.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { labelledByModel, linearClassifier, randomBatch } from "../fixtures.ts";

const shape = [2, 2, 1] as const;
const rows = [
  [1, -1, 0.5, 0],
  [-1, 1, 0, 0.5],
];
let model: Classifier;
let batch: ImageBatch;
let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  model = linearClassifier(rows, [...shape]);
  batch = labelledByModel(model, randomBatch(230, shape, 2));
  folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-partial-"));
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const pgd = { ...bind("attack", { kind: "pgd", eps: 0.2, steps: 3 }), key: "pgd" };

describe("batches", () => {
  it("cover every image once", () => {
    expect(batchesOf(230, 100)).toEqual([
      [0, 100],
      [100, 200],
      [200, 230],
    ]);
    expect(batchesOf(0, 100)).toEqual([]);
  });

  it("are smaller for larger images", () => {
    // 4,000,000 values: 100 digits at most; 224·224·3 = 150,528 → 26; never none.
    expect([batchSizeOf([28, 28, 1]), batchSizeOf([224, 224, 3]), batchSizeOf([3000, 3000, 3])]).toEqual([100, 26, 1]);
  });
});

describe("an attack over many batches", () => {
  it("that was stopped between batches ends as the one that was not", async () => {
    const images = inMemory(batch, shape);
    const whole = await evaluateAttack({ attack: pgd, model, images }, createContext({ seed: 3 }));
    const partial = new PartialBatches(path.join(folder, "a"));
    const abort = new AbortController();
    const onProgress = (done: number): void => {
      if (done > 100) abort.abort(); // within the second batch
    };
    const stopped = evaluateAttack({ attack: pgd, model, images, partial, onProgress }, createContext({ seed: 3, signal: abort.signal }));
    await expect(stopped).rejects.toMatchObject({ code: "CANCELLED" });
    expect(readdirSync(path.join(folder, "a")).sort()).toEqual(["0.json", "0.npz"]);
    let read = 0;
    const counted: typeof images = {
      ...images,
      read(start, end) {
        read++;
        return images.read(start, end);
      },
    };
    const resumed = await evaluateAttack({ attack: pgd, model, images: counted, partial }, createContext({ seed: 3 }));
    expect(read).toBe(2); // the first batch was not attacked again
    expect(resumed.adversarial).toEqual(whole.adversarial);
    expect(resumed.clean).toEqual(batch.images);
    expect(resumed.predictions).toEqual(whole.predictions);
    expect(resumed.outcomes.flatMap(({ records }) => records)).toEqual(whole.outcomes.flatMap(({ records }) => records));
    expect(resumed.outcomes.flatMap(({ records }) => records).map(({ index }) => index)).toEqual(Array.from({ length: 230 }, (_, i) => i));
    await partial.remove();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("takes nothing from a batch whose record was not finished", async () => {
    const partial = new PartialBatches(path.join(folder, "b"));
    const few = inMemory({ images: batch.images.slice(0, 8), labels: batch.labels.slice(0, 2), n: 2 }, shape);
    await evaluateAttack({ attack: pgd, model, images: few, partial }, createContext());
    rmSync(path.join(folder, "b/0.json"));
    expect(await partial.load(0)).toBeNull();
    await partial.remove();
  });
});

describe("clean accuracy", () => {
  it("counts over all batches", async () => {
    const labels = batch.labels.map((label, i) => (i % 10 === 0 ? 1 - label : label)); // 23 of 230 made wrong
    const answers = await cleanAnswers(model, inMemory({ ...batch, labels }, shape), createContext());
    expect(answers.map(({ label }) => label)).toEqual([...labels]);
    expect(cleanAccuracy(answers)).toEqual({ accuracy: 207 / 230, correct: 207, n: 230 });
  });
});
