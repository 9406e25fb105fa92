import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { forwardTiming, usualTiming } from "../../../../src/engine/evaluation/timing.ts";
import { labelledByModel, linearClassifier, randomBatch } from "../fixtures.ts";

const shape = [2, 2, 1] as const;
let model: Classifier;
beforeAll(async () => {
  await useBackend("cpu");
  model = linearClassifier(
    [
      [1, -1, 0.5, 0],
      [-1, 1, 0, 0.5],
    ],
    [...shape],
  );
});
afterAll(() => model.dispose());

/** A clock that goes on by so much whenever it is read, so that each pass takes as long as one reading. */
const timedBy = (milliseconds: number) => {
  let now = 0;
  const clock = (): number => (now += milliseconds);
  return forwardTiming(model, inMemory(labelledByModel(model, randomBatch(3, shape, 2)), shape), usualTiming, {
    ...createContext(),
    clock,
  });
};

describe("the time of a forward pass", () => {
  it("is measured over all passes of a fast model", async () => {
    expect(await timedBy(1)).toMatchObject({ passes: 50, warmUps: 10, forwardMilliseconds: 1, p95Milliseconds: 1, batchSize: 1 });
  });

  it("is measured over a fifth of them at least where they take more than a few seconds, and says how many", async () => {
    expect(await timedBy(700)).toMatchObject({ passes: 10, warmUps: 2, forwardMilliseconds: 700 });
  });
});
