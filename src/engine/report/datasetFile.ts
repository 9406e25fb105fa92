import { createHash } from "node:crypto";
import path from "node:path";
import { setImmediate } from "node:timers/promises";
import type { RunDataset } from "../../shared/runShapes.ts";
import { runFiles } from "../../shared/runs.ts";
import { floatIdentity, numberedIds } from "../datasets/identity.ts";
import type { EvaluationImages, ImageIdentity, SkippedFile, Split } from "../define/index.ts";
import { writeAtomic } from "../io/files.ts";

/** Where the images of a run come from. */
export interface ImageOrigin {
  /** `kind:path` of the data set as it was asked for, or "pictures". */
  readonly source: string;
  /** null for pictures that were named one by one. */
  readonly split: Split | null;
}

/** Of a data set, as `kind` or `kind:path`, or of pictures that were named. */
export const originOf = ({ dataset, split }: { readonly dataset: string | null; readonly split: Split }): ImageOrigin =>
  dataset === null ? { source: "pictures", split: null } : { source: dataset, split };

/** `dataset.json` of a run folder (contract.md §8). */
export interface DatasetDocument extends ImageOrigin {
  readonly version: 1;
  readonly n: number;
  /** SHA-256 over the ids in their order, nothing between them. */
  readonly digest: string;
  /** In the order of the run's image indices; a second equal image has "#2" behind its id. */
  readonly ids: readonly string[];
  /** Relative to the data set, for images in files of their own. */
  readonly files?: readonly string[];
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
  /** Files that were left out: no pictures, or in formats that cannot be read. */
  readonly skipped: readonly string[];
  /** What was decided about the data that the reader may want to know; absent where there is nothing. */
  readonly notes?: readonly string[];
  /** Indices of equal images, a list for each image that is there more than once. */
  readonly duplicates: readonly (readonly number[])[];
}

/** What a data set says of itself. */
export interface LeftOut {
  readonly notes?: readonly string[];
  readonly skipped?: readonly SkippedFile[];
}

/** Images at once, and how many pixel values they may hold together: some milliseconds of hashing. */
const [most, values] = [100, 1_000_000];

/** What images [start, end) are. Some at a time, and between them other work of the process has its turn. */
export async function identitiesOf(images: EvaluationImages, start: number, end: number): Promise<ImageIdentity[]> {
  const found: ImageIdentity[] = [];
  const [height, width, channels] = images.inputShape;
  const step = Math.max(1, Math.min(most, Math.floor(values / (height * width * channels))));
  for (let from = start; from < end; from += step) {
    const to = Math.min(end, from + step);
    found.push(...((await images.identify?.(from, to)) ?? (await identitiesOfPixels(images, from, to))));
    await setImmediate();
  }
  return found;
}

async function identitiesOfPixels(images: EvaluationImages, start: number, end: number): Promise<ImageIdentity[]> {
  const { images: pixels, n } = await images.read(start, end);
  const size = pixels.length / n;
  return Array.from({ length: n }, (_, i) => ({ id: floatIdentity(pixels.subarray(i * size, (i + 1) * size), images.inputShape) }));
}

/** What `dataset.json` says of images, in their order. */
export function datasetDocument(
  images: readonly ImageIdentity[],
  { source, split, labels, classNames, notes = [], skipped = [] }: ImageOrigin & Pick<DatasetDocument, "labels" | "classNames"> & LeftOut,
): DatasetDocument {
  const plain = images.map(({ id }) => id);
  const ids = numberedIds(plain);
  const files = images.flatMap(({ file }) => file ?? []);
  const digest = createHash("sha256");
  for (const id of ids) digest.update(id);
  return {
    version: 1,
    source,
    split,
    n: images.length,
    digest: digest.digest("hex"),
    ids,
    ...(files.length === images.length && files.length > 0 ? { files } : {}),
    labels,
    classNames,
    skipped: skipped.map(({ file }) => file),
    ...(notes.length > 0 ? { notes } : {}),
    duplicates: equalOnes(plain),
  };
}

function equalOnes(ids: readonly string[]): number[][] {
  const places = new Map<string, number[]>();
  ids.forEach((id, index) => {
    const known = places.get(id);
    if (known) known.push(index);
    else places.set(id, [index]);
  });
  return [...places.values()].filter((indices) => indices.length > 1);
}

/** Writes `dataset.json`. @throws DISK_FULL, NOT_WRITABLE */
export const writeDataset = (directory: string, document: DatasetDocument | RunDataset): Promise<void> =>
  writeAtomic(path.join(directory, runFiles.dataset), `${JSON.stringify(document)}\n`);
