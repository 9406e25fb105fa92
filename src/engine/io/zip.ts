import type { FileHandle } from "node:fs/promises";
import { crc32 } from "./crc32.ts";

/** Sizes and places above this need the 64-bit fields of the format (APPNOTE 4.3.9.2); 16-bit counts have their own limit. */
const largest32 = 0xffffffff;
const slice = 1 << 22; // bytes written, read and summed up at once: nothing holds up other work for long
const [localMark, centralMark, endMark, end64Mark, locator64Mark] = [0x04034b50, 0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50];
const january1980 = (1 << 5) | 1; // a fixed date: equal content gives equal bytes
const utf8 = 1 << 11;

/** Says that a name is UTF-8; readers take it for code page 437 otherwise, which is the same for ASCII alone. */
const flagsOf = (name: Buffer): number => (name.some((byte) => byte > 127) ? utf8 : 0);

interface Written {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly offset: number;
}

/** Writes a zip whose entries are stored as they are, one after another; content of any size comes in chunks. */
export class ZipWriter {
  readonly #handle: FileHandle;
  readonly #limit: number;
  readonly #entries: Written[] = [];
  #at = 0;

  /** @param limit what needs 64-bit fields; smaller in tests alone */
  constructor(handle: FileHandle, limit = largest32) {
    this.#handle = handle;
    this.#limit = limit;
  }

  /** @param size of the content in bytes, known before. */
  async add(name: string, size: number, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const entry = { name: Buffer.from(name), size, offset: this.#at };
    await this.#write(localHeader({ ...entry, crc: 0 }, size >= this.#limit));
    const start = this.#at;
    let crc = 0;
    for await (const chunk of chunks)
      for (let from = 0; from < chunk.length; from += slice) {
        const part = chunk.subarray(from, from + slice);
        crc = crc32(part, crc);
        await this.#write(part);
      }
    if (this.#at - start !== size) throw new Error(`${name} was to have ${size} bytes and has ${this.#at - start}`);
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(crc);
    await this.#handle.write(sum, 0, 4, entry.offset + 14);
    this.#entries.push({ ...entry, crc });
  }

  /** Writes the directory; the file is then whole. */
  async finish(): Promise<void> {
    const start = this.#at;
    for (const entry of this.#entries) await this.#write(centralHeader(entry, this.#limit));
    await this.#write(endOf(this.#entries.length, start, this.#at - start, this.#limit));
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#at);
      done += bytesWritten;
      this.#at += bytesWritten;
    }
  }
}

/** Sizes, and the place of an entry, as an extra field of 64-bit numbers. */
function extra64(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => {
    extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  });
  return extra;
}

function localHeader({ name, crc, size }: Written, is64: boolean): Buffer {
  const extra = extra64(is64 ? [size, size] : []);
  const head = Buffer.alloc(30);
  head.writeUInt32LE(localMark, 0);
  head.writeUInt16LE(is64 ? 45 : 20, 4);
  head.writeUInt16LE(flagsOf(name), 6);
  head.writeUInt16LE(january1980, 12);
  head.writeUInt32LE(crc, 14);
  head.writeUInt32LE(is64 ? largest32 : size, 18);
  head.writeUInt32LE(is64 ? largest32 : size, 22);
  head.writeUInt16LE(name.length, 26);
  head.writeUInt16LE(extra.length, 28);
  return Buffer.concat([head, name, extra]);
}

function centralHeader({ name, crc, size, offset }: Written, limit: number): Buffer {
  const [isLarge, isFar] = [size >= limit, offset >= limit];
  const extra = extra64([...(isLarge ? [size, size] : []), ...(isFar ? [offset] : [])]);
  const head = Buffer.alloc(46);
  head.writeUInt32LE(centralMark, 0);
  head.writeUInt16LE(45, 4);
  head.writeUInt16LE(isLarge || isFar ? 45 : 20, 6);
  head.writeUInt16LE(flagsOf(name), 8);
  head.writeUInt16LE(january1980, 14);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(isLarge ? largest32 : size, 20);
  head.writeUInt32LE(isLarge ? largest32 : size, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(extra.length, 30);
  head.writeUInt32LE(isFar ? largest32 : offset, 42);
  return Buffer.concat([head, name, extra]);
}

function endOf(count: number, start: number, size: number, limit: number): Buffer {
  const is64 = start >= limit || size >= limit || count >= 0xffff;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(endMark, 0);
  end.writeUInt16LE(is64 ? 0xffff : count, 8);
  end.writeUInt16LE(is64 ? 0xffff : count, 10);
  end.writeUInt32LE(is64 ? largest32 : size, 12);
  end.writeUInt32LE(is64 ? largest32 : start, 16);
  if (!is64) return end;
  const whole = Buffer.alloc(56);
  whole.writeUInt32LE(end64Mark, 0);
  whole.writeBigUInt64LE(44n, 4);
  whole.writeUInt16LE(45, 12);
  whole.writeUInt16LE(45, 14);
  whole.writeBigUInt64LE(BigInt(count), 24);
  whole.writeBigUInt64LE(BigInt(count), 32);
  whole.writeBigUInt64LE(BigInt(size), 40);
  whole.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(locator64Mark, 0);
  locator.writeBigUInt64LE(BigInt(start + size), 8);
  locator.writeUInt32LE(1, 16);
  return Buffer.concat([whole, locator, end]);
}
