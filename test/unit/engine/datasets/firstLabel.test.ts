import { describe, expect, it } from "vitest";
import { datasetOf, type SourceParts } from "../../../../src/engine/datasets/source.ts";

const counted = (labels: readonly number[], classNames: readonly string[], firstLabel: number) => {
  const test: SourceParts["splits"]["test"] = {
    labels: Int32Array.from(labels),
    read: async () => undefined,
    identify: async () => [],
    close: async () => undefined,
  };
  return datasetOf({ kind: "arrays", path: "digits.npz", inputShape: [1, 1, 1], classNames, splits: { test }, firstLabel });
};
const numbers = ["0", "1", "2", "3"];

describe("labels that count from 1", () => {
  it("are counted from 0", async () => {
    const dataset = await counted([3, 1, 2], numbers, 1);
    expect([[...dataset.labels("test")], dataset.classNames]).toEqual([
      [2, 0, 1],
      ["0", "1", "2"],
    ]);
    expect([...(await dataset.read("test", [0, 2])).labels]).toEqual([2, 1]);
  });

  it("are refused where one is lower, or where classes have names", async () => {
    await expect(counted([1, 0], numbers, 1)).rejects.toMatchObject({
      code: "LABEL_RANGE",
      message: 'digits.npz has the label 0, below "firstLabel", which is 1.',
    });
    await expect(counted([1], ["cat", "dog"], 1)).rejects.toMatchObject({ message: expect.stringMatching(/have names/) });
  });
});
