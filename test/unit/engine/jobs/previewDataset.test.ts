import { describe, expect, it } from "vitest";
import { namedImages } from "../../../../src/engine/jobs/previewDataset.ts";

describe("the pictures that a data set's page names", () => {
  const labels = { test: [0, 0, 0, 1, 2, 2], train: [0, 1, 2] };
  const dataset = {
    labels: (split: "test" | "train") => Int32Array.from(labels[split]),
    fileOf: (split: "test" | "train", index: number) => `${split}/${index}.png`,
  };

  it("are all of them where there are few", () => {
    expect(namedImages(dataset, [4, 2, 3])).toHaveLength(9);
  });

  it("are the first of every class where there are too many, an empty class taking nobody's place", () => {
    expect(namedImages(dataset, [4, 2, 3, 0], 6)).toEqual([
      { file: "test/0.png", label: 0 },
      { file: "test/1.png", label: 0 },
      { file: "test/3.png", label: 1 },
      { file: "test/4.png", label: 2 },
      { file: "test/5.png", label: 2 },
      { file: "train/1.png", label: 1 },
    ]);
  });

  it("are none where the images lie in no files of their own", () => {
    expect(namedImages({ labels: dataset.labels }, [4, 2, 3])).toBeNull();
  });
});
