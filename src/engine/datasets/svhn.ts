import path from "node:path";
import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { type DatasetSpec, defineDataset, file } from "../define/index.ts";
import { isDirectory } from "../io/files.ts";
import { fromBytes } from "../pixels.ts";
import { pixelIdentity } from "./identity.ts";
import { folderWith, listFolder, requiredPath } from "./locate.ts";
import { readMat } from "./mat.ts";
import { datasetOf, numbered, type SplitSource } from "./source.ts";

/** `X` uint8 [32,32,3,n], first index (row) fastest; `y` [n,1] with 10 for the digit 0. Held in memory: 225 MB for the training file. */
async function openSvhn(file: string): Promise<SplitSource> {
  const arrays = await readMat(file);
  const x = arrays.get("X");
  const y = arrays.get("y");
  const n = y?.shape.reduce((a, b) => a * b, 1) ?? 0;
  const [height, width, channels, count = 1] = x?.shape ?? [];
  const isAsExpected = height === 32 && width === 32 && channels === 3 && count === n;
  const columns = isAsExpected ? await x?.read() : undefined; // before the labels: it says how many there can be
  const labels = columns && (await y?.read());
  if (!labels || !(columns instanceof Uint8Array)) {
    throw new BulwarkError(
      "DATASET_INVALID",
      `${file} does not hold X [32,32,3,n] and y [n].`,
      "Use the cropped digits (format 2) of SVHN.",
    );
  }
  const size = 32 * 32 * 3;
  const imageAt = (index: number): Uint8Array => {
    const image = new Uint8Array(size);
    for (let h = 0; h < 32; h++)
      for (let w = 0; w < 32; w++)
        for (let c = 0; c < 3; c++) image[(h * 32 + w) * 3 + c] = columns[index * size + h + 32 * (w + 32 * c)] as number;
    return image;
  };
  const read = async (indices: ArrayLike<number>, out: Float32Array): Promise<void> => {
    for (let place = 0; place < indices.length; place++) fromBytes(imageAt(indices[place] as number), out, place * size);
  };
  const identify = async (indices: ArrayLike<number>) =>
    Array.from(indices, (index) => ({ id: pixelIdentity(imageAt(index), [32, 32, 3]) }));
  return { labels: Int32Array.from(labels, (label) => (label === 10 ? 0 : label)), read, identify, close: async () => undefined };
}

/** 73,257 + 26,032 house-number digits, 32×32 RGB: `train_32x32.mat` and `test_32x32.mat`. */
export const svhn: DatasetSpec = defineDataset({
  id: "svhn",
  title: "SVHN (cropped digits)",
  paper: "Netzer et al. 2011",
  params: Type.Object({ path: file("Folder of train_32x32.mat and test_32x32.mat, or one .mat file of test images.") }),
  async load({ path: given }) {
    const where = requiredPath("svhn", given);
    const single = where.endsWith(".mat") && !(await isDirectory(where));
    const folder = single ? path.dirname(where) : await folderWith(where, [], /^(train|test)_32x32\.mat$/, "svhn");
    const names = single ? [] : await listFolder(folder);
    const open = async (name: string) => (names.includes(name) ? await openSvhn(path.join(folder, name)) : undefined);
    const train = await open("train_32x32.mat");
    const test = single ? await openSvhn(where) : await open("test_32x32.mat");
    const splits = { ...(train ? { train } : {}), ...(test ? { test } : {}) };
    return datasetOf({ kind: "svhn", path: where, inputShape: [32, 32, 3], classNames: numbered(10), splits });
  },
});
