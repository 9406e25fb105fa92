import { promises as fs } from "node:fs";
import path from "node:path";
import { crc32, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { arrays } from "../../../../src/engine/datasets/arrays.ts";
import { cifar10 } from "../../../../src/engine/datasets/cifar.ts";
import { mnist } from "../../../../src/engine/datasets/mnist.ts";
import { svhn } from "../../../../src/engine/datasets/svhn.ts";
import { openNpz, readNpz } from "../../../../src/engine/io/npz.ts";
import { idx } from "./files.ts";
import { closeAll, load, temporaryFolder, write } from "./helpers.ts";

/** Unpacked, each bomb has so many zeros: a process that unpacks one all the same is seen by its memory. */
const large = 64_000_000;
const zeros = Buffer.alloc(large);
const mostMemory = 32_000_000;

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterEach(closeAll);

/** Runs `body`; what it holds outside the heap, where unpacked bytes lie, stays small at every moment that it waits. */
async function within(body: () => Promise<unknown>): Promise<void> {
  let most = 0;
  const start = process.memoryUsage().arrayBuffers;
  const look = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - start);
  }, 1);
  try {
    await body();
  } finally {
    clearInterval(look);
  }
  expect(Math.max(most, process.memoryUsage().arrayBuffers - start)).toBeLessThan(mostMemory);
}

const npy = (descr: string, shape: string): Buffer => {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
  return Buffer.concat([Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, 118, 0]), Buffer.from(`${text}\n`, "latin1")]);
};

/** A zip of compressed entries. */
function zip(entries: Readonly<Record<string, readonly Buffer[]>>): Buffer {
  const [files, directory]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const [name, parts] of Object.entries(entries)) {
    const content = Buffer.concat(parts);
    const data = deflateRawSync(content, { level: 1 });
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    files.push(Buffer.from("PK\x03\x04", "latin1"), fields, Buffer.from(name), data);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(Buffer.from("PK\x01\x02\x14\0", "latin1"), fields.subarray(0, 26), place, Buffer.from(name));
    at += 30 + name.length + data.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(Object.keys(entries).length, 8);
  end.writeUInt16LE(Object.keys(entries).length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...files, central, end]);
}

