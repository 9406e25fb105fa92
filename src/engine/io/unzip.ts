import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";
import { crc32 } from "./crc32.ts";
import { inflatedStart } from "./inflate.ts";

/** An entry of a zip. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Size in the file, in bytes. */
  readonly packed: number;
  /** Its content lies in the file as it is; otherwise it is compressed and only read as a whole. */
  readonly isStored: boolean;
  /** Bytes [from, to) of the content. Reading all of it checks its sum. @throws ZipDamaged */
  read(from?: number, to?: number): Promise<Uint8Array>;
  /** About the first `length` bytes of the content, more or fewer, without unpacking the rest. @throws ZipDamaged */
  head(length: number): Promise<Uint8Array>;
  /** Offset of its bytes in the file, compressed or not. @throws ZipDamaged */
  start(): Promise<number>;
}

/** The file is no zip, or not a whole one. */
export class ZipDamaged extends Error {}
/** A whole zip with a content that is compressed otherwise than by deflate. The message is the way's name. */
export class ZipCompression extends Error {}

/** Numbers of ways to compress (APPNOTE 4.4.5). */
const compressions: Readonly<Record<number, string>> = { 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz" };

const [centralMark, endMark, end64Mark, locator64Mark] = [0x02014b50, 0x06054b50, 0x06064b50, 0x07064b50];
const [largest16, largest32] = [0xffff, 0xffffffff];
const slice = 1 << 22;
const longestComment = 0xffff;
const mostEntries = 100_000;

/** The entries of a zip, from its directory. Contents stay on disk. @throws ZipDamaged, ZipCompression */
export async function readZip(handle: FileHandle): Promise<ZipEntry[]> {
  const { size } = await handle.stat();
  const { count, start, length } = await findDirectory(handle, size);
  if (count > mostEntries || start + length > size) throw new ZipDamaged("its directory is damaged");
  const directory = await readFully(handle, start, length);
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== centralMark) throw new ZipDamaged("its directory is damaged");
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    const end = at + 46 + nameLength + extraLength + commentLength;
    if (end > directory.length) throw new ZipDamaged("its directory is damaged");
    entries.push(entryAt(handle, directory.subarray(at, end), nameLength, extraLength));
    at = end;
  }
  return entries;
}

async function findDirectory(handle: FileHandle, size: number): Promise<{ count: number; start: number; length: number }> {
  const tail = Math.min(size, 22 + longestComment);
  const bytes = await readFully(handle, size - tail, tail);
  let at = tail - 22;
  while (at >= 0 && bytes.readUInt32LE(at) !== endMark) at--;
  if (at < 0) throw new ZipDamaged("it has no directory");
  const found = { count: bytes.readUInt16LE(at + 10), length: bytes.readUInt32LE(at + 12), start: bytes.readUInt32LE(at + 16) };
  if (found.count !== largest16 && found.length !== largest32 && found.start !== largest32) return found;
  if (at < 20 || bytes.readUInt32LE(at - 20) !== locator64Mark) return found;
  const place = number64(bytes, at - 20 + 8);
  if (place + 56 > size) throw new ZipDamaged("its directory is damaged");
  const whole = await readFully(handle, place, 56);
  if (whole.readUInt32LE(0) !== end64Mark) throw new ZipDamaged("its directory is damaged");
  return { count: number64(whole, 32), length: number64(whole, 40), start: number64(whole, 48) };
}

function entryAt(handle: FileHandle, head: Buffer, nameLength: number, extraLength: number): ZipEntry {
  const method = head.readUInt16LE(10);
  const crc = head.readUInt32LE(16);
  const name = head.toString("utf8", 46, 46 + nameLength);
  const wide = wideFields(head.subarray(46 + nameLength, 46 + nameLength + extraLength));
  const field = (at: number): number => {
    const value = head.readUInt32LE(at);
    return value === largest32 ? (wide.shift() ?? value) : value;
  };
  const [size, packed, offset] = [field(24), field(20), field(42)]; // in this order in the extra field
  if (method !== 0 && method !== 8) throw new ZipCompression(compressions[method] ?? `method ${method}`);
  return {
    name,
    size,
    packed,
    isStored: method === 0,
    start: () => contentStart(handle, offset),
    head: (length) => readHead(handle, { name, crc, method, size, packed, offset }, length),
    read: (from, to) => readContent(handle, { name, crc, method, size, packed, offset }, from, to),
  };
}

/** The 64-bit numbers of a header's extra field. */
function wideFields(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [extra.readUInt16LE(at), extra.readUInt16LE(at + 2)];
    const body = extra.subarray(at + 4, at + 4 + length);
    if (id === 1) return Array.from({ length: Math.floor(body.length / 8) }, (_, i) => number64(body, 8 * i));
    at += 4 + length;
  }
  return [];
}

interface Place {
  readonly name: string;
  readonly crc: number;
  readonly method: number;
  readonly size: number;
  readonly packed: number;
  readonly offset: number;
}

async function readContent(handle: FileHandle, entry: Place, from = 0, to = entry.size): Promise<Uint8Array> {
  const start = await contentStart(handle, entry.offset);
  if (entry.method === 0 && entry.size !== entry.packed) throw new ZipDamaged(`${entry.name} is cut off`);
  const isWhole = from === 0 && to === entry.size;
  const content = entry.method === 0 ? await readFully(handle, start + from, to - from) : await unpacked(handle, entry, start);
  if (entry.method !== 0 && content.length !== entry.size) throw new ZipDamaged(`${entry.name} is damaged`);
  if (isWhole || entry.method !== 0) await checkSum(content, entry);
  return entry.method === 0 ? content : content.subarray(from, to);
}

async function readHead(handle: FileHandle, entry: Place, length: number): Promise<Uint8Array> {
  const bytes = await readFully(handle, await contentStart(handle, entry.offset), Math.min(entry.packed, length));
  return entry.method === 0
    ? bytes
    : inflatedStart(inflateRaw, bytes).catch((cause: unknown) => {
        throw new ZipDamaged(`${entry.name} is damaged`, { cause });
      });
}

/** Content begins behind the entry's own header, whose fields may differ in length from those in the directory. */
async function contentStart(handle: FileHandle, offset: number): Promise<number> {
  const head = await readFully(handle, offset, 30);
  return offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28);
}

async function unpacked(handle: FileHandle, { name, packed, size }: Place, start: number): Promise<Buffer> {
  const bytes = await readFully(handle, start, packed);
  try {
    return await promisify(inflateRaw)(bytes, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw new ZipDamaged(`${name} is damaged`, { cause });
  }
}

async function checkSum(content: Uint8Array, { name, crc }: Place): Promise<void> {
  let sum = 0;
  for (let at = 0; at < content.length; at += slice) {
    sum = crc32(content.subarray(at, at + slice), sum);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  if (sum !== crc) throw new ZipDamaged(`${name} is damaged`);
}

function number64(bytes: Buffer, at: number): number {
  const value = Number(bytes.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value)) throw new ZipDamaged("its directory is damaged");
  return value;
}

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(slice, length - done), offset + done);
    if (bytesRead === 0) throw new ZipDamaged("it is cut off");
    done += bytesRead;
  }
  return bytes;
}
