import { promises as fs } from "node:fs";
import path from "node:path";
import { deflateSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { readMat } from "../../../../src/engine/datasets/mat.ts";
import { svhn } from "../../../../src/engine/datasets/svhn.ts";
import { element, header, int32, matrix } from "./files.ts";
import { bytesOf, closeAll, load, temporaryFolder, write } from "./helpers.ts";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterEach(closeAll);

// Written by scipy.io.savemat(do_compression=True): X[h,w,c,n] = (7h + 3w + 50c + 100n) mod 256 as uint8 [32,32,3,3], y = 10, 3, 7.
const fixture = path.resolve("test/unit/engine/datasets/fixtures/svhn-compressed.mat");

describe("MATLAB files", () => {
  it("reads plain, small and compressed elements of every number type", async () => {
    const file = path.join(root, "types.mat");
    const small = [1, 0, 2, 0, 10, 250, 0, 0]; // two int8 in a tag of their own: 10, −6
    const inTag = element(14, [...element(6, int32(9, 0)), ...element(5, int32(1, 2)), 1, 0, 1, 0, 0x73, 0, 0, 0, ...small]);
    const compressed = [...deflateSync(Uint8Array.from(matrix("z", [1, 1], 9, [0, 0, 0, 0, 0, 0, 0xe0, 0x3f])))];
    const body = [...matrix("words", [2, 1], 4, [1, 2, 255, 255]), ...inTag, ...int32(15, compressed.length), ...compressed];
    await fs.writeFile(file, Uint8Array.from([...header, ...body, ...matrix("last", [1, 3], 2, [7, 8, 9])]));
    const arrays = await readMat(file);
    expect([...arrays.keys()]).toEqual(["words", "s", "z", "last"]);
    expect([...((await arrays.get("words")?.read()) ?? [])]).toEqual([513, 65535]);
    expect([...((await arrays.get("s")?.read()) ?? [])]).toEqual([10, -6]);
    expect([...((await arrays.get("z")?.read()) ?? [])]).toEqual([0.5]);
    expect(arrays.get("last")?.shape).toEqual([1, 3]);
    expect(await arrays.get("last")?.read()).toEqual(Uint8Array.of(7, 8, 9));
  });

  it("meets every truncation with its own error, or with fewer arrays", async () => {
    const whole = await fs.readFile(fixture);
    const file = path.join(root, "cut.mat");
    for (let length = 0; length < whole.length; length += 41) {
      await fs.writeFile(file, whole.subarray(0, length));
      await expect(load(svhn, { path: file })).rejects.toMatchObject({ code: "DATASET_INVALID" });
    }
  });
});

describe("SVHN", () => {
  it("reads the cropped digits: row index fastest, label 10 is the digit 0", async () => {
    await fs.copyFile(fixture, path.join(root, "test_32x32.mat"));
    const data = await load(svhn, { path: root });
    expect([data.size("train"), data.size("test"), data.inputShape]).toEqual([0, 3, [32, 32, 3]]);
    const { images, labels } = await data.read("test", [0, 2, 1]);
    expect([...labels]).toEqual([0, 7, 3]);
    const bytes = bytesOf(images);
    const at = (place: number, h: number, w: number, c: number) => bytes[((place * 32 + h) * 32 + w) * 3 + c];
    for (const [place, n] of [0, 2, 1].entries())
      for (const [h, w, c] of [
        [0, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
        [31, 17, 2],
      ] as const)
        expect(at(place, h, w, c)).toBe((7 * h + 3 * w + 50 * c + 100 * n) % 256);
  });

  it("refuses other files", async () => {
    await write(root, { "other.mat": Uint8Array.from([...header, ...matrix("X", [1, 1], 2, [1])]), "text.mat": "hello" });
    await expect(load(svhn, { path: path.join(root, "other.mat") })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(/does not hold X/),
    });
    await expect(load(svhn, { path: path.join(root, "text.mat") })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringMatching(/version 5/),
    });
    await expect(load(svhn, { path: path.join(root, "none") })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});
