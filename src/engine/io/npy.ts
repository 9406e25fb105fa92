import { BulwarkError } from "../../shared/errors.ts";

/** One numpy array in C order. */
export interface NpyArray {
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}
/** As read: 8-byte types are kept as float64, whole numbers included (exact up to 2⁵³). */
export interface NpyRead {
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly type: "float" | "int" | "uint8";
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** The bytes of a `.npy` file, format 1.0, little-endian, C order. */
export function encodeNpy(array: NpyArray): Uint8Array {
  const { data, shape } = array;
  if (shape.reduce((a, b) => a * b, 1) !== data.length) throw new Error(`shape [${shape.join()}] does not hold ${data.length} values`);
  const type = data instanceof Float32Array ? "<f4" : data instanceof Int32Array ? "<i4" : "|u1";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10; // data start on a multiple of 64, header ends in a newline
  const header = Buffer.from(`${text.padEnd(length - 1)}\n`, "latin1");
  const bytes = new Uint8Array(10 + length + data.byteLength);
  bytes.set([...magic, 1, 0, length & 255, length >> 8]);
  bytes.set(header, 10);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length); // every platform of Node is little-endian
  return bytes;
}

/** Reads format 1 to 3; types f4 f8 u1 i1 i2 i4 i8 u2 u4 and bool; C and Fortran order. @throws DATASET_INVALID */
export function decodeNpy(bytes: Uint8Array, name: string): NpyRead {
  const bad = (what: string) => new BulwarkError("DATASET_INVALID", `The array ${name} ${what}.`, "Save it again with numpy.savez.");
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) throw bad("is not in numpy's .npy format");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] as number) >= 2;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = Buffer.from(bytes.subarray(start, start + length)).toString("utf8");
  const descr = /'descr':\s*'([<>|=][a-zA-Z]\d+)'/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([\d,\sL]*)\)/.exec(header)?.[1];
  if (descr === undefined || shapeText === undefined || start + length > bytes.length) throw bad("has no readable header");
  const shape = shapeText
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => Number.parseInt(part, 10));
  const reader = readers[descr.replace(/^[=|]/, "<")];
  if (!reader) throw bad(`holds values of type ${descr}, which is not supported`);
  const count = shape.reduce((a, b) => a * b, 1);
  const body = bytes.subarray(start + length);
  if (!Number.isSafeInteger(count) || body.length < count * reader.size) throw bad("is cut off");
  const values = reader.read(new DataView(body.buffer, body.byteOffset, body.byteLength), count);
  const fortran = /'fortran_order':\s*True/.test(header);
  return { data: fortran ? fromFortran(values, shape) : values, shape, type: reader.type };
}

type Values = NpyRead["data"];
interface Reader {
  readonly size: number;
  readonly type: NpyRead["type"];
  read(view: DataView, count: number): Values;
}
function reader<T extends Values>(
  size: number,
  type: NpyRead["type"],
  make: (count: number) => T,
  at: (view: DataView, offset: number) => number,
): Reader {
  return {
    size,
    type,
    read(view, count) {
      const out = make(count);
      for (let i = 0; i < count; i++) out[i] = at(view, i * size);
      return out;
    },
  };
}
const ints = (count: number): Int32Array => new Int32Array(count);
const doubles = (count: number): Float64Array => new Float64Array(count);
const readers: Readonly<Record<string, Reader>> = {
  "<f4": reader(
    4,
    "float",
    (n) => new Float32Array(n),
    (v, o) => v.getFloat32(o, true),
  ),
  "<f8": reader(8, "float", doubles, (v, o) => v.getFloat64(o, true)),
  "<u1": reader(
    1,
    "uint8",
    (n) => new Uint8Array(n),
    (v, o) => v.getUint8(o),
  ),
  "<b1": reader(
    1,
    "uint8",
    (n) => new Uint8Array(n),
    (v, o) => v.getUint8(o),
  ),
  "<i1": reader(1, "int", ints, (v, o) => v.getInt8(o)),
  "<i2": reader(2, "int", ints, (v, o) => v.getInt16(o, true)),
  "<u2": reader(2, "int", ints, (v, o) => v.getUint16(o, true)),
  "<i4": reader(4, "int", ints, (v, o) => v.getInt32(o, true)),
  "<u4": reader(4, "int", doubles, (v, o) => v.getUint32(o, true)),
  "<i8": reader(8, "int", doubles, (v, o) => Number(v.getBigInt64(o, true))),
  "<u8": reader(8, "int", doubles, (v, o) => Number(v.getBigUint64(o, true))),
};

/** First index fastest → last index fastest. */
function fromFortran(values: Values, shape: readonly number[]): Values {
  const out = values.slice();
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
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
