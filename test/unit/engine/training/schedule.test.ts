import { describe, expect, it } from "vitest";
import { shuffledSteps } from "../../../../src/engine/curriculum/syllabus.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { feed, stepsOf } from "../../../../src/engine/training/feed.ts";
import { bestOf, type EpochRecord, shouldStop } from "../../../../src/engine/training/history.ts";
import { learningRateAt } from "../../../../src/engine/training/schedule.ts";
import { defaultTrain, type TrainSettings } from "../../../../src/shared/experiment.ts";

const epoch = (n: number, validationAccuracy: number | null, validationLoss = 1, trainLoss = 1): EpochRecord => ({
  kind: "epoch",
  arm: "a",
  epoch: n,
  epochs: 10,
  trainLoss,
  trainAccuracy: 0,
  validationLoss,
  validationAccuracy,
  quickAttack: null,
  seconds: 1,
  imagesPerSecond: 1,
  memoryBytes: 1,
});
const accuracies = (...values: number[]) => values.map((v, i) => epoch(i + 1, v));
const settings = (schedule: TrainSettings["schedule"]): TrainSettings => ({ ...defaultTrain, epochs: 10, learningRate: 0.8, schedule });

describe("learning-rate schedules", () => {
  it("constant, steps, exponential and cosine", () => {
    expect(learningRateAt(settings({ kind: "constant" }), 7, 0.5, [])).toBe(0.8);
    const steps = settings({ kind: "steps", at: [2, 4], factor: 0.1 });
    expect([1, 2, 3, 4, 5].map((e) => Number(learningRateAt(steps, e, 0, []).toFixed(6)))).toEqual([0.8, 0.8, 0.08, 0.08, 0.008]);
    const exponential = settings({ kind: "exponential", every: 2, factor: 0.94 });
    expect([1, 2, 3, 4, 5].map((e) => Number(learningRateAt(exponential, e, 0.5, []).toFixed(6)))).toEqual([
      0.8, 0.8, 0.752, 0.752, 0.70688,
    ]);
    const cosine = settings({ kind: "cosine" });
    expect(learningRateAt(cosine, 1, 0, [])).toBeCloseTo(0.8, 12);
    expect(learningRateAt(cosine, 6, 0, [])).toBeCloseTo(0.4, 12);
    expect(learningRateAt(cosine, 5, 0.5, [])).toBeCloseTo(0.4 * (1 + Math.cos(0.45 * Math.PI)), 12);
  });

  it("plateau lowers the rate after each `patience` epochs without a better one", () => {
    const plateau = settings({ kind: "plateau", factor: 0.5, patience: 2 });
    const at = (...values: number[]) => learningRateAt(plateau, values.length + 1, 0, accuracies(...values));
    expect(at(0.5, 0.6, 0.6)).toBe(0.8);
    expect(at(0.5, 0.6, 0.6, 0.55)).toBe(0.4);
    expect(at(0.5, 0.6, 0.6, 0.55, 0.7, 0.6, 0.6)).toBe(0.2);
  });
});

describe("history", () => {
  it("prefers accuracy, then loss, then the earlier epoch", () => {
    expect(bestOf([epoch(1, 0.8, 2), epoch(2, 0.9, 3), epoch(3, 0.9, 1), epoch(4, 0.9, 1)])?.epoch).toBe(3);
    expect(bestOf([epoch(1, null, 0, 2), epoch(2, null, 0, 1), epoch(3, null, 0, 1.5)])?.epoch).toBe(2);
    expect(bestOf([])).toBeUndefined();
  });

  it("stops after so many epochs without a better one", () => {
    expect(shouldStop(accuracies(0.9, 0.8, 0.8), 2)).toBe(true);
    expect(shouldStop(accuracies(0.9, 0.8), 2)).toBe(false);
    expect(shouldStop(accuracies(0.9, 0.8, 0.8), 0)).toBe(false);
  });
});

describe("feed", () => {
  /** Image i is the single value i, its label i as well. */
  const source = (size: number) => ({
    size,
    read: async (indices: ArrayLike<number>) => ({
      images: Float32Array.from(indices),
      labels: Int32Array.from(indices),
      n: indices.length,
    }),
  });
  const collect = async (size: number, batchSize: number, syllabus?: Parameters<typeof feed>[2], seed = 1) => {
    const batches: number[][] = [];
    for await (const batch of feed(source(size), batchSize, syllabus, createRandom(seed))) {
      expect(Array.from(batch.images)).toEqual(Array.from(batch.labels)); // labels travel with images
      expect(batch.n).toBe(batch.labels.length);
      batches.push(Array.from(batch.labels));
    }
    return batches;
  };

  it("shows every image once, shuffled, and keeps the last partial batch", async () => {
    const batches = await collect(10, 4);
    expect(batches.map((b) => b.length)).toEqual([4, 4, 2]);
    expect(batches.flat().sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(batches.flat()).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await collect(10, 4)).toEqual(batches);
    expect(await collect(10, 4, undefined, 2)).not.toEqual(batches);
  });

  it("consumes each batch in the syllabus's order, in micro-batches", async () => {
    const ascending = {
      microBatch: () => 2,
      order: (images: Float32Array, n: number) =>
        Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => (images[a] ?? 0) - (images[b] ?? 0)),
    };
    const batches = await collect(11, 6, ascending);
    expect(batches.map((b) => b.length)).toEqual([2, 2, 2, 2, 2, 1]);
    for (const macro of [batches.slice(0, 3), batches.slice(3)]) expect(macro.flat()).toEqual(macro.flat().sort((a, b) => a - b));
    expect(stepsOf(11, 6, ascending)).toBe(6);
    expect(stepsOf(11, 6, undefined)).toBe(2);
  });

  it("gives the control of a curriculum as many steps of as many images, shuffled as whole batches are", async () => {
    const [control, whole] = [await collect(11, 6, shuffledSteps(2)), await collect(11, 6)];
    expect(control.map((b) => b.length)).toEqual([2, 2, 2, 2, 2, 1]);
    expect(control.flat()).toEqual(whole.flat());
    expect(stepsOf(11, 6, shuffledSteps(2))).toBe(6); // 3 of the six, 3 of the five that are left
  });
});
