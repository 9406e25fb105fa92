import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { BulwarkError } from "../../shared/errors.ts";
import { openFile, readBytes, readError } from "../io/files.ts";

/** Bytes of a file by position. A plain file stays on disk; a gzipped one has no random access and is unpacked into memory. */
export interface ByteSource {
  readonly file: string;
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a plain or gzipped file (told by its first bytes, not by its name). @throws FILE_NOT_FOUND, FILE_UNREADABLE, DATASET_INVALID */
export async function openBytes(file: string): Promise<ByteSource> {
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
  return inMemory(file, await unpack(await readBytes(file), file));
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

async function unpack(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes);
  } catch (error) {
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
