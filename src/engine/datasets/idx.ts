import { BulwarkError } from "../../shared/errors.ts";
import type { ImageIdentity } from "../define/index.ts";
import { fromBytes } from "../pixels.ts";
import { type ByteSource, cutOff, openBytes } from "./bytes.ts";
import { pixelIdentity } from "./identity.ts";
import { readRecords, type SplitSource } from "./source.ts";

/** A file of unsigned bytes in LeCun's IDX format: 00 00 08, the number of dimensions, each size as a big-endian uint32, data. */
export interface IdxFile {
  readonly source: ByteSource;
  readonly shape: readonly number[];
  /** Where the data begin. */
  readonly start: number;
}

/** @throws DATASET_INVALID for another magic number, another number of dimensions, or too few bytes. */
export async function openIdx(file: string, dimensions: number): Promise<IdxFile> {
  const start = 4 + 4 * dimensions;
  const shapeOf = (head: Buffer): number[] => Array.from({ length: dimensions }, (_, i) => head.readUInt32BE(4 * i));
  const isIdx = (magic: Uint8Array): boolean => magic[0] === 0 && magic[1] === 0 && magic[2] === 8 && magic[3] === dimensions;
  const announced = (head: Uint8Array): number =>
    isIdx(head) ? shapeOf(Buffer.from(head.subarray(4))).reduce((a, b) => a * b, 1) + start : start;
  const source = await openBytes(file, { head: start, announced });
  try {
    if (source.size < 4) throw cutOff(file, start, source.size);
    const magic = await source.read(0, 4);
    if (!isIdx(magic)) {
      const found = [...magic].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
      throw new BulwarkError(
        "DATASET_INVALID",
        `${file} is not an IDX file of bytes in ${dimensions} dimension${dimensions === 1 ? "" : "s"}: it starts with ${found}.`,
        "Check that images and labels are not swapped, and download it again.",
      );
    }
    if (source.size < start) throw cutOff(file, start, source.size);
    const shape = shapeOf(Buffer.from(await source.read(4, 4 * dimensions)));
    const expected = shape.reduce((a, b) => a * b, 1) + start;
    if (source.size < expected) throw cutOff(file, expected, source.size);
    return { source, shape, start };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Images [n,rows,columns] and labels [n] as one split of grayscale images. */
export async function openIdxSplit(
  imagesFile: string,
  labelsFile: string,
): Promise<SplitSource & { readonly size: readonly [number, number] }> {
  const labels = await openIdx(labelsFile, 1);
  const n = labels.shape[0] as number;
  const labelBytes = await labels.source.read(labels.start, n).finally(() => labels.source.close());
  const images = await openIdx(imagesFile, 3);
  const [count, height, width] = images.shape as [number, number, number];
  if (count !== n || height === 0 || width === 0) {
    await images.source.close();
    throw new BulwarkError(
      "DATASET_INVALID",
      `${imagesFile} holds ${count} images of ${height}×${width} but ${labelsFile} holds ${n} labels.`,
      "Download both files again.",
    );
  }
  const size = height * width;
  return {
    size: [height, width],
    labels: Int32Array.from(labelBytes),
    read: (indices, out) =>
      readRecords(images.source, { start: images.start, size }, indices, (record, place) => fromBytes(record, out, place * size)),
    async identify(indices) {
      const found: ImageIdentity[] = [];
      await readRecords(images.source, { start: images.start, size }, indices, (record) => {
        found.push({ id: pixelIdentity(record, [height, width, 1]) });
      });
      return found;
    },
    close: () => images.source.close(),
  };
}
