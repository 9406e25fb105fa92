import type { FileHandle } from "node:fs/promises";
import { BulwarkError } from "../../shared/errors.ts";
import { chunksOf, openFile, readError } from "../io/files.ts";
import { gunzipped } from "../io/inflate.ts";

/** Bytes of a file by position. A plain file stays on disk; a gzipped one has no random access and is unpacked into memory, or only as many bytes as its header announces. */
export interface ByteSource {
  readonly file: string;
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** How many bytes of a gzipped file to unpack, as the header of its content announces them. */
export interface Wanted {
  /** Bytes of the header. */
  readonly head: number;
  /** Size of all that the header announces, itself among it. */
  announced(head: Uint8Array): number;
}

/** As much as is kept of a gzipped file; the largest data sets of this kind unpack to half of it. */
const mostUnpacked = 2 ** 30;

/**
 * Opens a plain or gzipped file (told by its first bytes, not by its name).
 * @param wanted how much of a gzipped file to unpack; all of it by default
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, DATASET_INVALID
 */
export async function openBytes(file: string, wanted?: Wanted): Promise<ByteSource> {
  const handle = await openFile(file);
  try {
    const { size } = await handle.stat();
    const start = await readFully(handle, file, 0, Math.min(2, size));
    if (start[0] !== 0x1f || start[1] !== 0x8b) {
      return { file, size, read: (offset, length) => readFully(handle, file, offset, length), close: () => handle.close() };
    }
  } catch (error) {
    await handle.close();
    throw readError(error, file);
  }
  await handle.close();
  return inMemory(file, await unpack(file, wanted));
}

/** Already unpacked bytes under the same interface. */
export const inMemory = (file: string, bytes: Uint8Array): ByteSource => ({
  file,
  size: bytes.length,
  async read(offset, length) {
    if (offset + length > bytes.length) throw cutOff(file, offset + length, bytes.length);
    return bytes.subarray(offset, offset + length);
  },
  close: async () => undefined,
});

async function unpack(file: string, wanted: Wanted | undefined): Promise<Uint8Array> {
  if (wanted) {
    const head = await unzipped(file, wanted.head);
    const size = head.length < wanted.head ? head.length : wanted.announced(head);
    if (size <= mostUnpacked) return unzipped(file, size);
  } else {
    const bytes = await unzipped(file, mostUnpacked + 1);
    if (bytes.length <= mostUnpacked) return bytes;
  }
  throw new BulwarkError("DATASET_INVALID", `${file} unpacks to more than 1 GB.`, "Unpack it with gunzip: a plain file is read in parts.");
}

async function unzipped(file: string, most: number): Promise<Uint8Array> {
  try {
    return await gunzipped(chunksOf(file), most);
  } catch (error) {
    if (error instanceof BulwarkError) throw error;
    throw new BulwarkError("DATASET_INVALID", `${file} is a damaged or incomplete gzip file.`, "Download it again.", { cause: error });
  }
}

async function readFully(handle: FileHandle, file: string, offset: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) throw cutOff(file, offset + length, offset + done);
    done += bytesRead;
  }
  return bytes;
}

export const cutOff = (file: string, expected: number, found: number): BulwarkError =>
  new BulwarkError("DATASET_INVALID", `${file} is cut off: ${expected} bytes expected, ${found} found.`, "Download it again.");
