import { BulwarkError } from "../../shared/errors.ts";

/** One numpy array in C order. */
export interface NpyArray {
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}
/** As read: 8-byte types are kept as float64, whole numbers included (exact up to 2⁵³). */
export interface NpyRead {
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly type: "float" | "int" | "uint8";
}
/** Types that are written. */
export type NpyType = "float32" | "float64" | "int32" | "uint8";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const written: Readonly<Record<NpyType, { readonly descr: string; readonly size: number }>> = {
  float32: { descr: "<f4", size: 4 },
  float64: { descr: "<f8", size: 8 },
  int32: { descr: "<i4", size: 4 },
  uint8: { descr: "|u1", size: 1 },
};

export function typeOf(data: NpyArray["data"]): NpyType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  return data instanceof Int32Array ? "int32" : "uint8";
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What comes before the values in a `.npy` file, format 1.0, little-endian, C order; and the size of the values in bytes. */
export function npyHeader(type: NpyType, shape: readonly number[]): { readonly bytes: Uint8Array; readonly contentSize: number } {
  const { descr, size } = written[type];
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10; // values start on a multiple of 64, the header ends in a newline
  const bytes = new Uint8Array(10 + length);
  bytes.set([...magic, 1, 0, length & 255, length >> 8]);
  bytes.set(Buffer.from(`${text.padEnd(length - 1)}\n`, "latin1"), 10);
  return { bytes, contentSize: product(shape) * size };
}

/** The bytes of a `.npy` file, format 1.0, little-endian, C order. */
export function encodeNpy({ data, shape }: NpyArray): Uint8Array {
  const { bytes: header, contentSize } = npyHeader(typeOf(data), shape);
  if (contentSize !== data.byteLength) throw new Error(`shape [${shape.join()}] does not hold ${data.length} values`);
  const bytes = new Uint8Array(header.length + contentSize);
  bytes.set(header);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length); // every platform of Node is little-endian
  return bytes;
}

export interface NpyHeader {
  readonly shape: readonly number[];
  readonly isFortran: boolean;
  /** Where the values begin. */
  readonly start: number;
  readonly count: number;
  readonly reader: Reader;
}

/** @param size of the whole file. @throws DATASET_INVALID */
export function readNpyHeader(bytes: Uint8Array, size: number, name: string): NpyHeader {
  const bad = (what: string, fix = "Save it again with numpy.savez.") =>
    new BulwarkError("DATASET_INVALID", `The array ${name} ${what}.`, fix);
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) throw bad("is not in numpy's .npy format");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const begin = (bytes[6] as number) >= 2 ? 12 : 10;
  const start = begin + (begin === 12 ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = Buffer.from(bytes.subarray(begin, start)).toString("utf8");
  const descr = /'descr':\s*'([<>|=][a-zA-Z]\d*)'/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([\d,\sL]*)\)/.exec(header)?.[1];
  if (/'descr':\s*\[/.test(header)) throw bad("is a structured array", "Save one of its fields alone, as array['field'].");
  if (descr === undefined || shapeText === undefined || start > bytes.length) throw bad("has no readable header");
  const shape = shapeText
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => Number.parseInt(part, 10));
  const reader = readerOf(descr);
  if (!reader) throw bad(...unreadable(descr));
  const count = product(shape);
  if (!Number.isSafeInteger(count) || size - start < count * reader.size) throw bad("is cut off");
  return { shape, isFortran: /'fortran_order':\s*True/.test(header), start, count, reader };
}

/** What values of a type are that is not read, and what to save instead. */
function unreadable(descr: string): [what: string, fix: string] {
  const kind = descr[1];
  if (kind === "U" || kind === "S") return ["holds text", "Save class indices as whole numbers, or put the pictures in class folders."];
  if (kind === "O") return ["holds Python objects", "Save numbers: class indices for labels, numpy.stack of one size for images."];
  return [`holds values of type ${descr}, which is not supported`, "Save it as float32, uint8 or int64, with astype."];
}

