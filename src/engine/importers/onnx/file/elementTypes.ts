/** How a constant is held: integers in float64, which is exact up to 2^53, and floats in float32. */
export type Kind = "float" | "int" | "bool";
export type Data = Float32Array | Float64Array;

interface ElementType {
  readonly name: string;
  readonly kind: Kind;
  /** Bytes of one number in `raw_data`. */
  readonly bytes: number;
  /** Field of TensorProto that holds the numbers if `raw_data` does not. */
  readonly field: 4 | 5 | 7 | 10 | 11;
  /** One number of `raw_data`. */
  read(view: DataView, at: number): number;
  /** One number of the typed field. */
  typed(value: number): number;
}

const scratch = new DataView(new ArrayBuffer(4));

/** s·2^(e−15)·(1 + m/1024); e = 0 has no leading one, e = 31 is infinite or NaN. */
export function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, mantissa] = [(bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return (sign * mantissa) / 2 ** 24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * 2 ** (exponent - 15) * (1 + mantissa / 1024);
}

/** The upper half of a float32. */
export function bfloatOf(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

const same = (value: number): number => value;
const wide = (view: DataView, at: number, low = view.getUint32(at, true)): number => view.getInt32(at + 4, true) * 2 ** 32 + low;

/** TensorProto.DataType → how it is stored. Strings, complex numbers, 8-bit floats and 4-bit types are not supported. */
export const elementTypes: Readonly<Record<number, ElementType>> = {
  1: { name: "float32", kind: "float", bytes: 4, field: 4, read: (view, at) => view.getFloat32(at, true), typed: same },
  2: { name: "uint8", kind: "int", bytes: 1, field: 5, read: (view, at) => view.getUint8(at), typed: same },
  3: { name: "int8", kind: "int", bytes: 1, field: 5, read: (view, at) => view.getInt8(at), typed: same },
  4: { name: "uint16", kind: "int", bytes: 2, field: 5, read: (view, at) => view.getUint16(at, true), typed: same },
  5: { name: "int16", kind: "int", bytes: 2, field: 5, read: (view, at) => view.getInt16(at, true), typed: same },
  6: { name: "int32", kind: "int", bytes: 4, field: 5, read: (view, at) => view.getInt32(at, true), typed: same },
  7: { name: "int64", kind: "int", bytes: 8, field: 7, read: wide, typed: same },
  9: { name: "bool", kind: "bool", bytes: 1, field: 5, read: (view, at) => Number(view.getUint8(at) !== 0), typed: (v) => Number(v !== 0) },
  10: { name: "float16", kind: "float", bytes: 2, field: 5, read: (view, at) => halfOf(view.getUint16(at, true)), typed: halfOf },
  11: { name: "float64", kind: "float", bytes: 8, field: 10, read: (view, at) => view.getFloat64(at, true), typed: same },
  12: { name: "uint32", kind: "int", bytes: 4, field: 11, read: (view, at) => view.getUint32(at, true), typed: same },
  13: {
    name: "uint64",
    kind: "int",
    bytes: 8,
    field: 11,
    read: (view, at) => view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true),
    typed: (v) => (v < 0 ? v + 2 ** 64 : v),
  },
  16: { name: "bfloat16", kind: "float", bytes: 2, field: 5, read: (view, at) => bfloatOf(view.getUint16(at, true)), typed: bfloatOf },
};

/** Names of the unsupported types. */
export const otherTypes: Readonly<Record<number, string>> = {
  8: "string",
  14: "complex64",
  15: "complex128",
  17: "float8",
  18: "float8",
  19: "float8",
  20: "float8",
  21: "uint4",
  22: "int4",
  23: "float4",
};

export const dataOf = (kind: Kind, length: number): Data => (kind === "float" ? new Float32Array(length) : new Float64Array(length));
