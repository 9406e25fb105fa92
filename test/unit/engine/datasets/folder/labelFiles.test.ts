import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { imageFolder } from "../../../../../src/engine/datasets/imageFolder.ts";
import type { Dataset } from "../../../../../src/engine/define/index.ts";
import { load, temporaryFolder, write } from "../helpers.ts";
import { png } from "./pictures.ts";

let root: string;
let count = 0;
beforeAll(async () => {
  root = await temporaryFolder();
});

/** A folder with these files; of `pictures` each is a small PNG. */
async function folder(pictures: readonly string[], files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const where = path.join(root, String(count++));
  const entries = await Promise.all(pictures.map(async (name, i) => [name, await png(i)] as const));
  await write(where, { ...Object.fromEntries(entries), ...files });
  return where;
}
const abc = ["0.png", "1.png", "2.png"];
const open = async (pictures: readonly string[], files: Readonly<Record<string, string | Uint8Array>>, params = {}): Promise<Dataset> =>
  load(imageFolder, { path: await folder(pictures, files), ...params });
/** File name and label of every test image. */
async function labelsOf(data: Dataset): Promise<Record<string, number>> {
  const n = data.size("test");
  const files =
    (await data.identify?.(
      "test",
      Array.from({ length: n }, (_, i) => i),
    )) ?? [];
  return Object.fromEntries(files.map(({ file }, i) => [file, data.labels("test")[i] as number]));
}
const read = async (pictures: readonly string[], files: Readonly<Record<string, string | Uint8Array>>, params = {}) =>
  labelsOf(await open(pictures, files, params));