/** Reads format 1 to 3; types f2 f4 f8 u1 i1 i2 i4 i8 u2 u4 u8 and bool, of either byte order; C and Fortran order. @throws DATASET_INVALID */
export function decodeNpy(bytes: Uint8Array, name: string): NpyRead {
  const { shape, isFortran, start, count, reader } = readNpyHeader(bytes, bytes.length, name);
  const values = reader.read(bytes.subarray(start, start + count * reader.size), count);
  return { data: isFortran ? fromFortran(values, shape) : values, shape, type: reader.type };
}

type Values = NpyRead["data"];
interface Reader {
  /** Bytes of a value. */
  readonly size: number;
  readonly type: NpyRead["type"];
  read(bytes: Uint8Array, count: number): Values;
}

/** Values that lie in the file as they lie in memory. */
function copied(size: number, type: NpyRead["type"], over: (buffer: ArrayBuffer) => Values): Reader {
  return {
    size,
    type,
    read: (bytes, count) => {
      const content = new Uint8Array(count * size);
      content.set(bytes.subarray(0, count * size));
      return over(content.buffer);
    },
  };
}
function converted<T extends Values>(
  size: number,
  type: NpyRead["type"],
  make: (count: number) => T,
  at: (view: DataView, offset: number) => number,
): Reader {
  return {
    size,
    type,
    read(bytes, count) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const out = make(count);
      for (let i = 0; i < count; i++) out[i] = at(view, i * size);
      return out;
    },
  };
}
const ints = (count: number): Int32Array => new Int32Array(count);
const floats = (count: number): Float32Array => new Float32Array(count);
const doubles = (count: number): Float64Array => new Float64Array(count);
const readers: Readonly<Record<string, Reader>> = {
  "<f4": copied(4, "float", (buffer) => new Float32Array(buffer)),
  "<f8": copied(8, "float", (buffer) => new Float64Array(buffer)),
  "<u1": copied(1, "uint8", (buffer) => new Uint8Array(buffer)),
  "<b1": converted(1, "float", floats, (v, o) => (v.getUint8(o) === 0 ? 0 : 1)), // no bytes of 255ths
  "<f2": converted(2, "float", floats, (v, o) => half(v.getUint16(o, true))),
  "<i1": converted(1, "int", ints, (v, o) => v.getInt8(o)),
  "<i2": converted(2, "int", ints, (v, o) => v.getInt16(o, true)),
  "<u2": converted(2, "int", ints, (v, o) => v.getUint16(o, true)),
  "<i4": copied(4, "int", (buffer) => new Int32Array(buffer)),
  "<u4": converted(4, "int", doubles, (v, o) => v.getUint32(o, true)),
  "<i8": converted(8, "int", doubles, (v, o) => Number(v.getBigInt64(o, true))),
  "<u8": converted(8, "int", doubles, (v, o) => Number(v.getBigUint64(o, true))),
};

function readerOf(descr: string): Reader | undefined {
  const reader = readers[descr.replace(/^[=|>]/, "<")];
  return reader && descr.startsWith(">") && reader.size > 1
    ? { ...reader, read: (bytes, count) => reader.read(swapped(bytes, reader.size), count) }
    : reader;
}

/** Values of `size` bytes with their bytes in the other order. */
function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = bytes[i - (i % size) + size - 1 - (i % size)] as number;
  return out;
}

/** IEEE 754 binary16: sign, five bits of exponent (bias 15), ten of fraction. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** First index fastest → last index fastest. */
function fromFortran(values: Values, shape: readonly number[]): Values {
  const out = values.slice();
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => product(shape.slice(0, axis)));
  for (let i = 0; i < out.length; i++) {
    out[i] = values[index.reduce((sum, k, axis) => sum + k * (strides[axis] as number), 0)] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return out;
}
