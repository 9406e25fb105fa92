import { describe, expect, it } from "vitest";
import { isClassSorted, sampled, stratifiedOrder } from "../../../../src/engine/datasets/order.ts";
import { createRandom } from "../../../../src/engine/random.ts";

const counts = (labels: readonly number[], rows: Int32Array): Record<number, number> => {
  const found: Record<number, number> = {};
  for (const row of rows) found[labels[row] as number] = (found[labels[row] as number] ?? 0) + 1;
  return found;
};
const sorted = (...sizes: readonly number[]): number[] => sizes.flatMap((n, label) => new Array<number>(n).fill(label));

describe("a part of images that lie class by class", () => {
  it("six of two folders of six are three of each", () => {
    const labels = sorted(6, 6);
    expect(counts(labels, sampled(Int32Array.from(labels), true, 6, createRandom(1)))).toEqual({ 0: 3, 1: 3 });
  });

  it("holds every class as soon as it can, then all in proportion; each part begins the next", () => {
    const labels = sorted(8, 4, 1);
    const order = stratifiedOrder(labels, createRandom(5));
    expect([...order].sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
    expect(counts(labels, order.slice(0, 3))).toEqual({ 0: 1, 1: 1, 2: 1 });
    // places: class 0 at 0, 1/8 … 7/8, class 1 at 0, 1/4, 2/4, 3/4, class 2 at 0; the first seven are those below 3/8
    expect(counts(labels, order.slice(0, 6))).toEqual({ 0: 3, 1: 2, 2: 1 });
    expect([...stratifiedOrder(labels, createRandom(5))]).toEqual([...order]);
    expect([...stratifiedOrder(labels, createRandom(6))]).not.toEqual([...order]);
  });

  it("is the whole in the order of the source where nothing is left out", () => {
    expect([...sampled(Int32Array.of(0, 0, 1), true, 3, createRandom(1))]).toEqual([0, 1, 2]);
    expect([...sampled(Int32Array.of(0, 0, 1), true, null, createRandom(1))]).toEqual([0, 1, 2]);
  });

  it("is the first images of a mixed source", () => {
    expect([...sampled(Int32Array.of(7, 2, 1, 0), false, 2, createRandom(1))]).toEqual([0, 1]);
  });
});

describe("labels tell whether images lie class by class", () => {
  it.each([
    [[0, 0, 1, 1], true], // 1 change, 2 expected
    [sorted(50, 50, 50), true],
    [[2, 2, 2, 0, 0, 0], true],
    [[0, 1, 2, 0, 1, 2], false],
    [[7, 2, 1, 0, 4, 1, 4, 9, 5, 9, 0, 6, 9, 0, 1, 5, 9, 7, 8, 4], false], // the first digits of MNIST's test images
    [[1, 1, 1], false],
    [[], false],
  ])("%j: %s", (labels, expected) => {
    expect(isClassSorted(labels)).toBe(expected);
  });
});
