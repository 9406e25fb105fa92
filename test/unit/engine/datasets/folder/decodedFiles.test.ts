import { promises as fs } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { DecodedFiles } from "../../../../../src/engine/datasets/folder/decodedFiles.ts";
import { imageFolder } from "../../../../../src/engine/datasets/imageFolder.ts";
import { bytesOf, load, temporaryFolder, write } from "../helpers.ts";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
const file = (name: string): string => path.join(root, name);
/** What decoding stands for here: the file's bytes, and how often they were asked for. */
function reader(budget: { bytes: number; held: number }) {
  const decoded = new DecodedFiles(budget);
  const asked: string[] = [];
  const read = async (name: string): Promise<number[]> => [
    ...(await decoded.pixels(file(name), async () => {
      asked.push(name);
      return new Uint8Array(await fs.readFile(file(name)));
    })),
  ];
  return { decoded, asked, read };
}

describe("decoded pictures", () => {
  it("are decoded once, and again when the file has changed", async () => {
    await write(root, { a: Uint8Array.of(1, 2, 3), b: Uint8Array.of(4) });
    const budget = { bytes: 100, held: 0 };
    const { asked, read, decoded } = reader(budget);
    for (let epoch = 0; epoch < 3; epoch++) expect([await read("a"), await read("b")]).toEqual([[1, 2, 3], [4]]);
    expect([asked, budget.held]).toEqual([["a", "b"], 4]);
    await write(root, { b: Uint8Array.of(5, 6) });
    expect([await read("b"), await read("b"), await read("a")]).toEqual([
      [5, 6],
      [5, 6],
      [1, 2, 3],
    ]);
    expect([asked, budget.held]).toEqual([["a", "b", "b"], 5]);
    decoded.close();
    expect([await read("a"), budget.held]).toEqual([[1, 2, 3], 0]);
  });

  it("take no more than their share, of all data sets together", async () => {
    await write(root, { c: Uint8Array.of(1, 2), d: Uint8Array.of(3, 4), e: Uint8Array.of(5) });
    const budget = { bytes: 3, held: 0 };
    const [one, other] = [reader(budget), reader(budget)];
    for (let epoch = 0; epoch < 2; epoch++) {
      expect(await one.read("c")).toEqual([1, 2]);
      expect(await other.read("d")).toEqual([3, 4]);
      expect(await other.read("e")).toEqual([5]);
    }
    expect([one.asked, other.asked, budget.held]).toEqual([["c"], ["d", "e", "d"], 3]);
    one.decoded.close();
    expect(await other.read("d")).toEqual([3, 4]);
    expect(budget.held).toBe(3);
  });

  it("two reads of a file at once keep it once", async () => {
    await write(root, { f: Uint8Array.of(7) });
    const budget = { bytes: 100, held: 0 };
    const { read } = reader(budget);
    expect(await Promise.all([read("f"), read("f")])).toEqual([[7], [7]]);
    expect(budget.held).toBe(1);
  });
});

it("a picture that changes, breaks or goes during a run is seen as it is", async () => {
  const png = (value: number): Promise<Buffer> =>
    sharp(Uint8Array.of(value), { raw: { width: 1, height: 1, channels: 1 } })
      .toColourspace("b-w")
      .png()
      .toBuffer();
  const folder = file("pictures");
  await write(folder, { "x/1.png": await png(10), "y/2.png": await png(20) });
  const data = await load(imageFolder, { path: folder, channels: "gray" });
  const values = async () => bytesOf((await data.read("test", [0, 1])).images);
  expect([await values(), await values()]).toEqual([
    [10, 20],
    [10, 20],
  ]);
  await write(folder, { "x/1.png": await png(11) });
  expect(await values()).toEqual([11, 20]);
  await write(folder, { "x/1.png": "no picture" });
  await expect(values()).rejects.toMatchObject({ code: "IMAGE_INVALID" });
  await fs.rm(path.join(folder, "x/1.png"));
  await expect(values()).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  await data.close();
});
