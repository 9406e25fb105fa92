import path from "node:path";
import { describe, expect, it } from "vitest";
import { imageFolder } from "../../../../../src/engine/datasets/imageFolder.ts";
import { load } from "../helpers.ts";
import { classes, folder, open } from "./open.ts";

const inFolders = ["red/1.png", "green/2.png", "blue/3.png"];

describe("a label file beside class folders", () => {
  it("is refused where it contradicts them, with the picture", async () => {
    const labels = { "labels.csv": "file,label\nblue/3.png,blue\nred/1.png,blue\ngreen/2.png,red\n" };
    await expect(open(inFolders, labels)).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: "red/1.png lies in the class folder red and is blue in labels.csv.",
      fix: expect.stringContaining('"labels"'),
    });
    expect(await classes(await open(inFolders, labels, { labels: "labels.csv" }))).toEqual({
      "red/1.png": "blue",
      "green/2.png": "red",
      "blue/3.png": "blue",
    });
  });

  it("contradicts by index where the classes are listed, and below splits", async () => {
    const files = { "classes.txt": "red\ngreen\nblue\n", "labels.csv": "file,label\nred/1.png,0\ngreen/2.png,2\n" };
    await expect(open(inFolders, files)).rejects.toMatchObject({
      message: expect.stringMatching(/^green\/2\.png .* folder green and is 2/),
    });
    const split = { "labels.csv": "file,label\ntrain/cat/1.png,cat\ntest/cat/2.png,dog\ntest/dog/3.png,dog\n" };
    await expect(open(["train/cat/1.png", "test/cat/2.png", "test/dog/3.png"], split)).rejects.toMatchObject({
      message: expect.stringMatching(/^test.cat.2\.png lies in the class folder cat and is dog/),
    });
  });

  it("agrees with folders of its classes in any case, and with folders that are no classes", async () => {
    const agrees = { "labels.csv": "file,label\nred/1.png,Red\ngreen/2.png,green\nblue/3.png,blue\n" };
    expect((await open(inFolders, agrees)).size("test")).toBe(3);
    const batches = { "labels.csv": "file,label\n1/a.png,cat\nbatch/b.png,1\n" };
    expect((await open(["1/a.png", "batch/b.png"], batches)).size("test")).toBe(2);
    // numbers beside labels that are words are folds, although the list of classes has as many
    const folds = { "classes.txt": "cat\ndog\n", "labels.csv": "file,label\n1/a.png,cat\n2/b.png,dog\n1/c.png,dog\n" };
    expect((await open(["1/a.png", "2/b.png", "1/c.png"], folds)).size("test")).toBe(3);
  });

  it("that lists some pictures leaves out the others, which is said", async () => {
    const data = await open(inFolders, { "labels.csv": "file,label\nred/1.png,red\n" });
    expect(await classes(data)).toEqual({ "red/1.png": "red" });
    expect(data.notes).toEqual([
      "labels.csv lists 1 picture; 2 pictures of the folder are in no row and left out: blue/3.png, green/2.png.",
    ]);
    expect(data.skipped).toEqual(["blue/3.png", "green/2.png"].map((file) => ({ file, reason: "no label" })));
  });
});

describe("pictures without labels", () => {
  it("beside class folders are counted", async () => {
    const data = await open([...inFolders, "9.png"]);
    expect(data.size("test")).toBe(3);
    expect(data.notes).toEqual(["1 picture beside the class folders has no label and is left out: 9.png."]);
    expect(data.skipped).toEqual([{ file: "9.png", reason: "no label" }]);
  });

  it("alone are an error that says what to do", async () => {
    const where = await folder(["1.png", "2.png", "3.png"]);
    await expect(load(imageFolder, { path: where })).rejects.toMatchObject({
      code: "DATASET_EMPTY",
      message: `The 3 pictures in ${where} have no labels: 1.png, 2.png, 3.png.`,
      fix: expect.stringMatching(/a folder of its name.*labels\.csv/),
    });
  });

  it("a label file of headings alone labels nothing", async () => {
    await expect(open(["1.png"], { "labels.csv": "file,label\n" })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: "labels.csv has headings and no rows, so that no picture has a label.",
    });
  });

  it("a class called like a split is taken for one, which is said", async () => {
    await expect(open(["test/1.png", "green/1.png", "blue/1.png"])).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(
        /^test in .* was taken for a split and has no labelled pictures; blue, green beside it were not read\.$/,
      ),
      fix: "If test is a class, give its folder another name, such as test-class.",
    });
  });

  it("in one split alone are a note", async () => {
    const data = await open(["train/a/1.png", "train/b/2.png", "test/3.png"]);
    expect([data.size("train"), data.size("test")]).toEqual([2, 0]);
    expect(data.notes).toEqual(["test/: 1 picture without a label left out."]);
  });
});

describe("one level too many", () => {
  it.each([[["data/red/1.png", "data/green/1.png"]], [["data/train/red/1.png", "data/test/red/1.png"]], [["data/train/red/1.png"]]])(
    "%j: the folder below is named",
    async (pictures) => {
      const where = await folder(pictures);
      await expect(load(imageFolder, { path: where })).rejects.toMatchObject({
        code: "DATASET_INVALID",
        fix: `Give the folder below: ${path.join(where, "data")}.`,
      });
    },
  );

  it("one class of ImageNet's own layout, or one that is listed, is a class", async () => {
    expect((await open(["n01440764/images/1.png", "n01440764/images/2.png"])).classNames).toEqual(["n01440764"]);
    expect((await open(["cat/tabby/1.png", "cat/angora/2.png"], { "classes.txt": "cat\ndog\n" })).classNames).toEqual(["cat", "dog"]);
  });
});
