import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { cifar10, cifar100 } from "../../../../src/engine/datasets/cifar.ts";
import { bytesOf, closeAll, load, temporaryFolder, write } from "./helpers.ts";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterEach(closeAll);

/** Label bytes, then 1024 red, 1024 green, 1024 blue; pixel i of channel c is (i + 50 c + 7 seed) mod 256. */
const record = (labels: readonly number[], seed: number): number[] => [
  ...labels,
  ...Array.from({ length: 3072 }, (_, k) => ((k % 1024) + 50 * Math.floor(k / 1024) + 7 * seed) % 256),
];
const records = (...list: readonly number[][]): Uint8Array => Uint8Array.from(list.flat());
const pixel = (images: number[], image: number, i: number): number[] => images.slice((image * 1024 + i) * 3, (image * 1024 + i) * 3 + 3);

describe("CIFAR", () => {
  it("reads batches in order, by index across files, planes turned into pixels", async () => {
    const folder = path.join(root, "cifar-10-batches-bin");
    await write(folder, {
      "data_batch_1.bin": records(record([3], 0), record([8], 1)),
      "data_batch_2.bin.gz": gzipSync(records(record([0], 2))),
      "test_batch.bin": records(record([9], 3)),
      "batches.meta.txt": "airplane\n",
    });
    const data = await load(cifar10, { path: root });
    expect([data.size("train"), data.size("test"), data.inputShape]).toEqual([3, 1, [32, 32, 3]]);
    const { images, labels } = await data.read("train", [2, 0, 1]);
    expect([...labels]).toEqual([0, 3, 8]);
    const bytes = bytesOf(images);
    expect(pixel(bytes, 0, 0)).toEqual([14, 64, 114]);
    expect(pixel(bytes, 1, 5)).toEqual([5, 55, 105]);
    expect(pixel(bytes, 2, 1023)).toEqual([(1023 + 7) % 256, (1023 + 57) % 256, (1023 + 107) % 256]);
    expect(data.classNames[9]).toBe("truck");
    const one = await load(cifar10, { path: path.join(folder, "test_batch.bin") });
    expect([one.size("train"), one.size("test")]).toEqual([0, 1]);
  });

  it("has fine and coarse labels in CIFAR-100", async () => {
    await write(path.join(root, "c100"), { "test.bin": records(record([19, 99], 0), record([0, 4], 1)) });
    const fine = await load(cifar100, { path: path.join(root, "c100") });
    expect([...(await fine.read("test", [0, 1])).labels].map((label) => fine.classNames[label])).toEqual(["worm", "beaver"]);
    const coarse = await load(cifar100, { path: path.join(root, "c100"), labels: "coarse" });
    expect([...(await coarse.read("test", [0, 1])).labels].map((label) => coarse.classNames[label])).toEqual([
      "vehicles_2",
      "aquatic_mammals",
    ]);
    expect([fine.classNames.length, new Set(fine.classNames).size, coarse.classNames.length]).toEqual([100, 100, 20]);
    expect(bytesOf((await fine.read("test", [1])).images).slice(0, 3)).toEqual([7, 57, 107]);
  });

  it("refuses records of the wrong size, labels outside the classes, empty files and missing ones", async () => {
    const attempt = async (name: string, bytes: Uint8Array, code: string, pattern: RegExp) => {
      await write(path.join(root, name), { "test_batch.bin": bytes });
      await expect(load(cifar10, { path: path.join(root, name) })).rejects.toMatchObject({ code, message: expect.stringMatching(pattern) });
    };
    await attempt("short", records(record([1], 0)).subarray(0, 3000), "DATASET_INVALID", /3000 bytes long.*3073/);
    await attempt("label", records(record([1], 0), record([10], 0)), "LABEL_RANGE", /Image 1 .*label 10/);
    await attempt("empty", new Uint8Array(), "DATASET_EMPTY", /no images/);
    await write(path.join(root, "python"), { data_batch_1: "pickle" });
    await expect(load(cifar10, { path: path.join(root, "python") })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(load(cifar10, { path: path.join(root, "none.bin") })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});
