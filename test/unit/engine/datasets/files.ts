// Data files made by hand.

/** An IDX file of bytes: magic 00 00 08 and the number of dimensions, big-endian sizes, data. */
export function idx(shape: readonly number[], data: readonly number[]): Uint8Array {
  const sizes = shape.flatMap((n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255]);
  return Uint8Array.from([0, 0, 8, shape.length, ...sizes, ...data]);
}

/** One element: type, size, data, padded to eight bytes. */
export const element = (type: number, data: readonly number[]): number[] => [
  ...[type, data.length].flatMap((n) => [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24]),
  ...data,
  ...new Array<number>((8 - (data.length % 8)) % 8).fill(0),
];
/** Four bytes each, the lowest first. */
export const int32 = (...values: readonly number[]): number[] =>
  values.flatMap((n) => [n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24]);
/** A matrix of a MATLAB file, column by column. */
export const matrix = (name: string, shape: readonly number[], type: number, data: readonly number[]): number[] =>
  element(14, [...element(6, int32(9, 0)), ...element(5, int32(...shape)), ...element(1, [...Buffer.from(name)]), ...element(type, data)]);
/** The first 128 bytes of a MATLAB file. */
export const header = [...Buffer.from("MATLAB 5.0 MAT-file".padEnd(124)), 0, 1, 0x49, 0x4d];
