import { createReadStream, createWriteStream, promises as fs } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { BulwarkError } from "../../../shared/errors.ts";
import { openFile } from "../../io/files.ts";
import { readZip, ZipCompression, ZipDamaged, type ZipEntry } from "../../io/unzip.ts";
import { type Config, invalidModel } from "../topology/graph.ts";
import type { Hdf5Source } from "./hdf5/file.ts";
import { parsedObject } from "./json.ts";

/** Largest number of entries, largest sizes in bytes, and largest ratios of unpacked to packed size. */
const limits = { entries: 1_000, config: 64 << 20, configRatio: 200, weights: 2 ** 32, weightsRatio: 20 } as const;
const weightsName = "model.weights.h5";

/** A `.keras` archive: the model's configuration, and where its weights are. */
export interface KerasArchive {
  readonly model: Config;
  /** Version of Keras that saved it. */
  readonly version: string | undefined;
  readonly weights: Hdf5Source;
  /** Closes, and removes, what was opened for the weights. */
  close(): Promise<void>;
}

/**
 * Opens an archive. Keras stores weights uncompressed; these are read in place. Compressed ones are unpacked into a temporary folder.
 * @throws MODEL_INVALID, MODEL_UNSAFE, MODEL_UNSUPPORTED, MODEL_TOO_LARGE
 */
export async function openArchive(handle: FileHandle, file: string): Promise<KerasArchive> {
  try {
    const entries = checkedEntries(await readZip(handle), file);
    const config = entries.get("config.json");
    if (!config) throw invalidModel(file, "is an archive without a Keras model", 'Save the model from Keras: model.save("model.keras").');
    const metadata = entries.get("metadata.json");
    const model = await jsonOf(config, file);
    const { keras_version: version } = metadata ? await jsonOf(metadata, file) : {};
    const weights = entries.get(weightsName);
    if (!weights) throw noWeights(entries, file);
    const opened = await weightsSource(handle, weights, file);
    return { model, version: typeof version === "string" ? version : undefined, ...opened };
  } catch (error) {
    if (error instanceof ZipCompression)
      throw unsupported(`${file} is compressed by ${error.message}, which is not read.`, "Use the file as Keras saved it.");
    if (error instanceof ZipDamaged) throw invalidModel(file, `is cut off or damaged: ${error.message}`, "Copy or save the model again.");
    throw error;
  }
}

const unsupported = (message: string, fix: string): BulwarkError => new BulwarkError("MODEL_UNSUPPORTED", message, fix);
const unsafe = (message: string): BulwarkError =>
  new BulwarkError("MODEL_UNSAFE", message, "Use the file as Keras saved it, from a source that you trust.");

/** Entries by name. Only entries that Keras writes are allowed. */
function checkedEntries(all: readonly ZipEntry[], file: string): ReadonlyMap<string, ZipEntry> {
  if (all.length > limits.entries) throw unsafe(`${file} holds ${all.length} entries, and a Keras model holds a few.`);
  const entries = new Map<string, ZipEntry>();
  for (const entry of all) {
    if (entries.has(entry.name)) throw unsafe(`${file} holds two entries named "${entry.name}".`);
    entries.set(entry.name, entry);
    if (/^assets\/./.test(entry.name) && !entry.name.endsWith("/") && entry.size > 0)
      throw unsupported(`${file} holds vocabularies or other assets, which no image classifier needs.`, "Use an image classifier.");
    if (!/^((metadata|config)\.json|model\.weights\.(h5|npz|json)|model_\d+\.weights\.h5|assets\/([^.][^/]*\/)*)$/.test(entry.name))
      throw unsafe(`${file} holds "${entry.name.slice(0, 80)}", which is not part of a Keras model.`);
  }
  return entries;
}

async function jsonOf(entry: ZipEntry, file: string): Promise<Config> {
  checkSize(entry, { most: limits.config, ratio: limits.configRatio }, file);
  return parsedObject(Buffer.from(await entry.read()).toString("utf8"), `${entry.name} of ${file}`);
}

/** Checks the stated size before anything is unpacked. @throws MODEL_UNSAFE, MODEL_TOO_LARGE */
function checkSize({ name, size, packed }: ZipEntry, { most, ratio }: { most: number; ratio: number }, file: string): void {
  const times = Math.round(size / Math.max(1, packed));
  if (times > ratio) throw unsafe(`${file} unpacks to ${times} times its size (${name}).`);
  if (size > most)
    throw new BulwarkError("MODEL_TOO_LARGE", `${name} of ${file} has ${size} bytes; at most ${most} are read.`, "Use a smaller model.");
}

function noWeights(entries: ReadonlyMap<string, ZipEntry>, file: string): BulwarkError {
  const again = 'Save it as one file: model.save("model.keras"), with weights as HDF5.';
  if (entries.has("model.weights.json")) return unsupported(`${file} keeps its weights in several files, which are not read.`, again);
  if (entries.has("model.weights.npz")) return unsupported(`${file} keeps its weights as NumPy arrays, which are not read.`, again);
  return invalidModel(file, "holds no weights", 'Save the model again: model.save("model.keras").');
}

async function weightsSource(handle: FileHandle, entry: ZipEntry, file: string): Promise<Pick<KerasArchive, "weights" | "close">> {
  checkSize(entry, { most: limits.weights, ratio: limits.weightsRatio }, file);
  const start = await entry.start();
  const { size, packed, isStored } = entry;
  if (isStored) {
    if (size !== packed || start + size > (await handle.stat()).size) throw new ZipDamaged(`${entry.name} is cut off`);
    return { weights: { name: file, fd: handle.fd, offset: start, size }, close: async () => {} };
  }
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-keras-"));
  try {
    const unpacked = path.join(folder, "weights.h5");
    const bytes = createReadStream("", { fd: handle, start, end: start + packed - 1, autoClose: false });
    await inflate(bytes, unpacked, { size, name: entry.name });
    const opened = await openFile(unpacked);
    const close = async (): Promise<void> => {
      await opened.close();
      await fs.rm(folder, { recursive: true, force: true });
    };
    return { weights: { name: file, fd: opened.fd, offset: 0, size }, close };
  } catch (error) {
    await fs.rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Unpacks into a file, and stops at the size that the archive states. @throws ZipDamaged */
async function inflate(bytes: NodeJS.ReadableStream, to: string, { size, name }: { size: number; name: string }): Promise<void> {
  let count = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      count += chunk.length;
      done(count > size ? new ZipDamaged(`${name} is larger than it says`) : null, chunk);
    },
  });
  try {
    await pipeline(bytes, createInflateRaw(), counted, createWriteStream(to, { mode: 0o600 }));
  } catch (cause) {
    if (cause instanceof ZipDamaged || (cause instanceof Error && "code" in cause && !String(cause.code).startsWith("Z_"))) throw cause;
    throw new ZipDamaged(`${name} is damaged`, { cause });
  }
  if (count !== size) throw new ZipDamaged(`${name} is cut off`);
}