async function refused(
  pictures: readonly string[],
  files: Readonly<Record<string, string | Uint8Array>>,
  code: string,
  message: RegExp,
  params = {},
) {
  await expect(open(pictures, files, params)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
}
const straight = { "0.png": 0, "1.png": 1, "2.png": 2 };

describe("columns of a label file", () => {
  it.each([
    ["a heading that is known", "image_path,label\n0.png,0\n1.png,1\n2.png,2\n"],
    ["another column beside it", "Filename;Width;Height;ClassId\n0.png;2;16;0\n1.png;1;16;1\n2.png;0;16;2\n"],
    ["columns of one-hot", "image,A,B,C\n0.png,1,0,0\n1.png,0.0,1.0,0.0\n2.png,0,0,1\n"],
    ["floats that are whole", "filename,label\n0.png,0.0\n1.png,1.0\n2.png,2.0\n"],
    ["ids without endings", "id_code,diagnosis\n0,0\n1,1\n2,2\n"],
    ["the label first", "label,image\n0,0.png\n1,1.png\n2,2.png\n"],
    ["the label first, without headings", "2,2.png\n0,0.png\n1,1.png\n"],
    ["an index column of pandas", ",file,label\n0,0.png,0\n1,1.png,1\n2,2.png,2\n"],
    ["an index column called so", "Unnamed: 0,file,label\n0,0.png,0\n1,1.png,1\n2,2.png,2\n"],
    ["an index column without headings", "0,0.png,0\n1,1.png,1\n2,2.png,2\n"],
    ["back-slashes", "file,label\n.\\0.png,0\n.\\1.png,1\n2.png,2\n"],
    ["quotes, a byte-order mark, Windows line ends", '\uFEFF"file","label"\r\n"0.png","0"\r\n1.png,1\r\n2.png,2'],
    ["tabs", "file\tlabel\n0.png\t0\n1.png\t1\n2.png\t2\n"],
    ["an id and a path", "id,path,target\n7,0.png,0\n8,1.png,1\n9,2.png,2\n"],
  ])("%s", async (_, content) => {
    expect(await read(abc, { "labels.csv": content })).toEqual(straight);
  });

  it("takes the columns that were chosen, and says how to choose where it is not certain", async () => {
    const content = "picture_a,grade,score\n0.png,2,0\n1.png,1,1\n2.png,0,2\n";
    await refused(abc, { "labels.csv": content }, "DATASET_INVALID", /labels\.csv .*"picture_a", "grade", "score"/);
    expect(await read(abc, { "labels.csv": content }, { fileColumn: "picture_a", labelColumn: "score" })).toEqual(straight);
    await refused(abc, { "labels.csv": content }, "DATASET_INVALID", /no column "size"/, { labelColumn: "size" });
    await refused(
      abc,
      { "labels.csv": "file,label,class\n0.png,1,0\n1.png,1,1\n2.png,0,2\n" },
      "DATASET_INVALID",
      /which column .* is the label/,
    );
    await refused(abc, { "labels.csv": "0.png,5,6\n1.png,5,7\n2.png,6,8\n" }, "DATASET_INVALID", /3 columns and no headings/);
  });

  it("keeps the order of one-hot columns and refuses rows of several classes or of none", async () => {
    const data = await open(abc, { "labels.csv": "image,zebra,ant\n0.png,1,0\n1.png,0,1\n2.png,1,0\n" });
    expect([data.classNames, [...data.labels("test")]]).toEqual([
      ["zebra", "ant"],
      [0, 1, 0],
    ]);
    await refused(
      abc,
      { "labels.csv": "image,A,B\n0.png,1,1\n1.png,0,1\n2.png,1,0\n" },
      "DATASET_INVALID",
      /Line 2 .* 2 classes for 0\.png/,
    );
    await refused(
      abc,
      { "labels.csv": "image,A,B\n0.png,1,0\n1.png,0,0\n2.png,1,0\n" },
      "DATASET_INVALID",
      /Line 3 .* 0 classes for 1\.png/,
    );
  });

  it("reads JSON", async () => {
    expect(await read(abc, { "labels.json": '{"0.png": 0, "1.png": 1, "2.png": 2}' })).toEqual(straight);
    const rows = abc.map((file, i) => ({ width: 3 - i, file, label: ["ant", "bee", "cat"][i] }));
    expect(await read(abc, { "labels.json": JSON.stringify(rows) })).toEqual(straight);
    await refused(abc, { "labels.json": "{" }, "DATASET_INVALID", /labels\.json is not valid JSON/);
  });

  it("divides by a column of splits or by the folder", async () => {
    const usage = await open(abc, { "labels.csv": "image,Usage,label\n0.png,Training,0\n1.png,PublicTest,1\n2.png,PrivateTest,0\n" });
    expect([usage.size("train"), usage.size("test")]).toEqual([1, 2]);
    const inFolders = await open(["train/0.png", "test/1.png"], { "labels.csv": "file,label\ntrain/0.png,0\ntest/1.png,1\n" });
    expect([[...inFolders.labels("train")], [...inFolders.labels("test")]]).toEqual([[0], [1]]);
  });

  it("finds a bare name in a folder below, and asks where there are several", async () => {
    expect(await read(["images/7.png", "images/8.png"], { "labels.csv": "id,label\n7,1\n8,0\n" })).toEqual({
      "images/7.png": 1,
      "images/8.png": 0,
    });
    await refused(
      ["a/7.png", "b/7.png"],
      { "labels.csv": "file,label\n7.png,1\n" },
      "DATASET_INVALID",
      /"7\.png" may be any of a\/7\.png, b\/7\.png/,
    );
  });
});

describe("labels of a label file", () => {
  it("refuses labels that are no class, with the picture", async () => {
    await refused(abc, { "labels.csv": "0.png,-1\n1.png,0\n2.png,1\n" }, "LABEL_RANGE", /0\.png the label -1/);
    await refused(abc, { "labels.csv": "0.png,0.5\n1.png,0\n2.png,1\n" }, "LABEL_RANGE", /0\.png the label 0\.5/);
    await refused(abc, { "labels.csv": "0.png,0.0\n1.png,nan\n2.png,1.0\n" }, "LABEL_RANGE", /1\.png the label "nan"/);
    await refused(abc, { "labels.csv": "0.png,4294967296\n1.png,0\n2.png,1\n" }, "LABEL_RANGE", /0\.png the label 4294967296/);
  });

  it("counts a picture that is listed twice once, and refuses two labels for it", async () => {
    const data = await open(abc, { "labels.csv": "file,label\n0.png,0\n0.png,0.0\n1.png,1\n2.png,2\n" });
    expect([await labelsOf(data), data.notes]).toEqual([straight, [expect.stringMatching(/labels\.csv lists 1 image twice/)]]);
    await refused(abc, { "labels.csv": "file,label\n0.png,0\n0.png,1\n1.png,1\n" }, "DATASET_INVALID", /0\.png two labels, 0 and 1/);
  });

  it("compares names in one normal form", async () => {
    const classes = "caf\u00e9\nth\u00e9\n";
    const labels = "e\u0301te\u0301.png,cafe\u0301\n1.png,the\u0301\n"; // accents as characters of their own
    expect(await read(["\u00e9t\u00e9.png", "1.png"], { "labels.csv": labels, "classes.txt": classes })).toEqual({
      "\u00e9t\u00e9.png": 0,
      "1.png": 1,
    });
  });

  it("takes UTF-8 and UTF-16 with its mark, and no other encoding", async () => {
    const content = "file,label\n0.png,caf\u00e9\n1.png,caf\u00ea\n2.png,th\u00e9\n";
    const wide = Buffer.from(`\uFEFF${content}`, "utf16le");
    expect(await read(abc, { "labels.csv": wide })).toEqual(straight);
    expect(await read(abc, { "labels.csv": Buffer.from(wide).swap16() })).toEqual(straight);
    await refused(abc, { "labels.csv": Buffer.from(content, "latin1") }, "DATASET_INVALID", /labels\.csv is not UTF-8/);
    await refused(abc, { "labels.csv": Buffer.from(content, "utf16le") }, "DATASET_INVALID", /labels\.csv is not UTF-8/);
  });

  it("refuses two label files that disagree, and takes two that agree", async () => {
    const csv = "file,label\n0.png,0\n1.png,1\n2.png,2\n";
    await refused(
      abc,
      { "labels.csv": csv, "labels.json": '{"0.png": 0, "1.png": 2, "2.png": 2}' },
      "DATASET_INVALID",
      /Two label files disagree: 1\.png is 1 in labels\.csv and 2 in labels\.json/,
    );
    await refused(
      abc,
      { "labels.csv": csv, "labels.txt": "0.png 0\n1.png 1\n" },
      "DATASET_INVALID",
      /2\.png is 2 in labels\.csv and not in labels\.txt/,
    );
    expect(await read(abc, { "labels.csv": csv, "labels.txt": "0.png 0\n1.png 1\n2.png 2\n" })).toEqual(straight);
  });

  it("names the images that are not there", async () => {
    await refused(abc, { "labels.csv": "file,label\n0.png,0\nx.png,1\n" }, "FILE_NOT_FOUND", /labels\.csv names x\.png, which is not in/);
    await refused(
      abc,
      { "labels.csv": "file,label\n0.png,0\nx.png,1\ny.png,1\n" },
      "FILE_NOT_FOUND",
      /names 2 files that are not in .*: x\.png, y\.png/,
    );
  });
});

describe("class lists", () => {
  const folders = ["cat/1.png", "dog/1.png", "ant/1.png"];
  it.each([
    ["labels.txt", "dog\ncat\nant\n"],
    ["labels.txt", "0 dog\n1 cat\n2 ant\n"],
    ["classes.txt", "2: ant\n0: dog\n1: cat\n"],
    ["labels.json", '["dog", "cat", "ant"]'],
    ["classes.json", '{"0": "dog", "1": "cat", "2": "ant"}'],
    ["classes.json", '{"cat": 1, "dog": 0, "ant": 2}'],
  ])("%s beside class folders: %j", async (name, content) => {
    expect(await read(folders, { [name]: content })).toEqual({ "dog/1.png": 0, "cat/1.png": 1, "ant/1.png": 2 });
  });

  it("of WordNet ids, for folders of ids", async () => {
    const data = await open(["n01443537/1.png", "n01440764/1.png"], {
      "LOC_synset_mapping.txt": "n01440764 tench, Tinca tinca\nn01443537 goldfish, Carassius auratus\n",
    });
    expect([data.classNames, data.synsets, [...data.labels("test")]]).toEqual([
      ["tench, Tinca tinca", "goldfish, Carassius auratus"],
      ["n01440764", "n01443537"],
      [0, 1],
    ]);
  });

  it("gives a label file its classes", async () => {
    const files = { "labels.csv": "file,label\n0.png,zebra\n1.png,ant\n2.png,zebra\n", "classes.txt": "zebra\nyak\nant\n" };
    expect(await read(abc, files)).toEqual({ "0.png": 0, "1.png": 2, "2.png": 0 });
  });

  it("refuses names that are there twice, and two lists that differ", async () => {
    await refused(folders, { "classes.txt": "cat\ndog\ncat\n" }, "DATASET_INVALID", /classes\.txt names the class "cat" twice/);
    await refused(
      folders,
      { "classes.txt": "cat\ndog\nant\n", "labels.txt": "ant\ncat\ndog\n" },
      "DATASET_INVALID",
      /classes\.txt and labels\.txt .* differently/,
    );
    await refused(
      abc,
      { "labels.csv": "image,A,A\n0.png,1,0\n1.png,0,1\n2.png,1,0\n" },
      "DATASET_INVALID",
      /labels\.csv names the class "A" twice/,
    );
  });
});
