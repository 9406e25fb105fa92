import { promisify } from "node:util";
import { inflate } from "node:zlib";
import { BulwarkError } from "../../shared/errors.ts";
import { mostAtOnce, readBytes } from "../io/files.ts";
import { inflatedStart } from "../io/inflate.ts";

/** A numeric array of a MATLAB file, first index fastest. */
export interface MatArray {
  readonly shape: readonly number[];
  /** @throws DATASET_INVALID */
  read(): Promise<Uint8Array | Float64Array>;
}

const inflateAsync = promisify(inflate);
/** Compressed bytes that hold the tags, the flags, the dimensions and the name of an array. */
const packedHead = 1024;
const invalid = (file: string, what: string): BulwarkError =>
  new BulwarkError("DATASET_INVALID", `${file} ${what}.`, "Download it again; MATLAB files of version 5 (not 7.3) can be read.");

/**
 * The numeric arrays of a MATLAB version-5 file, zlib-compressed elements included ("MAT-File Format", MathWorks, chapter 1).
 * The file is held in memory; a compressed array is unpacked when it is read, to the size that it announces.
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, DATASET_INVALID
 */
export async function readMat(file: string): Promise<Map<string, MatArray>> {
  const bytes = await readBytes(file, { most: mostAtOnce });
  if (bytes.length < 128 || bytes[126] !== 0x49 || bytes[127] !== 0x4d || bytes[125] !== 1)
    throw invalid(file, "is not a little-endian MATLAB file of version 5");
  const arrays = new Map<string, MatArray>();
  for (let offset = 128; offset + 8 <= bytes.length; ) {
    const element = elementAt(bytes, offset, file);
    offset = element.type === 15 ? element.end : element.next; // compressed elements are not padded
    const isPacked = element.type === 15;
    const head = isPacked ? await unpackedHead(element.body, file) : bytes.subarray(element.start, element.end);
    const [type, length] = tagOf(head, file);
    const matrix = type === 14 ? matrixOf(head.subarray(8), file) : undefined;
    if (!matrix) continue;
    const { name, shape } = matrix;
    const read = async () => valuesOf(isPacked ? await inflated(element.body, 8 + length, file) : head, shape, file);
    arrays.set(name, { shape, read });
  }
  return arrays;
}

interface Element {
  readonly type: number;
  readonly body: Uint8Array;
  /** Of its tag. */
  readonly start: number;
  readonly end: number;
  /** `end` rounded up to a multiple of eight. */
  readonly next: number;
}

/** A tag of eight bytes and the data, or a small element of up to four bytes inside its tag. */
function elementAt(bytes: Uint8Array, offset: number, file: string): Element {
  if (offset + 8 > bytes.length) throw invalid(file, "is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint32(offset, true);
  const small = first >>> 16;
  const start = offset + (small ? 4 : 8);
  const end = start + (small || view.getUint32(offset + 4, true));
  if (end > bytes.length || small > 4) throw invalid(file, "is cut off");
  return {
    type: first & 0xffff,
    body: bytes.subarray(start, end),
    start: offset,
    end,
    next: small ? offset + 8 : Math.ceil((end - offset) / 8) * 8 + offset,
  };
}

const damaged = (file: string): BulwarkError => invalid(file, "holds damaged compressed data");

const unpackedHead = (packed: Uint8Array, file: string): Promise<Uint8Array> =>
  inflatedStart(inflate, packed.subarray(0, packedHead)).catch(() => {
    throw damaged(file);
  });

/** Type and length of an element that may be cut off behind its tag. */
function tagOf(bytes: Uint8Array, file: string): [type: number, length: number] {
  if (bytes.length < 8) throw invalid(file, "is cut off");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

/** The whole element, of `size` bytes. @throws DATASET_INVALID where it has another size */
async function inflated(packed: Uint8Array, size: number, file: string): Promise<Uint8Array> {
  if (size > mostAtOnce) throw invalid(file, "holds an array of more than 2 GB");
  const bytes = await inflateAsync(packed, { maxOutputLength: size }).catch(() => null);
  if (bytes?.length !== size) throw damaged(file);
  return bytes;
}

/** Flags, dimensions and name; other classes than numeric ones are passed over. */
function matrixOf(body: Uint8Array, file: string): { name: string; shape: number[]; values: number } | undefined {
  const flags = elementAt(body, 0, file);
  const numeric = (flags.body[0] ?? 0) >= 6 && (flags.body[0] ?? 0) <= 15;
  if (!numeric) return undefined;
  const dimensions = elementAt(body, flags.next, file);
  const name = elementAt(body, dimensions.next, file);
  const sizes = new DataView(dimensions.body.buffer, dimensions.body.byteOffset, dimensions.body.byteLength);
  const shape = Array.from({ length: dimensions.body.length >> 2 }, (_, i) => sizes.getInt32(4 * i, true));
  return { name: Buffer.from(name.body).toString("latin1"), shape, values: name.next };
}

/** The real part of a whole matrix element. */
function valuesOf(matrix: Uint8Array, shape: readonly number[], file: string): Uint8Array | Float64Array {
  const body = matrix.subarray(8);
  const data = numbers(elementAt(body, matrixOf(body, file)?.values ?? 0, file), file);
  if (shape.reduce((a, b) => a * b, 1) !== data.length) throw invalid(file, "holds an array of the wrong length");
  return data;
}

/** Values are stored in the smallest type that holds them, whatever the class of the array. */
function numbers({ type, body }: Element, file: string): Uint8Array | Float64Array {
  if (type === 2) return body;
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const readers: Readonly<Record<number, readonly [size: number, at: (offset: number) => number]>> = {
    1: [1, (o) => view.getInt8(o)],
    3: [2, (o) => view.getInt16(o, true)],
    4: [2, (o) => view.getUint16(o, true)],
    5: [4, (o) => view.getInt32(o, true)],
    6: [4, (o) => view.getUint32(o, true)],
    7: [4, (o) => view.getFloat32(o, true)],
    9: [8, (o) => view.getFloat64(o, true)],
  };
  const reader = readers[type];
  if (!reader) throw invalid(file, `holds values of the unknown type ${type}`);
  const [size, at] = reader;
  return Float64Array.from({ length: Math.floor(body.length / size) }, (_, i) => at(i * size));
}
