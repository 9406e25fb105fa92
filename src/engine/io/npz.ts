import path from "node:path";
import { unzipSync, zipSync } from "fflate";
import { BulwarkError } from "../../shared/errors.ts";
import { readBytes, writeAtomic } from "./files.ts";
import { decodeNpy, encodeNpy, type NpyArray, type NpyRead } from "./npy.ts";

export type { NpyArray, NpyRead } from "./npy.ts";

/** Writes arrays as numpy's `.npz`: a zip of `.npy` files, compressed. The same arrays give the same bytes. */
export async function writeNpz(file: string, arrays: Readonly<Record<string, NpyArray>>): Promise<void> {
  const entries = Object.entries(arrays).map(([name, array]) => [`${name}.npy`, encodeNpy(array)] as const);
  await writeAtomic(file, zipSync(Object.fromEntries(entries), { level: 1, mtime: new Date(1980, 0, 1) }));
}

/** All arrays of a `.npz`, by name. The file is held in memory. @throws FILE_NOT_FOUND, DATASET_INVALID */
export async function readNpz(file: string): Promise<Record<string, NpyRead>> {
  const bytes = await readBytes(file);
  const name = path.basename(file);
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, { filter: (entry) => entry.name.endsWith(".npy") });
  } catch (error) {
    throw new BulwarkError("DATASET_INVALID", `${name} is damaged or is not a .npz file.`, "Save it again with numpy.savez.", {
      cause: error,
    });
  }
  return Object.fromEntries(
    Object.entries(entries).map(([entry, content]) => [entry.slice(0, -".npy".length), decodeNpy(content, `${entry} of ${name}`)]),
  );
}
