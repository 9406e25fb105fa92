import { describe, expect, it } from "vitest";
import { datasetOf } from "../../../../src/engine/datasets/source.ts";
import type { Dataset } from "../../../../src/engine/define/index.ts";
import { inModelClasses, type ModelClasses, refuseOtherNames } from "../../../../src/engine/evaluation/classMatch.ts";

interface Given {
  readonly classNames: readonly string[];
  readonly labels: readonly number[];
  readonly synsets?: readonly string[];
  readonly hasNumberedFolders?: boolean;
}
/** A data set of images of one pixel. */
function data({ labels, ...rest }: Given): Promise<Dataset> {
  const test = {
    labels: Int32Array.from(labels),
    read: async () => undefined,
    identify: async () => [],
    close: async () => undefined,
  };
  return datasetOf({ kind: "imageFolder", path: "photos", inputShape: [1, 1, 1], splits: { test }, ...rest });
}
const model = (classNames: readonly string[], synsets: readonly string[] | null = null): ModelClasses => ({
  name: "model.json",
  classes: classNames.length,
  classNames,
  synsets,
});
const matched = async (given: Given, m: ModelClasses): Promise<Dataset> => inModelClasses(await data(given), m);
const refused = (given: Given, m: ModelClasses, message: RegExp) =>
  expect(matched(given, m)).rejects.toMatchObject({ code: "LABEL_RANGE", message: expect.stringMatching(message) });

describe("labels of data whose classes have names, for a model whose classes have names", () => {
  it("are those of the model, also for a part of its classes", async () => {
    const found = await matched({ classNames: ["cat", "fox"], labels: [0, 1, 1] }, model(["cat", "dog", "fox"]));
    expect([...found.labels("test")]).toEqual([0, 2, 2]);
    expect([...(await found.read("test", [2, 0])).labels]).toEqual([2, 0]);
    expect(found.classNames).toEqual(["cat", "dog", "fox"]);
    expect(found.notes).toEqual([]);
  });

  it("match exactly before they match in another case, with spaces for underscores, or by a synonym", async () => {
    const names = ["Polish", "polish", "polar_bear", "tench, Tinca tinca", "cafe\u0301"];
    const found = await matched({ classNames: ["polish", "Polar Bear", "Tench", "caf\u00e9"], labels: [0, 1, 2, 3] }, model(names));
    expect([...found.labels("test")]).toEqual([1, 2, 3, 4]);
    await refused({ classNames: ["POLISH", "tench"], labels: [0, 1] }, model(names), /no class "POLISH"/);
  });

  it("match by WordNet ids", async () => {
    const names = model(["crane", "crane", "tench"], ["n03126707", "n02012849", "n01440764"]);
    expect([...(await matched({ classNames: ["n01440764", "n02012849"], labels: [0, 1] }, names)).labels("test")]).toEqual([2, 1]);
    const listed = { classNames: ["a bird", "a fish"], synsets: ["n02012849", "n01440764"], labels: [0, 1] };
    expect([...(await matched(listed, names)).labels("test")]).toEqual([1, 2]);
    await refused({ classNames: ["crane", "tench"], labels: [0, 1] }, names, /no class "crane"/); // which of the two?
  });

  it("are refused where the model lacks a class that has images, with up to five names", async () => {
    const three = model(["cat", "dog", "fox"]);
    await refused({ classNames: ["bee", "cat"], labels: [0, 1] }, three, /^The model model\.json has no class "bee"\.$/);
    const many = ["a", "b", "c", "d", "e", "f", "g", "cat"];
    await refused({ classNames: many, labels: [0, 1, 2, 3, 4, 5, 6, 7] }, three, /"a", "b", "c", "d", "e" and 2 more/);
    expect([...(await matched({ classNames: ["bee", "cat"], labels: [1] }, three)).labels("test")]).toEqual([0]);
  });

  it("are refused where two classes of the data are one of the model", () =>
    refused(
      { classNames: ["Polar bear", "polar_bear"], labels: [0, 1] },
      model(["polar_bear", "seal"]),
      /"Polar bear", "polar_bear" .* one class/,
    ));

  it("match numbers that are names of folders, as a model that was trained on sorted folders has them", async () => {
    const sorted = model(["0", "1", "10", "2"]);
    const folders = { classNames: Array.from({ length: 11 }, (_, i) => String(i)), hasNumberedFolders: true, labels: [2, 10] };
    expect([...(await matched(folders, sorted)).labels("test")]).toEqual([3, 2]);
    expect([...(await matched({ classNames: ["0", "1", "2"], labels: [2, 1] }, sorted)).labels("test")]).toEqual([2, 1]); // counts, no names
    expect([...(await matched({ ...folders, labels: [2, 1] }, model(["zero", "one", "two"]))).labels("test")]).toEqual([2, 1]);
  });
});

