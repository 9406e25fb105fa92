import { promises as fs } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { loadNetwork } from "../../../../src/engine/importers/index.ts";
import { linearNetwork } from "../fixtures.ts";
import { type ModelFiles, modelFiles } from "./modelFiles.ts";

let files: ModelFiles;
beforeAll(async () => {
  await useBackend("cpu");
  files = await modelFiles();
});
afterAll(() => fs.rm(files.folder, { recursive: true }));

type Beside = Readonly<Record<string, string | Uint8Array>>;

/** Names and notes of a network of three classes with files beside it. */
async function known(beside: Beside, contract: object = { input: {} }) {
  const directory = await files.write(linearNetwork([[1], [2], [3]], [1, 1, 1]), undefined, contract as { input: object });
  for (const [name, content] of Object.entries(beside)) await fs.writeFile(path.join(directory, name), content);
  const { network, classes, notes } = await loadNetwork(directory);
  network.dispose();
  return { names: classes?.names ?? null, notes };
}
const refused = (beside: Beside, message: RegExp, contract?: object) =>
  expect(known(beside, contract)).rejects.toMatchObject({
    code: "MODEL_INVALID",
    message: expect.stringMatching(message),
    fix: expect.any(String),
  });
const names = ["red", "green", "blue"];

describe("a class list beside a model", () => {
  it.each<[string, string, string | Uint8Array]>([
    ["numbered lines in any order", "labels.txt", "2 blue\n0 red\n1 green\n"],
    ["numbered from 1, in any order", "classes.txt", "3. blue\n1. red\n2. green\n"],
    ["numbers as text", "class_indices.json", '{"blue":"2","red":"0","green":"1"}'],
    ["numbers from 1", "class_indices.json", '{"red":1,"green":2,"blue":3}'],
    ["names by numbers from 1", "labels.json", '{"1":"red","2":"green","3":"blue"}'],
    ["old Macintosh lines", "labels.txt", "red\rgreen\rblue\r"],
    ["UTF-16 with its mark", "labels.txt", Buffer.from("\uFEFFred\ngreen\nblue\n", "utf16le")],
    ["ids of Transformers", "config.json", '{"id2label":{"0":"red","1":"green","2":"blue"}}'],
  ])("%s", async (_, name, content) => expect(await known({ [name]: content })).toEqual({ names, notes: [] }));

  it("in another encoding is refused, as one of a data set is", () =>
    refused({ "labels.txt": Buffer.from("r\u00e9d\ngreen\nblue\n", "latin1") }, /^labels\.txt is not UTF-8 text\.$/));

  it.each([
    ["labels.json", '{"0":"red"'],
    ["labels.json", '[{"id":0,"name":"red"}]'],
    ["class_indices.json", '{"red":0,"green":1.5,"blue":2}'],
    ["classes.txt", "a.png,red\nb.png,green\nc.png,blue"],
  ])("that is not understood is said: %s %s", async (name, content) =>
    expect(await known({ [name]: content })).toEqual({
      names: null,
      notes: [`${name} is not understood as a list of class names and is passed over`],
    }),
  );

  it("is not what labels pictures, and that is nothing to say", async () => {
    const quiet = { names: null, notes: [] };
    expect(await known({ "labels.txt": "a.png 0\nb.png 1\n" })).toEqual(quiet);
    expect(await known({ "labels.json": '{"a.png": "red", "b.png": "blue"}' })).toEqual(quiet);
    expect(await known({ "labels.txt": Buffer.from("\uFEFFa.png 0\nb.png 1\n", "utf16le") })).toEqual(quiet);
  });

  it("of a known maker that is broken, or not understood, is said; names that nobody gave are no names", async () => {
    expect((await known({ "config.json": "{" })).notes).toEqual(["config.json is not JSON and is passed over"]);
    expect((await known({ "config.json": '{"id2label":{"0":"red","2":"blue"}}' })).notes).toEqual([
      "the class names in id2label of config.json are not understood",
    ]);
    const placeholders = '{"id2label":{"0":"LABEL_0","1":"LABEL_1","2":"LABEL_2"}}';
    expect(await known({ "config.json": placeholders, "labels.txt": "red\ngreen\nblue" })).toEqual({ names, notes: [] });
  });
});

describe("two class lists", () => {
  const labels = "red\ngreen\nblue\n";

  it("that disagree are refused by their names, unless the contract names the classes", async () => {
    await refused(
      { "labels.txt": labels, "classes.txt": "blue\ngreen\nred\n" },
      /^labels\.txt and classes\.txt beside .* name the classes differently\.$/,
    );
    const config = '{"id2label":{"0":"blue","1":"green","2":"red"}}';
    await refused({ "labels.txt": labels, "config.json": config }, /^config\.json and labels\.txt beside /);
    const stated = { input: {}, output: { classes: ["a", "b", "c"] } };
    expect((await known({ "labels.txt": labels, "config.json": config }, stated)).names).toEqual(["a", "b", "c"]);
  });

  it("that agree but for case, further synonyms and how they are written are one", async () => {
    const index = '{"0": ["n01440764", "Red"], "1": ["n01443537", "Green"], "2": ["n01484850", "Blue"]}';
    expect((await known({ "labels.txt": "red, crimson\ngreen\nblue", "class_index.json": index })).names).toEqual([
      "red, crimson",
      "green",
      "blue",
    ]);
  });
});

describe("a contract", () => {
  it("whose labelOffset leaves no two classes is named as what is wrong", async () => {
    const output = (labelOffset: number) => ({ input: {}, output: { labelOffset } });
    for (const offset of [9, 3, 2])
      await refused(
        {},
        new RegExp(`^model\\.bulwark\\.json says that class 0 comes after ${offset} scores, but .* gives 3\\.$`),
        output(offset),
      );
    expect((await known({}, output(1))).names).toBeNull();
  });

  it("that says channels first of an image with its channels last is refused", async () => {
    const directory = await files.write(linearNetwork([[...Array(48).keys()], Array(48).fill(0)], [4, 4, 3]), undefined, {
      input: { layout: "nchw" },
    });
    await expect(loadNetwork(directory)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("takes images of 4×4×3"),
      fix: expect.stringContaining('"layout"'),
    });
  });
});

describe("a file of a model", () => {
  const small = () => linearNetwork([[1], [2]], [1, 1, 1]);

  it("that Git LFS has not fetched is called so", async () => {
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    for (const [name, message] of [
      ["weights.bin", /^weights\.bin of .*model\.json is a Git LFS pointer/],
      ["model.json", /model\.json is a Git LFS pointer/],
    ] as const) {
      const directory = await files.write(small());
      await fs.writeFile(path.join(directory, name), pointer);
      await expect(loadNetwork(directory)).rejects.toMatchObject({
        code: "MODEL_INVALID",
        message: expect.stringMatching(message),
        fix: expect.stringContaining("git lfs pull"),
      });
    }
  });

  it("in UTF-16 with its byte-order mark is read", async () => {
    const directory = await files.write(small());
    const file = path.join(directory, "model.json");
    const json = await fs.readFile(file, "utf8");
    for (const bytes of [Buffer.from(`\uFEFF${json}`, "utf16le"), Buffer.from(`\uFEFF${json}`, "utf16le").swap16()]) {
      await fs.writeFile(file, bytes);
      const { network } = await loadNetwork(directory);
      expect(network.outputs[0]?.shape).toEqual([null, 2]);
      network.dispose();
    }
  });
});
