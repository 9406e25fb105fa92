import { rm } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { imageFolder } from "../../../../../src/engine/datasets/imageFolder.ts";
import type { Dataset, Split } from "../../../../../src/engine/define/index.ts";
import { load, temporaryFolder, write } from "../helpers.ts";
import { png } from "./pictures.ts";

let root: string;
let count = 0;
let picture: Buffer;
beforeAll(async () => {
  root = await temporaryFolder();
  picture = await png(1);
});

async function open(pictures: readonly string[], more: Readonly<Record<string, string | Uint8Array>> = {}, params = {}): Promise<Dataset> {
  const where = path.join(root, String(count++));
  await write(where, { ...Object.fromEntries(pictures.map((name) => [name, picture])), ...more });
  return load(imageFolder, { path: where, ...params });
}
const labels = (data: Dataset, split: Split = "test"): number[] => [...data.labels(split)];

describe("splits", () => {
  it.each([[["Training", "Testing"]], [["train", "valid"]], [["TRAIN", "eval"]], [["trn", "Validation"]]])(
    "%j are splits, never classes",
    async ([train, test]) => {
      const data = await open([`${train}/a/1.png`, `${train}/b/1.png`, `${train}/c/1.png`, `${test}/a/1.png`, `${test}/c/1.png`]);
      expect([data.classNames, labels(data, "train"), labels(data)]).toEqual([
        ["a", "b", "c"],
        [0, 1, 2],
        [0, 2],
      ]);
      expect(data.notes?.join()).toContain(`${train}/ for training and ${test}/ for testing`);
    },
  );

  it("test wins over others, which is said, as is what lies beside", async () => {
    const data = await open(["train/a/1.png", "val/b/1.png", "Test/a/1.png", "Test/a/2.png", "extra/1.png"]);
    expect(data.size("test")).toBe(2);
    expect(data.notes).toEqual([
      "Images are taken from train/ for training and Test/ for testing; val/ is not used.",
      "Folders beside the splits are not read: extra.",
    ]);
    expect((await open(["train/a/1.png", "test/a/1.png"])).notes).toEqual([]);
  });
});

describe("classes", () => {
  it("an empty class folder keeps its place", async () => {
    const data = await open(["ant/1.png", "cat/1.png", "dog/1.png"], { "bee/.gitkeep": "" });
    expect([data.classNames, labels(data)]).toEqual([
      ["ant", "bee", "cat", "dog"],
      [0, 2, 3],
    ]);
    expect(data.notes).toEqual(["The class folder bee has no images."]);
  });

  it("folders of numbers in either order, which is said where they differ", async () => {
    const folders = ["0/1.png", "1/1.png", "2/1.png", "10/1.png", "9/1.png"]; // as text: 0, 1, 10, 2, 9
    const byNumber = await open(folders);
    expect([labels(byNumber).sort((a, b) => a - b), byNumber.classNames.length]).toEqual([[0, 1, 2, 9, 10], 11]);
    expect(byNumber.notes?.join()).toMatch(/folder 10 is class 10.*"classOrder": "text".*0, 1, 10, 2 …/);
    const byText = await open(folders, {}, { classOrder: "text" });
    const files = (await byText.identify?.("test", [0, 1, 2, 3, 4])) ?? [];
    expect(Object.fromEntries(files.map(({ file }, i) => [file, labels(byText)[i]]))).toEqual({
      "0/1.png": 0,
      "1/1.png": 1,
      "10/1.png": 2,
      "2/1.png": 3,
      "9/1.png": 4,
    });
    expect(byText.notes?.join()).toMatch(/text order \(0, 1, 10, 2 …\)/);
    expect((await open(["0/1.png", "1/1.png"])).notes).toEqual([]);
    const years = await open(["20200101/1.png", "20210101/1.png"]);
    expect([years.classNames, labels(years)]).toEqual([
      ["20200101", "20210101"],
      [0, 1],
    ]);
  });

  it("refuses two folders of one name", async () => {
    await expect(open(["caf\u00e9/1.png", "cafe\u0301/1.png"])).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(/Two class folders/),
    });
    await expect(open(["1/1.png", "01/1.png"])).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(/same number/),
    });
  });
});