describe("a file that unpacks to more than is wanted", () => {
  const two = {
    "images.npy": [npy("|u1", "(2, 28, 28, 1)"), Buffer.alloc(1568, 7)],
    "labels.npy": [npy("|u1", "(2,)"), Buffer.from([1, 2])],
  };

  it("has arrays that nobody asks for: they stay packed", async () => {
    const file = path.join(root, "unused.npz");
    await fs.writeFile(file, zip({ ...two, "other.npy": [npy("|u1", `(${large},)`), zeros] }));
    await within(async () => {
      const data = await load(arrays, { path: file });
      expect(data.size("test")).toBe(2);
      expect(Object.keys(await readNpz(file, ["labels"]))).toEqual(["labels"]);
      const npz = await openNpz(file);
      expect(npz.arrays.get("other")?.shape).toEqual([large]);
      await npz.close();
    });
  });

  it("has more images than labels", async () => {
    const file = path.join(root, "many.npz");
    const n = Math.floor(large / 784);
    await fs.writeFile(file, zip({ ...two, "images.npy": [npy("|u1", `(${n}, 28, 28, 1)`), zeros.subarray(0, n * 784)] }));
    await within(() =>
      expect(load(arrays, { path: file })).rejects.toMatchObject({ message: expect.stringContaining(`${n} images but 2 labels`) }),
    );
  });

  it("has labels that are no classes", async () => {
    const file = path.join(root, "label.npz");
    await fs.writeFile(file, zip({ ...two, "labels.npy": [npy("<i4", "(2,)"), Buffer.from(Int32Array.of(2_000_000_000, 0).buffer)] }));
    await expect(load(arrays, { path: file })).rejects.toMatchObject({ code: "LABEL_RANGE" });
  });

  it("is an IDX file with bytes behind what it announces: they stay packed", async () => {
    const packed = gzipSync(Buffer.concat([idx([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]), zeros]), { level: 1 });
    await write(root, { "idx/t10k-images-idx3-ubyte.gz": packed, "idx/t10k-labels-idx1-ubyte": idx([2], [1, 2]) });
    await within(async () => {
      const data = await load(mnist, { path: path.join(root, "idx") });
      expect([...(await data.read("test", [1])).images].map((value) => Math.round(value * 255))).toEqual([5, 6, 7, 8]);
    });
  });

  it("is a gzipped file whose end is damaged: that is noticed where it is read to its end", async () => {
    const packed = gzipSync(idx([1, 2, 2], [1, 2, 3, 4]));
    packed[packed.length - 8] = (packed.at(-8) as number) ^ 1; // the checksum
    await write(root, { "sum/t10k-images-idx3-ubyte.gz": packed, "sum/t10k-labels-idx1-ubyte": idx([1], [1]) });
    await expect(load(mnist, { path: path.join(root, "sum") })).rejects.toMatchObject({
      code: "DATASET_INVALID",
      message: expect.stringContaining("damaged or incomplete gzip"),
    });
  });

  it("announces more than is ever kept in memory", async () => {
    const head = Buffer.from(idx([1_400_000, 28, 28], []));
    await write(root, { "huge/t10k-images-idx3-ubyte.gz": gzipSync(head), "huge/t10k-labels-idx1-ubyte": idx([1], [1]) });
    await expect(load(mnist, { path: path.join(root, "huge") })).rejects.toMatchObject({
      message: expect.stringContaining("more than 1 GB"),
    });
  });

  it("is read as before where it is gzipped records", async () => {
    const records = Buffer.alloc(2 * 3073, 9);
    await write(root, { "cifar/test_batch.bin": gzipSync(records), "cifar/data_batch_1.bin": records });
    const data = await load(cifar10, { path: path.join(root, "cifar") });
    expect([data.size("train"), data.size("test")]).toEqual([2, 2]);
  });

  it("is a MATLAB file with arrays that nobody asks for, or with another number of labels", async () => {
    const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
    const head = (name: string, shape: readonly number[], length: number): Buffer =>
      Buffer.from([
        ...[...word(6), ...word(8), ...word(9), ...word(0)],
        ...[...word(5), ...word(4 * shape.length), ...shape.flatMap(word), ...(shape.length % 2 ? word(0) : [])],
        ...[1, 0, 1, 0, name.charCodeAt(0), 0, 0, 0],
        ...[...word(2), ...word(length)],
      ]);
    const packed = (name: string, shape: readonly number[], content: Buffer): Buffer => {
      const body = Buffer.concat([head(name, shape, content.length), content]);
      const data = deflateSync(Buffer.concat([Buffer.from([...word(14), ...word(body.length)]), body]), { level: 1 });
      return Buffer.concat([Buffer.from([...word(15), ...word(data.length)]), data]);
    };
    const start = Buffer.from([...Buffer.from("MATLAB 5.0 MAT-file".padEnd(124)), 0, 1, 0x49, 0x4d]);
    const n = Math.floor(large / 3072 / 8) * 8;
    const images = packed("X", [32, 32, 3, 8], Buffer.alloc(8 * 3072, 3));
    const labels = packed("y", [8, 1], Buffer.alloc(8, 1));
    await write(root, {
      "more.mat": Buffer.concat([start, packed("Z", [large / 8, 8], zeros), images, labels]),
      "unequal.mat": Buffer.concat([start, packed("X", [32, 32, 3, n], zeros.subarray(0, n * 3072)), labels]),
    });
    await within(async () => {
      expect((await load(svhn, { path: path.join(root, "more.mat") })).size("test")).toBe(8);
      await expect(load(svhn, { path: path.join(root, "unequal.mat") })).rejects.toMatchObject({ code: "DATASET_INVALID" });
    });
  });
});
