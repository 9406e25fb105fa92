import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { chunksOf, readError } from "./files.ts";

export interface TarEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * The regular files of a gzipped tar (POSIX ustar) that `wanted` names, one after the other; the rest is passed over, so that only
 * one entry is in memory at a time. Throws a plain Error for a damaged archive.
 */
export async function* readTarball(file: string, wanted: (name: string) => boolean): AsyncGenerator<TarEntry> {
  const { take, close } = unpackedBytes(file);
  try {
    for (;;) {
      const header = await take(512);
      if (!header || header.every((byte) => byte === 0)) return;
      const { name, size, regular } = headerOf(header, file);
      const keep = regular && wanted(name);
      const body = await take(Math.ceil(size / 512) * 512, keep);
      if (!body) throw new Error(`${file} is cut off`);
      if (keep) yield { name, bytes: body.subarray(0, size) };
    }
  } finally {
    close();
  }
}

function headerOf(header: Uint8Array, file: string): { name: string; size: number; regular: boolean } {
  const prefix = text(header, 257, 5) === "ustar" ? text(header, 345, 155) : "";
  const size = Number.parseInt(text(header, 124, 12).trim() || "0", 8);
  if (!Number.isSafeInteger(size) || size < 0) throw new Error(`${file} is not a tar archive`);
  const name = text(header, 0, 100);
  return { name: prefix === "" ? name : `${prefix}/${name}`, size, regular: header[156] === 0 || header[156] === 0x30 };
}

const text = (block: Uint8Array, start: number, length: number): string => {
  const field = Buffer.from(block.subarray(start, start + length)).toString("utf8");
  const end = field.indexOf("\0");
  return end < 0 ? field : field.slice(0, end);
};

/** `take` gives the next so many bytes; undefined at the end of the stream; an empty array for bytes that are not kept. */
function unpackedBytes(file: string) {
  const input = Readable.from(chunksOf(file));
  const unpacked = createGunzip();
  input.on("error", (error) => unpacked.destroy(error));
  const chunks: AsyncIterator<Uint8Array> = input.pipe(unpacked)[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const take = async (length: number, keep = true): Promise<Uint8Array | undefined> => {
    const out = new Uint8Array(keep ? length : 0);
    for (let done = 0; done < length; ) {
      if (rest.length === 0) {
        const next = await chunks.next().catch((error: unknown) => {
          throw readError(error, file);
        });
        if (next.done) return undefined;
        rest = next.value;
      }
      const part = rest.subarray(0, length - done);
      if (keep) out.set(part, done);
      done += part.length;
      rest = rest.subarray(part.length);
    }
    return out;
  };
  const close = (): void => {
    input.destroy();
    unpacked.destroy();
  };
  return { take, close };
}
