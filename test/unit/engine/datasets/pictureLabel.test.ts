import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { classIndex, labelOfPicture } from "../../../../src/engine/datasets/pictureLabel.ts";
import { temporaryFolder, write } from "./helpers.ts";

const classes = ["cat", "golden_retriever", "tench, Tinca tinca", "crane, bird", "crane, machine", "café"];
let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
const folder = (name: string): string => path.join(root, name);
const label = async (file: string, names: readonly string[] = classes) =>
  (await labelOfPicture(folder(file), { classNames: names, synsets: null })).label;
const voc = (...names: string[]): string =>
  `<annotation>${names.map((n) => `<object><name>${n}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>`).join("")}</annotation>`;

describe("names of classes", () => {
  it("are found whole or by a synonym, whatever the case, the separators and the normal form; ambiguous ones are nobody's", () => {
    const indexOf = classIndex(classes);
    expect(
      ["Cat", "Golden Retriever", "golden-retriever", "tench", "Tinca tinca", "tench, tinca tinca", "cafe\u0301"].map((name) =>
        indexOf(name),
      ),
    ).toEqual([0, 1, 1, 2, 2, 2, 5]);
    expect(["crane", "", "dog"].map((name) => indexOf(name))).toEqual([undefined, undefined, undefined]);
    expect(indexOf("crane, machine")).toBe(4);
    // WordNet 3.0: n02012849 is the bird, n03126707 the machine.
    expect(classIndex(["crane", "crane"], ["n02012849", "n03126707"])("n03126707")).toBe(1);
  });
});

describe("label of a picture", () => {
  it("is that of its class folder, also a level deeper", async () => {
    await write(folder("a"), { "Golden Retriever/x.png": "", "cat/images/x.png": "", "holiday/x.png": "" });
    expect(await label("a/Golden Retriever/x.png")).toEqual({ index: 1, source: { kind: "folder", name: "Golden Retriever" } });
    expect(await label("a/cat/images/x.png")).toEqual({ index: 0, source: { kind: "folder", name: "cat" } });
    expect(await label("a/holiday/x.png")).toBeNull();
  });

  it("is a number only where all the folders beside are numbers of classes", async () => {
    const digits = Array.from({ length: 10 }, (_, i) => String(i));
    await write(folder("n"), {
      "digits/0/x.png": "",
      "digits/7/x.png": "",
      "years/7/x.png": "",
      "years/2019/x.png": "",
      "alone/7/x.png": "",
    });
    expect(await label("n/digits/7/x.png", digits)).toMatchObject({ index: 7 });
    expect(await label("n/years/7/x.png", digits)).toBeNull();
    expect(await label("n/alone/7/x.png", digits)).toBeNull();
  });

  it("is read from a label file that lists it, by name or by index, beside it or a folder up", async () => {
    await write(folder("l"), {
      "labels.csv": "file,label\nx.png,cat\nimages/y.png,2\nz.png,dog\nw.png,6\n",
      "x.png": "",
      "images/y.png": "",
      "z.png": "",
      "w.png": "",
    });
    expect(await label("l/x.png")).toEqual({ index: 0, source: { kind: "labelFile", name: "labels.csv" } });
    expect(await label("l/images/y.png")).toMatchObject({ index: 2 });
    expect(await label("l/z.png"), "a class that the model lacks").toBeNull();
    expect(await label("l/w.png"), "there are six classes").toBeNull();
  });

  it("is not taken from a label file that cannot be used, which is said of a picture that the file names", async () => {
    await write(folder("torn"), { "labels.csv": "file,label\nx.png,cat\nghost.png,dog\n", "x.png": "", "y.png": "" });
    const classes = { classNames: ["cat", "dog"], synsets: null };
    expect(await labelOfPicture(path.join(folder("torn"), "x.png"), classes)).toEqual({
      label: null,
      notes: [expect.stringMatching(/^labels\.csv is not used: labels\.csv names ghost\.png, which is not in /)],
    });
    expect((await labelOfPicture(path.join(folder("torn"), "y.png"), classes)).notes).toEqual([]);
  });

  it("is that of its annotation where all its objects are of one class", async () => {
    await write(folder("v"), {
      "one.png": "",
      "one.xml": voc("cat", "cat"),
      "two.png": "",
      "Annotations/two.xml": voc("tench"),
      "both.png": "",
    });
    await write(folder("v"), {
      "both.xml": voc("cat", "tench"),
      "JPEGImages/up.png": "",
      "Annotations/up.xml": voc("cat"),
      "bad.png": "",
      "bad.xml": "<",
    });
    expect(await label("v/one.png")).toEqual({ index: 0, source: { kind: "annotation", name: "one.xml" } });
    expect(await label("v/two.png")).toMatchObject({ index: 2 });
    expect(await label("v/JPEGImages/up.png")).toMatchObject({ index: 0 });
    expect(await label("v/both.png")).toBeNull();
    expect(await label("v/bad.png")).toBeNull();
  });

  it("is none where two of them disagree, and that is said", async () => {
    await write(folder("d"), { "cat/x.png": "", "cat/labels.csv": "x.png,tench\n" });
    expect(await labelOfPicture(folder("d/cat/x.png"), { classNames: classes, synsets: null })).toEqual({
      label: null,
      notes: ['no label: labels.csv says "tench, Tinca tinca", but the folder cat says "cat"'],
    });
  });
});
