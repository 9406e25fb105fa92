import { Readable } from "node:stream";
import { constants, createGunzip, type InputType, type ZlibOptions } from "node:zlib";

type Inflate = (packed: InputType, options: ZlibOptions, done: (error: Error | null, bytes: Buffer) => void) => void;

/** What the first bytes of compressed data hold. A byte can unpack to a thousand, so a start that is kept short stays small. */
export const inflatedStart = (inflate: Inflate, packed: Uint8Array): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    inflate(packed, { finishFlush: constants.Z_SYNC_FLUSH }, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });

/**
 * The first `most` bytes of what a gzipped file holds, or all where it holds no more; then its checksum is checked as well. What comes behind
 * them is not unpacked. @throws what zlib and the source throw
 */
export async function gunzipped(source: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of unpacked(source)) {
    if (size === most && bytes.length > 0) break;
    const part = bytes.subarray(0, most - size);
    parts.push(part);
    size += part.length;
  }
  const all = new Uint8Array(size);
  parts.reduce((at, part) => {
    all.set(part, at);
    return at + part.length;
  }, 0);
  return all;
}

async function* unpacked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  const input = Readable.from(source);
  input.on("error", (error) => gunzip.destroy(error));
  try {
    for await (const bytes of input.pipe(gunzip)) yield bytes as Uint8Array;
  } finally {
    input.destroy();
    gunzip.destroy();
  }
}