describe("what is a picture", () => {
  it("is told by content", async () => {
    const jpeg = await sharp(picture).jpeg().toBuffer();
    const data = await open([], {
      "a/1.jfif": jpeg,
      "a/2.JPE": jpeg,
      "a/no ending": picture,
      "a/4.img": picture,
      "b/deep.er/5.png": picture,
    });
    expect(labels(data)).toEqual([0, 0, 0, 0, 1]);
    expect((await data.read("test", [0, 1, 2, 3, 4])).n).toBe(5);
  });

  it("a broken picture stops, or is left out by choice", async () => {
    const broken = { "a/2.png": picture.subarray(0, 40), "b/1.png": picture };
    const stops = await open(["a/1.png"], broken);
    await expect(stops.read("test", [0, 1, 2])).rejects.toMatchObject({ code: "IMAGE_INVALID", message: expect.stringMatching(/2\.png/) });
    const skips = await open(["a/1.png"], broken, { onBroken: "skip" });
    expect([labels(skips), (await skips.read("test", [0, 1])).n, skips.skipped?.map(({ file }) => file)]).toEqual([[0, 1], 2, ["a/2.png"]]);
    expect(skips.notes).toEqual([expect.stringMatching(/^1 file was skipped: a\/2\.png \(2\.png is damaged/)]);
  });

  it("all that cannot be used are counted in one message, those of 16 bits and the transparent ones too, and the first three named", async () => {
    const deep = await sharp(Uint16Array.from([1, 2, 300, 60000]), { raw: { width: 2, height: 2, channels: 1 } })
      .toColourspace("grey16")
      .png()
      .toBuffer();
    const glass = await sharp({ create: { width: 2, height: 2, channels: 4, background: { r: 1, g: 2, b: 3, alpha: 0.5 } } })
      .png()
      .toBuffer();
    const cut = picture.subarray(0, 40);
    const stops = await open(["a/1.png"], { "a/2.png": deep, "a/3.png": glass, "b/1.png": picture, "b/2.png": cut, "b/3.png": cut });
    const where = path.join(root, String(count - 1));
    await expect(stops.read("test", [0, 3, 1])).rejects.toMatchObject({
      code: "IMAGE_INVALID",
      message: `4 of the 6 pictures in ${where} cannot be used: 2.png has 16 bits a channel; only 8-bit images are supported; 3.png is transparent in places (row 0, column 0); 2.png is damaged or is not an image; and 1 more.`,
      fix: 'Mend or remove such pictures, or leave them out with "onBroken": "skip".',
    });
    await expect(open([], { "a/1.png": deep, "a/2.png": picture, "b/1.png": glass })).rejects.toMatchObject({
      message: expect.stringMatching(/^2 of the 3 pictures in \S+ cannot be used: 1\.png has 16 bits/), // the first one, which the size is read from
    });
  });

  it("a folder that vanishes is an error of its own and no broken picture", async () => {
    const where = path.join(root, String(count));
    const skips = await open(["a/1.png", "a/2.png", "b/1.png"], {}, { onBroken: "skip" });
    await rm(where, { recursive: true });
    await expect(skips.read("test", [0, 1])).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      message: `The folder ${where} is not there any more.`,
    });
  });

  it("counts and names what is skipped, and passes over what lies beside pictures", async () => {
    const ppm = Buffer.concat([Buffer.from("P6\n1 1\n255\n"), Buffer.from([1, 2, 3])]);
    const data = await open(["a/1.png"], {
      "a/2.ppm": ppm,
      "b/x.dat": "no picture",
      "a/README": "x",
      "a/notes.txt": "x",
      "b/Thumbs.db": "x",
      "b/1.png": picture,
    });
    expect(labels(data)).toEqual([0, 1]);
    expect(data.skipped?.map(({ file }) => file)).toEqual(["a/2.ppm", "b/x.dat"]);
    expect(data.notes).toEqual(["2 files were skipped: a/2.ppm (PPM is not supported), b/x.dat (not a picture)."]);
    await expect(open([], { "a/1.ppm": ppm })).rejects.toMatchObject({
      code: "DATASET_EMPTY",
      message: expect.stringMatching(/a\/1\.ppm \(PPM/),
    });
  });
});
