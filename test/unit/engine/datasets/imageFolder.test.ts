import path from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { imageFolder } from "../../../../src/engine/datasets/imageFolder.ts";
import { boxesOfClass } from "../../../../src/engine/datasets/voc.ts";
import { bytesOf, load, temporaryFolder, write } from "./helpers.ts";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
/** A PNG of one colour. */
const png = (value: number, width = 2, height = 2): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: { r: value, g: value + 1, b: value + 2 } } })
    .png()
    .toBuffer();
const folder = (name: string): string => path.join(root, name);

describe("image folders", () => {
  it("takes subfolders for classes, sorted, and passes over hidden and other files", async () => {
    await write(folder("classes"), {
      "dog/b.png": await png(20),
      "dog/a.jpg": await sharp(await png(10))
        .jpeg({ quality: 100 })
        .toBuffer(),
      "cat/z.PNG": await png(30),
      "cat/.hidden.png": "x",
      "cat/notes.txt": "x",
      ".git/x.png": "x",
    });
    const data = await load(imageFolder, { path: folder("classes") });
    expect([data.classNames, data.size("train"), data.size("test"), data.inputShape]).toEqual([["cat", "dog"], 0, 3, [2, 2, 3]]);
    const { images, labels } = await data.read("test", [0, 2, 1]);
    expect([...labels]).toEqual([0, 1, 1]);
    expect(bytesOf(images).slice(0, 3)).toEqual([30, 31, 32]);
    expect(bytesOf(images).slice(12, 15)).toEqual([20, 21, 22]);
  });

  it("keeps train and test apart, and divides by share where they are not", async () => {
    const image = await png(1);
    await write(folder("split"), { "train/a/1.png": image, "train/b/2.png": image, "val/b/3.png": image });
    const data = await load(imageFolder, { path: folder("split") });
    expect([data.size("train"), data.size("test")]).toEqual([2, 1]);
    expect([...(await data.read("test", [0])).labels]).toEqual([1]);
    await write(folder("share"), { "a/1.png": image, "a/2.png": image, "b/1.png": image, "b/2.png": image });
    const shared = await load(imageFolder, { path: folder("share"), testShare: 0.5 });
    expect([...(await shared.read("train", [0, 1])).labels]).toEqual([0, 1]);
    expect([shared.size("train"), shared.size("test")]).toEqual([2, 2]);
  });

  it("reads a label file of names or of indices, and the order of classes.txt", async () => {
    await write(folder("file"), {
      "p/1.png": await png(1),
      "p/2, odd.png": await png(2),
      "labels.csv": 'file,label,split\np/1.png,zebra,train\n"p/2, odd.png",ant,test\n',
    });
    const data = await load(imageFolder, { path: folder("file") });
    expect([data.classNames, data.size("train"), data.size("test")]).toEqual([["ant", "zebra"], 1, 1]);
    await write(folder("index"), { "1.png": await png(1), "list.txt": "# comment\n1.png 2\n", "classes.txt": "x\ny\nz\nw\n" });
    const index = await load(imageFolder, { path: folder("index"), labels: "list.txt" });
    expect([index.classNames, [...(await index.read("test", [0])).labels]]).toEqual([["x", "y", "z", "w"], [2]]);
    await write(folder("ordered"), { "a/1.png": await png(1), "b/1.png": await png(2), "classes.txt": "b\na\n" });
    const ordered = await load(imageFolder, { path: folder("ordered") });
    expect([ordered.classNames, [...(await ordered.read("test", [0, 1])).labels]]).toEqual([
      ["b", "a"],
      [1, 0],
    ]);
  });

  it("resizes by its rule, to grayscale if asked", async () => {
    await write(folder("sizes"), { "a/1.png": await png(100, 4, 4), "a/2.png": await png(100, 8, 4) });
    const first = await load(imageFolder, { path: folder("sizes") });
    expect(first.inputShape).toEqual([4, 4, 3]);
    expect((await first.read("test", [0, 1])).images).toHaveLength(2 * 48);
    const gray = await load(imageFolder, { path: folder("sizes"), size: 2, width: 6, channels: "gray" });
    expect(gray.inputShape).toEqual([2, 6, 1]);
    expect(bytesOf((await gray.read("test", [0])).images)).toEqual(new Array(12).fill(101)); // .299·100 + .587·101 + .114·102
    const none = await load(imageFolder, { path: folder("sizes"), resize: "none" });
    await expect(none.read("test", [1])).rejects.toMatchObject({ code: "IMAGE_SIZE", message: expect.stringMatching(/4×8.*4×4/) });
  });

  it("boxes that show the label are those of its name, or all where none names a class", () => {
    const box = (label: string) => ({ label, xmin: 0, ymin: 0, xmax: 1, ymax: 1 });
    const [cat, dog, other] = [box("cat"), box("dog"), box("n02123045")];
    const indexOf = (name: string): number | undefined => ({ cat: 0, dog: 1 })[name];
    expect(boxesOfClass([cat, dog, other, cat], 0, indexOf)).toEqual([cat, cat]);
    expect(boxesOfClass([dog, other], 0, indexOf)).toEqual([]);
    expect(boxesOfClass([other], 0, indexOf)).toEqual([other]);
    expect(boxesOfClass([], 0, indexOf)).toEqual([]);
  });

  it("gives the boxes where they lie in the resized image", async () => {
    const box = (name: string, ...[x0, y0, x1, y1]: readonly number[]) =>
      `<object><name>${name}</name><bndbox><xmin>${x0}</xmin><ymin>${y0}</ymin><xmax>${x1}</xmax><ymax>${y1}</ymax></bndbox></object>`;
    const size = "<size><width>8</width><height>4</height><depth>3</depth></size>";
    await write(folder("boxes"), {
      "a/1.png": await png(1, 8, 4),
      "a/2.png": await png(1, 8, 4),
      "Annotations/1.xml": `<annotation>${size}${box("left", 1, 1, 4, 2)}${box("edge", 1, 1, 1, 4)}</annotation>`,
    });
    // VOC 1…4 × 1…2 covers [0,4)×[0,2). Cover to 8×8: scale 2 makes 16×8, 4 columns are cut off at each side.
    const cover = await load(imageFolder, { path: folder("boxes"), size: 8 });
    expect(cover.boxes("test", 0)).toEqual([
      { label: "left", xmin: 0, ymin: 0, xmax: 4, ymax: 4 },
      { label: "edge", xmin: 0, ymin: 0, xmax: 0, ymax: 8 }, // nothing is left of it, which whoever uses boxes counts
    ]);
    expect(cover.boxes("test", 1)).toEqual([]);
    const fill = await load(imageFolder, { path: folder("boxes"), size: 8, resize: "fill" });
    expect(fill.boxes("test", 0)[0]).toEqual({ label: "left", xmin: 0, ymin: 0, xmax: 4, ymax: 4 });
    const contain = await load(imageFolder, { path: folder("boxes"), size: 8, resize: "contain" }); // scale 1, two black rows above
    expect(contain.boxes("test", 0)[0]).toEqual({ label: "left", xmin: 0, ymin: 2, xmax: 4, ymax: 4 });
    // Half of the covering image's sides: scale 2 makes 8×16, of which the centre 4×4 begins at row 2, column 6.
    const half = await load(imageFolder, { path: folder("boxes"), size: 4, crop: 0.5 });
    expect(half.boxes("test", 0)[0]).toEqual({ label: "left", xmin: 0, ymin: 0, xmax: 2, ymax: 2 });
    const cut = await load(imageFolder, { path: folder("boxes"), size: 4, resize: "crop" }); // begins at row 0, column 2
    expect(cut.boxes("test", 0)[0]).toEqual({ label: "left", xmin: 0, ymin: 0, xmax: 2, ymax: 2 });
    await write(folder("boxes"), { "Annotations/2.xml": "<annotation><object><name>x</name></object></annotation>" });
    expect(() => cover.boxes("test", 1)).toThrow(expect.objectContaining({ code: "DATASET_INVALID" }));
    await write(folder("boxes"), { "Annotations/2.xml": "<annotation>" });
    expect(() => cover.boxes("test", 1)).toThrow(expect.objectContaining({ code: "DATASET_INVALID" }));
  });

  it("refuses what it cannot use", async () => {
    const attempt = async (name: string, files: Readonly<Record<string, string | Uint8Array>>, code: string, pattern: RegExp) => {
      await write(folder(name), files);
      await expect(load(imageFolder, { path: folder(name) })).rejects.toMatchObject({ code, message: expect.stringMatching(pattern) });
    };
    const image = await png(1);
    await attempt("empty", { "a/readme.md": "x" }, "DATASET_EMPTY", /no images/);
    await attempt("missing", { "labels.csv": "1.png,0\n" }, "FILE_NOT_FOUND", /1\.png/);
    await attempt("unlabelled", { "1.png": image, "labels.txt": "1.png\n" }, "DATASET_INVALID", /Line 1/);
    await attempt("unknown", { "a/1.png": image, "classes.txt": "b\n" }, "LABEL_RANGE", /"a"/);
    await attempt("outside", { "1.png": image, "labels.csv": "1.png,7\n", "classes.txt": "a\nb\n" }, "LABEL_RANGE", /label 7/);
    await attempt("fake", { "a/1.png": "not an image" }, "IMAGE_INVALID", /1\.png/);
    await expect(load(imageFolder, { path: folder("nowhere") })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});
