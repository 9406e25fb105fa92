import path from "node:path";
import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { choice, type DatasetSpec, defineDataset, file, type ImageIdentity } from "../define/index.ts";
import { isDirectory } from "../io/files.ts";
import { fromBytes } from "../pixels.ts";
import { type ByteSource, openBytes } from "./bytes.ts";
import { cifar10Classes, cifar100Coarse, cifar100Fine } from "./classNames.ts";
import { pixelIdentity } from "./identity.ts";
import { folderWith, listFolder, requiredPath } from "./locate.ts";
import { datasetOf, interleaved, readRecords, type SplitSource } from "./source.ts";

const pixels = 32 * 32 * 3;

/** Label bytes come first; `label` is the place of the one that counts. Pixels follow as planes R, G, B. */
interface RecordLayout {
  readonly labelBytes: number;
  readonly label: number;
}

/** Krizhevsky's binary batches, one after the other, as one split. Labels are read at once, pixels when they are wanted. */
async function openBatches(files: readonly string[], layout: RecordLayout): Promise<SplitSource> {
  const size = layout.labelBytes + pixels;
  const batches: { source: ByteSource; first: number; count: number }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(batches.map(({ source }) => source.close()));
  };
  try {
    let first = 0;
    for (const file of files) {
      const source = await openBytes(file);
      const count = source.size / size;
      batches.push({ source, first, count });
      if (!Number.isInteger(count)) throw notRecords(file, source.size, size);
      first += count;
    }
    const labels = new Int32Array(first);
    for (const { source, first: start, count } of batches) {
      const all = Array.from({ length: count }, (_, i) => i);
      await readRecords(source, { start: 0, size }, all, (record, i) => {
        labels[start + i] = record[layout.label] as number;
      });
    }
    /** The pixels [32,32,3] of each image with its place in `indices`, batch by batch. */
    const each = async (indices: ArrayLike<number>, take: (image: Uint8Array, place: number) => void): Promise<void> => {
      for (const { source, first: start, count } of batches) {
        const places = Array.from({ length: indices.length }, (_, i) => i).filter((i) => {
          const index = indices[i] as number;
          return index >= start && index < start + count;
        });
        const records = places.map((i) => (indices[i] as number) - start);
        await readRecords(source, { start: 0, size }, records, (record, i) =>
          take(interleaved(record.subarray(layout.labelBytes), 3), places[i] as number),
        );
      }
    };
    const identify = async (indices: ArrayLike<number>): Promise<ImageIdentity[]> => {
      const found = new Array<ImageIdentity>(indices.length);
      await each(indices, (image, place) => {
        found[place] = { id: pixelIdentity(image, [32, 32, 3]) };
      });
      return found;
    };
    return { labels, read: (indices, out) => each(indices, (image, place) => fromBytes(image, out, place * pixels)), identify, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const notRecords = (file: string, found: number, size: number): BulwarkError =>
  new BulwarkError(
    "DATASET_INVALID",
    `${file} is ${found} bytes long, which is no whole number of records of ${size} bytes.`,
    "Use the binary version of the data set, and download it again.",
  );

interface BatchFolder {
  readonly kind: string;
  readonly subfolder: string;
  readonly train: RegExp;
  readonly test: RegExp;
  readonly layout: RecordLayout;
  readonly classNames: readonly string[];
}
async function openBatchFolder(given: string, o: BatchFolder) {
  const where = requiredPath(o.kind, given);
  const single = /\.(bin|bin\.gz)$/.test(where) && !(await isDirectory(where)); // one file of records: the test images
  const either = new RegExp(`${o.train.source}|${o.test.source}`);
  const folder = single ? path.dirname(where) : await folderWith(where, [o.subfolder], either, o.kind);
  const names = single ? [] : await listFolder(folder);
  const files = (pattern: RegExp) => names.filter((name) => pattern.test(name)).map((name) => path.join(folder, name));
  const train = await openBatches(files(o.train), o.layout);
  const test = await openBatches(single ? [where] : files(o.test), o.layout).catch(async (error: unknown) => {
    await train.close();
    throw error;
  });
  return datasetOf({ kind: o.kind, path: where, inputShape: [32, 32, 3], classNames: o.classNames, splits: { train, test } });
}

/** The binary version: `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin`, 1 label byte and 3072 pixel bytes a record. */
export const cifar10: DatasetSpec = defineDataset({
  id: "cifar10",
  title: "CIFAR-10",
  paper: "Krizhevsky 2009",
  params: Type.Object({ path: file("Folder of the binary batches, or one .bin file of test records.") }),
  load: ({ path: where }) =>
    openBatchFolder(where, {
      kind: "cifar10",
      subfolder: "cifar-10-batches-bin",
      train: /^data_batch.*\.bin(\.gz)?$/,
      test: /^test_batch.*\.bin(\.gz)?$/,
      layout: { labelBytes: 1, label: 0 },
      classNames: cifar10Classes,
    }),
});

/** The binary version: `train.bin` and `test.bin`, a coarse and a fine label byte and 3072 pixel bytes a record. */
export const cifar100: DatasetSpec = defineDataset({
  id: "cifar100",
  title: "CIFAR-100",
  paper: "Krizhevsky 2009",
  params: Type.Object({
    path: file("Folder of train.bin and test.bin, or one .bin file of test records."),
    labels: choice(["fine", "coarse"], "fine", "100 fine classes or 20 coarse ones."),
  }),
  load: ({ path: where, labels }) =>
    openBatchFolder(where, {
      kind: "cifar100",
      subfolder: "cifar-100-binary",
      train: /^train.*\.bin(\.gz)?$/,
      test: /^test.*\.bin(\.gz)?$/,
      layout: { labelBytes: 2, label: labels === "fine" ? 1 : 0 },
      classNames: labels === "fine" ? cifar100Fine : cifar100Coarse,
    }),
});
