import { BulwarkError } from "../../shared/errors.ts";
import type { Box, Dataset, ImageIdentity, SkippedFile, Split } from "../define/index.ts";
import type { ByteSource } from "./bytes.ts";
import { isClassSorted } from "./order.ts";

/** One split: labels in memory, pixels read when they are wanted. */
export interface SplitSource {
  readonly labels: Int32Array;
  /** Writes the images [indices.length,H,W,C] in [0,1] into `out`. */
  read(indices: ArrayLike<number>, out: Float32Array): Promise<void>;
  identify(indices: ArrayLike<number>): Promise<readonly ImageIdentity[]>;
  /** Absolute path of an image that is a file of its own. */
  fileOf?(index: number): string | undefined;
  boxes?(index: number): readonly Box[];
  close(): Promise<void>;
}

export interface SourceParts {
  readonly kind: string;
  readonly path: string;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly classNames: readonly string[];
  readonly splits: Readonly<Partial<Record<Split, SplitSource>>>;
  readonly synsets?: readonly string[];
  readonly hasNumberedFolders?: boolean;
  readonly notes?: readonly string[];
  readonly skipped?: readonly SkippedFile[];
  /** Number of the first class in labels that count from another than 0. */
  readonly firstLabel?: number;
  /** The images lie class by class or in an order of somebody's making; the labels tell where this is left out. */
  readonly isGrouped?: boolean;
}

/** Labels that count from `firstLabel`, counted from 0. @throws LABEL_RANGE for a label below it, or where classes have names */
function fromZero(parts: SourceParts): SourceParts {
  const { firstLabel = 0, classNames, splits, path } = parts;
  if (firstLabel === 0) return parts;
  if (classNames.some((name, i) => name !== String(i)))
    throw new BulwarkError(
      "LABEL_RANGE",
      `The classes of ${path} have names, so that there is no first number.`,
      'Leave "firstLabel" out.',
    );
  for (const { labels } of Object.values(splits))
    if (labels.some((label) => label < firstLabel))
      throw new BulwarkError(
        "LABEL_RANGE",
        `${path} has the label ${labels.find((label) => label < firstLabel)}, below "firstLabel", which is ${firstLabel}.`,
        'Correct the label or "firstLabel".',
      );
  const shifted = Object.entries(splits).map(([name, split]) => [
    name,
    { ...split, labels: split.labels.map((label) => label - firstLabel) },
  ]);
  return { ...parts, classNames: numbered(Math.max(0, classNames.length - firstLabel)), splits: Object.fromEntries(shifted) };
}

/**
 * A data set of its splits, all labels checked.
 * @throws LABEL_RANGE for a label outside the classes, DATASET_EMPTY when there is no image at all.
 */
export async function datasetOf(given: SourceParts): Promise<Dataset> {
  const parts = fromZero(given);
  const { inputShape, classNames, splits } = parts;
  const close = async (): Promise<void> => {
    await Promise.all(Object.values(splits).map((split) => split.close()));
  };
  try {
    for (const [name, split] of Object.entries(splits)) checkLabels(split.labels, classNames.length, `${parts.path} (${name})`);
    if (Object.values(splits).every((split) => split.labels.length === 0)) {
      throw new BulwarkError("DATASET_EMPTY", `The ${parts.kind} data set in ${parts.path} has no images.`, "Check the path.");
    }
  } catch (error) {
    await close();
    throw error;
  }
  const pixels = inputShape[0] * inputShape[1] * inputShape[2];
  const labelsOf = (split: Split): Int32Array => splits[split]?.labels ?? new Int32Array();
  return {
    inputShape,
    classNames,
    ...(parts.synsets ? { synsets: parts.synsets } : {}),
    hasNumberedFolders: parts.hasNumberedFolders ?? false,
    notes: parts.notes ?? [],
    skipped: parts.skipped ?? [],
    size: (split) => labelsOf(split).length,
    labels: labelsOf,
    isGrouped: (split) => parts.isGrouped ?? isClassSorted(labelsOf(split)),
    async read(split, indices) {
      const source = splits[split];
      const labels = new Int32Array(indices.length);
      for (let i = 0; i < indices.length; i++) {
        const label = source?.labels[indices[i] as number];
        if (label === undefined) throw new RangeError(`${parts.kind} has no ${split} image ${indices[i]}`);
        labels[i] = label;
      }
      const images = new Float32Array(indices.length * pixels);
      await source?.read(indices, images);
      return { images, labels, n: indices.length };
    },
    identify: async (split, indices) => (await splits[split]?.identify(indices)) ?? [],
    fileOf: (split, index) => splits[split]?.fileOf?.(index),
    boxes: (split, index) => splits[split]?.boxes?.(index) ?? [],
    close,
  };
}

export function checkLabels(labels: Int32Array, classes: number, where: string): void {
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong < 0) return;
  throw new BulwarkError(
    "LABEL_RANGE",
    `Image ${wrong} of ${where} has label ${labels[wrong]}, outside the ${classes} classes 0…${classes - 1}.`,
    "Correct the labels, or name all classes.",
  );
}

/** Names "0", "1", … where a data set has none. */
export const numbered = (classes: number): string[] => Array.from({ length: classes }, (_, i) => String(i));

/**
 * Reads records of one size. Runs of consecutive indices are read at once, at most `chunk` bytes.
 * @param each is given the bytes of the record and its place in `indices`.
 */
export async function readRecords(
  source: ByteSource,
  layout: { readonly start: number; readonly size: number },
  indices: ArrayLike<number>,
  each: (record: Uint8Array, place: number) => void,
  chunk = 1 << 22,
): Promise<void> {
  const { start, size } = layout;
  for (let from = 0; from < indices.length; ) {
    const first = indices[from] as number;
    let to = from + 1;
    while (to < indices.length && indices[to] === first + to - from && (to - from + 1) * size <= chunk) to++;
    const bytes = await source.read(start + first * size, (to - from) * size);
    for (let i = from; i < to; i++) each(bytes.subarray((i - from) * size, (i - from + 1) * size), i);
    from = to;
  }
}

/** Byte planes [C,H,W] → [H,W,C]. */
export function interleaved(planes: Uint8Array, channels: number): Uint8Array {
  const area = planes.length / channels;
  const pixels = new Uint8Array(planes.length);
  for (let c = 0; c < channels; c++) for (let i = 0; i < area; i++) pixels[i * channels + c] = planes[c * area + i] as number;
  return pixels;
}
