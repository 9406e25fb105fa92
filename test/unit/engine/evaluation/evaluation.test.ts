import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { batchSizeOf } from "../../../../src/engine/classifier/batchSizes.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { EvaluationImages, ImageBatch } from "../../../../src/engine/define/index.ts";
import { batchesOf, inMemory, type Range } from "../../../../src/engine/evaluation/batches.ts";
import { classifyBatches } from "../../../../src/engine/evaluation/clean.ts";
import { attackBatches } from "../../../../src/engine/evaluation/evaluate.ts";
import type { Classified } from "../../../../src/engine/harness/predict.ts";
import type { BatchOutcome } from "../../../../src/engine/harness/types.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { labelledByModel, linearClassifier, randomBatch } from "../fixtures.ts";

const shape = [2, 2, 1] as const;
const rows = [
  [1, -1, 0.5, 0],
  [-1, 1, 0, 0.5],
];
let model: Classifier;
let batch: ImageBatch;
beforeAll(async () => {
  await useBackend("cpu");
  model = linearClassifier(rows, [...shape]);
  batch = labelledByModel(model, randomBatch(230, shape, 2));
});
afterAll(() => model.dispose());

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
    // 1,000,000 values: 100 digits at most; 224·224·3 = 150,528 → 6; never none.
    expect([batchSizeOf([28, 28, 1]), batchSizeOf([224, 224, 3]), batchSizeOf([3000, 3000, 3])]).toEqual([100, 6, 1]);
  });
});

const attacked = async (images: EvaluationImages, range: Range): Promise<BatchOutcome[]> => {
  const outcomes: BatchOutcome[] = [];
  for await (const outcome of attackBatches({ attack: pgd, model, images }, range, createContext({ seed: 3 }))) outcomes.push(outcome);
  return outcomes;
};
const pixelsOf = (outcomes: readonly BatchOutcome[]): number[] => outcomes.flatMap(({ adversarial }) => [...adversarial]);

describe("an attack on a part of the images", () => {
  it("gives them what an attack on all of them gives, wherever the part begins", async () => {
    const images = inMemory(batch, shape);
    const whole = await attacked(images, [0, 230]);
    const parts = [...(await attacked(images, [0, 130])), ...(await attacked(images, [130, 230]))];
    expect(pixelsOf(parts)).toEqual(pixelsOf(whole));
    expect(parts.flatMap(({ records }) => records)).toEqual(whole.flatMap(({ records }) => records));
    expect(whole.flatMap(({ records }) => records).map(({ index }) => index)).toEqual(Array.from({ length: 230 }, (_, i) => i));
  });

  it("reads no image outside it and one batch ahead, and stops between batches", async () => {
    const asked: number[][] = [];
    const all = inMemory(batch, shape);
    const images: EvaluationImages = {
      ...all,
      read(start, end) {
        asked.push([start, end]);
        return all.read(start, end);
      },
    };
    const abort = new AbortController();
    const stream = attackBatches({ attack: pgd, model, images }, [10, 230], createContext({ signal: abort.signal }));
    await stream.next();
    abort.abort();
    await expect(stream.next()).rejects.toMatchObject({ code: "CANCELLED" });
    expect(asked).toEqual([
      [10, 110],
      [110, 210],
    ]);
  });
});

describe("what a model says of clean images", () => {
  it("is the largest score and its probability, image by image", async () => {
    const found: Classified[] = [];
    for await (const part of classifyBatches(model, inMemory(batch, shape), [0, 230], createContext())) found.push(part);
    expect(found.map(({ predictions }) => predictions.length)).toEqual([100, 100, 30]);
    expect(found.flatMap(({ predictions }) => [...predictions])).toEqual([...batch.labels]);
    // By hand for image 0: softmax of two linear scores is a logistic function of their difference.
    const [a, b] = rows.map((row) => row.reduce((sum, weight, i) => sum + weight * (batch.images[i] as number), 0)) as [number, number];
    expect(found[0]?.probabilities[0]).toBeCloseTo(1 / (1 + Math.exp(b - a)), 6);
  });
});
