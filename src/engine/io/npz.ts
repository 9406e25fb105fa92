import { type FileHandle, open } from "node:fs/promises";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { openFile, readError, replaceAtomic } from "./files.ts";
import { decodeNpy, type NpyArray, type NpyHeader, type NpyRead, type NpyType, npyHeader, readNpyHeader, typeOf } from "./npy.ts";
import { readZip, ZipCompression, ZipDamaged, type ZipEntry } from "./unzip.ts";
import { ZipWriter } from "./zip.ts";

export type { NpyArray, NpyRead } from "./npy.ts";

/** An array that is written in chunks, for what does not fit in memory. */
export interface NpyStream {
  readonly type: NpyType;
  readonly shape: readonly number[];
  /** The values in C order; together as many as `shape` says. */
  chunks(): Iterable<NpyArray["data"]> | AsyncIterable<NpyArray["data"]>;
}

/**
 * Writes arrays as numpy's `.npz`: a zip of `.npy` files, stored as they are. The same arrays give the same bytes. Chunk by chunk, so
 * that neither memory nor other work in the process minds the size.
 * @throws DISK_FULL, NOT_WRITABLE
 */
export async function writeNpz(file: string, arrays: Readonly<Record<string, NpyArray | NpyStream>>): Promise<void> {
  await replaceAtomic(file, async (temporary) => {
    const handle = await open(temporary, "w");
    try {
      const zip = new ZipWriter(handle);
      for (const [name, array] of Object.entries(arrays)) await addArray(zip, name, array);
      await zip.finish();
    } finally {
      await handle.close();
    }
  });
}

async function addArray(zip: ZipWriter, name: string, array: NpyArray | NpyStream): Promise<void> {
  const isWhole = "data" in array;
  const type = isWhole ? typeOf(array.data) : array.type;
  const { bytes, contentSize } = npyHeader(type, array.shape);
  if (isWhole && array.data.byteLength !== contentSize)
    throw new Error(`shape [${array.shape.join()}] does not hold ${array.data.length} values`);
  async function* content(): AsyncGenerator<Uint8Array> {
    yield bytes;
    for await (const data of isWhole ? [array.data] : array.chunks()) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  await zip.add(`${name}.npy`, bytes.length + contentSize, content());
}

/** An array in a `.npz`. Where it is stored uncompressed and in C order its rows are read from disk as they are wanted. */
export interface StoredArray extends Pick<NpyRead, "shape" | "type"> {
  /** Rows [start, end) along the first axis. @throws DATASET_INVALID */
  read(start: number, end: number): Promise<NpyRead["data"]>;
}
export interface Npz {
  /** In the order of the file. */
  readonly arrays: ReadonlyMap<string, StoredArray>;
  /** Arrays that cannot be read, such as texts, and why: they matter only where they are wanted. */
  readonly unreadable: ReadonlyMap<string, BulwarkError>;
  close(): Promise<void>;
}

/** Opens a `.npz` without reading its values. @throws FILE_NOT_FOUND, FILE_UNREADABLE, DATASET_INVALID */
export async function openNpz(file: string): Promise<Npz> {
  const handle = await openFile(file);
  try {
    const arrays = new Map<string, StoredArray>();
    const unreadable = new Map<string, BulwarkError>();
    for (const entry of await arraysIn(handle, file))
      try {
        arrays.set(nameOf(entry), await stored(entry, file));
      } catch (thrown) {
        if (!(thrown instanceof BulwarkError)) throw thrown;
        unreadable.set(nameOf(entry), thrown);
      }
    return { arrays, unreadable, close: () => handle.close() };
  } catch (thrown) {
    await handle.close();
    throw readError(thrown, file);
  }
}

/** Arrays of a `.npz`, by name, in memory: the named ones, or all. @throws FILE_NOT_FOUND, FILE_UNREADABLE, DATASET_INVALID */
export async function readNpz(file: string, wanted?: readonly string[]): Promise<Record<string, NpyRead>> {
  const handle = await openFile(file);
  try {
    const arrays: Record<string, NpyRead> = {};
    for (const entry of await arraysIn(handle, file))
      if (!wanted || wanted.includes(nameOf(entry))) arrays[nameOf(entry)] = await whole(entry, file);
    return arrays;
  } catch (thrown) {
    throw readError(thrown, file);
  } finally {
    await handle.close();
  }
}

const nameOf = ({ name }: ZipEntry): string => name.slice(0, -".npy".length);
const label = (entry: ZipEntry, file: string): string => `${entry.name} of ${path.basename(file)}`;

const arraysIn = (handle: FileHandle, file: string): Promise<ZipEntry[]> =>
  whileReading(file, async () => (await readZip(handle)).filter(({ name }) => name.endsWith(".npy")));

/** Bytes that are read as one. */
const mostInMemory = 2 ** 31 - 1;

async function whole(entry: ZipEntry, file: string): Promise<NpyRead> {
  if (entry.size > mostInMemory)
    throw new BulwarkError(
      "DATASET_INVALID",
      `The array ${label(entry, file)} has more than 2 GiB and cannot be read in parts, as it is compressed or in Fortran order.`,
      "Save it with numpy.savez of numpy.ascontiguousarray(…).",
    );
  return whileReading(file, async () => decodeNpy(await entry.read(), label(entry, file)));
}

async function whileReading<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof ZipCompression)
      throw new BulwarkError(
        "DATASET_INVALID",
        `${path.basename(file)} is compressed with ${cause.message}, which is not read.`,
        "Save it again with numpy.savez_compressed.",
        { cause },
      );
    if (!(cause instanceof ZipDamaged)) throw cause;
    throw new BulwarkError(
      "DATASET_INVALID",
      `${path.basename(file)} is damaged or is not a .npz file.`,
      "Save it again with numpy.savez.",
      {
        cause,
      },
    );
  }
}

const longestHeader = 1 << 16;
/** Compressed, a header takes a few hundred bytes. */
const longestPackedHeader = 1 << 12;

/** From its header alone: values are unpacked only when they are read. */
async function stored(entry: ZipEntry, file: string): Promise<StoredArray> {
  const start = await whileReading(file, () => entry.head(entry.isStored ? longestHeader : longestPackedHeader));
  const header = readNpyHeader(start, entry.size, label(entry, file));
  return entry.isStored && !header.isFortran ? onDisk(entry, header, file) : inMemory(entry, header, file);
}

function onDisk(entry: ZipEntry, { shape, start, reader }: NpyHeader, file: string): StoredArray {
  const row = shape.slice(1).reduce((a, b) => a * b, 1);
  return {
    shape,
    type: reader.type,
    async read(from, to) {
      const bytes = await whileReading(file, () => entry.read(start + from * row * reader.size, start + to * row * reader.size));
      return reader.read(bytes, (to - from) * row);
    },
  };
}

/** Unpacked when the first row is read. */
function inMemory(entry: ZipEntry, { shape, reader }: NpyHeader, file: string): StoredArray {
  const row = shape.slice(1).reduce((a, b) => a * b, 1);
  let unpacked: Promise<NpyRead> | undefined;
  return {
    shape,
    type: reader.type,
    async read(from, to) {
      unpacked ??= whole(entry, file);
      return (await unpacked).data.slice(from * row, to * row);
    },
  };
}