describe("names that folders, WordNet and people write in other ways", () => {
  const imagenet = model(
    ["tabby", "church", "crane (bird)", "crane (machine)", "French horn", "T-shirt/top"],
    ["n02123045", "n03028079", "n02012849", "n03126707", "n03394916", "n09999999"],
  );
  it("are the model's", async () => {
    const classNames = ["n02123045-tabby", "497_church", "french-horn", "t_shirt top"];
    expect([...(await matched({ classNames, labels: [0, 1, 2, 3] }, imagenet)).labels("test")]).toEqual([0, 1, 4, 5]);
    const machine = await matched({ classNames: ["n03126707 crane"], labels: [0] }, imagenet);
    expect([...machine.labels("test")]).toEqual([3]);
  });

  it("are no other class of the model that differs in a sign, a number or what stands in brackets", async () => {
    const other: readonly (readonly [string, string])[] = [
      ["c++", "c"],
      ["😢", "😀"],
      ["-", "+"],
      ["2020_model", "2019_model"],
      ["3 months", "5 months"],
      ["6 months", "months"],
      ["1.5", "5"],
      ["positive (severe)", "positive (mild)"],
    ];
    for (const [data, known] of other) await refused({ classNames: [data, "dog"], labels: [0, 1] }, model([known, "dog"]), /no class/);
  });

  it("are refused where they may be two, or none, with those that may be meant", async () => {
    await refused({ classNames: ["crane"], labels: [0] }, imagenet, /no class "crane"\. It has "crane \(bird\)", "crane \(machine\)"\.$/);
    await refused({ classNames: ["tabby cat"], labels: [0] }, imagenet, /no class "tabby cat"\. It has "tabby"\.$/);
  });
});

describe("labels where only positions are known", () => {
  const unnamed = model(["0", "1", "2", "3"]);
  it("stay where there are as many, and are refused where a part has names", async () => {
    const equal = await matched({ classNames: ["ant", "bee", "cat", "dog"], labels: [0, 2, 3] }, unnamed);
    expect([[...equal.labels("test")], equal.notes]).toEqual([
      [0, 2, 3],
      [
        "The model does not name its classes: labels go by position (0 = ant, 1 = bee, 2 = cat …). If it was trained with another order, " +
          "accuracies are wrong: write its class names, one to a line, into labels.txt beside it.",
      ],
    ]);
    // Nobody can know which two of the four they are.
    const fewer = { classNames: ["ant", "bee"], labels: [0, 1] };
    await refused(fewer, unnamed, /names 2 of the 4 classes of the model model\.json, which does not name them/);
  });

  it("stay, and a part of a model's named classes is noted by its numbers", async () => {
    const found = await matched({ classNames: ["0", "1"], labels: [0, 1] }, model(["tench", "goldfish", "shark"]));
    expect([[...found.labels("test")], found.notes]).toEqual([
      [0, 1],
      ["The labels, 0…1, are taken as numbers of the model's 3 classes: 0 = tench, 1 = goldfish."],
    ]);
  });

  it("stay, and what looks like counting from 1 is noted", async () => {
    const numbers = ["0", "1", "2", "3"];
    const shifted = await matched({ classNames: numbers, labels: [3, 1, 2] }, unnamed);
    expect([...shifted.labels("test")]).toEqual([3, 1, 2]);
    expect(shifted.notes).toEqual([
      expect.stringMatching(/class 0, and every class from 1 to 3 has some.*give the data set "firstLabel": 1/),
    ]);
    for (const labels of [
      [0, 1, 2, 3],
      [2, 3],
      [1, 2],
    ]) // all classes; not the second; a part of them
      expect((await matched({ classNames: numbers, labels }, unnamed)).notes).toEqual([]);
  });

  it("are refused where the model has too few classes", async () => {
    await refused(
      { classNames: ["a", "b", "c", "d", "e"], labels: [0] },
      unnamed,
      /5 classes, the model model\.json only 4; no image is of "b", "c", "d", "e"\.$/,
    );
    await refused(
      { classNames: ["0", "1", "2", "3", "4"], labels: [4] },
      unnamed,
      /label 4, and the classes of the model model\.json are 0…3/,
    );
    expect([...(await matched({ classNames: ["0", "1", "2", "3", "4"], labels: [3] }, unnamed)).labels("test")]).toEqual([3]);
  });
});

describe("two models that are compared", () => {
  it("have their classes in the same order, as far as they name them", () => {
    const cat = model(["cat", "dog"]);
    expect(() => refuseOtherNames(cat, model(["cat", "dog"]))).not.toThrow();
    expect(() => refuseOtherNames(cat, model(["0", "1"]))).not.toThrow();
    expect(() => refuseOtherNames(cat, model(["dog", "cat"]))).toThrow(
      expect.objectContaining({ code: "MODEL_INVALID", message: 'Class 0 is "cat" in model.json and "dog" in model.json.' }),
    );
  });
});
