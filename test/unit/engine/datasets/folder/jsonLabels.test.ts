import { describe, expect, it } from "vitest";
import { classes, open } from "./open.ts";

const pictures = ["1.png", "2.png", "3.png"];
const colours = { "1.png": "red", "2.png": "green", "3.png": "blue" };
const entries = Object.entries(colours);
const read = async (content: unknown, name = "labels.json") =>
  classes(await open(pictures, { [name]: typeof content === "string" ? content : JSON.stringify(content) }));
const refused = async (content: unknown, message: RegExp, fix = /./) =>
  expect(read(content)).rejects.toMatchObject({
    code: "DATASET_INVALID",
    message: expect.stringMatching(message),
    fix: expect.stringMatching(fix),
  });

describe("shapes of JSON labels", () => {
  const lines = entries.map(([file, label]) => JSON.stringify({ file, label })).join("\n");
  it.each([
    ["a label for each file", colours],
    ["pairs", entries],
    ["pairs below headings", [["file", "label"], ...entries]],
    ["files for each label", { red: ["1.png"], green: ["2.png"], blue: ["3.png"] }],
    ["objects by file", Object.fromEntries(entries.map(([file, label]) => [file, { label, width: 4 }]))],
    ["lists of one label", Object.fromEntries(entries.map(([file, label]) => [file, [label]]))],
    ["lines", lines],
  ])("%s", async (_, json) => {
    expect(await read(json)).toEqual(colours);
  });

  it("lines in a file of that name, beside class folders too", async () => {
    expect(await read(lines, "labels.jsonl")).toEqual(colours);
    const files = { "labels.json": JSON.stringify({ a: ["x/1.png"], b: ["y/2.png"] }) };
    expect(await classes(await open(["x/1.png", "y/2.png"], files))).toEqual({ "x/1.png": "a", "y/2.png": "b" });
  });

  it("one-hot lists of numbers and of truth values", async () => {
    const indices = { "1.png": "0", "2.png": "1", "3.png": "2" };
    expect(await read({ "1.png": [1, 0, 0], "2.png": [0, 1, 0], "3.png": [0, 0, 1] })).toEqual(indices);
    expect(await read({ "1.png": [true, false, false], "2.png": [false, true, false], "3.png": [false, false, true] })).toEqual(indices);
    await refused({ "1.png": [0.9, 0.1] }, /gives 1\.png probabilities of classes \(0\.9, 0\.1\), and an image has one class/);
    await refused({ "1.png": [1, 1] }, /marks 2 classes for 1\.png/);
  });

  it("names the picture without a label, or with two", async () => {
    await refused({ ...colours, "2.png": null }, /^labels\.json gives 2\.png no label\.$/);
    await refused(
      [
        { file: "1.png", label: "red" },
        { file: "2.png", label: null },
      ],
      /^Entry 2 of labels\.json gives 2\.png no label\.$/,
    );
    await refused({ "1.png": ["red", "blue"] }, /gives 1\.png 2 labels/);
  });

  it("refuses a key that is there twice and means two things", async () => {
    await refused('{"1.png":"red","1.png":"blue","2.png":"green"}', /^labels\.json has "1\.png" twice, as "red" and "blue"\.$/);
    expect(await read('{"1.png":"red","1.png":"red","2.png":"green","3.png":"blue"}')).toEqual(colours);
    await expect(open(["cat/1.png"], { "classes.json": '{"0":"cat","0":"dog"}' })).rejects.toMatchObject({
      message: expect.stringMatching(/classes\.json has "0" twice/),
    });
  });

  it("calls COCO by its name, and says of other shapes which are read", async () => {
    await refused({ images: [{ id: 1, file_name: "1.png" }], annotations: [], categories: [] }, /is a COCO file/);
    for (const other of [7, { a: { b: { c: 1 } } }, { "1.png": { label: { name: "red" } } }, [1, 2]])
      await refused(other, /labels\.json/, /\{"image\.png": "class"\}|column/);
    await refused([], /empty list/);
  });
});

describe("one-hot columns", () => {
  it("of truth values", async () => {
    const rows = "file,red,green,blue\n1.png,True,False,False\n2.png,FALSE,TRUE,FALSE\n3.png,false,false,true\n";
    expect(await classes(await open(pictures, { "labels.csv": rows }))).toEqual(colours);
  });

  it("of probabilities are refused as what they are", async () => {
    const rows = "file,red,green,blue\n1.png,0.9,0.1,0.0\n2.png,0.1,0.8,0.1\n3.png,0,0,1\n";
    await expect(open(pictures, { "labels.csv": rows })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: "Line 2 of labels.csv gives 1.png probabilities of classes (0.9, 0.1, 0), and an image has one class.",
    });
  });
});

describe("two columns of labels", () => {
  it("are an error that names both and the choice", async () => {
    const rows = "file,label,ClassId\n1.png,red,2\n2.png,green,1\n3.png,blue,0\n";
    await expect(open(pictures, { "labels.csv": rows })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      fix: 'Choose "label" or "ClassId" with the parameter "labelColumn" of the data set, such as --dataset-set labelColumn=label.',
    });
    const twice = "file,label,label\n1.png,red,x\n2.png,green,y\n3.png,blue,z\n";
    await expect(open(pictures, { "labels.csv": twice }, { labelColumn: "label" })).rejects.toMatchObject({
      message: 'labels.csv has two columns "label".',
    });
  });
});
