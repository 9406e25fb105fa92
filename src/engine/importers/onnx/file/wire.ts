import { BulwarkError } from "../../../../shared/errors.ts";
import { exportAgain } from "../problems.ts";
import { type ByteFile, cutOff } from "./bytes.ts";

const longestName = 1024;
/** Bytes of a varint: 64 bits in groups of seven. */
const longestVarint = 10;

/** A message, or packed numbers, within a file. */
export interface Range {
  readonly file: ByteFile;
  readonly start: number;
  readonly end: number;
}
/** One field of a message. `value` is for varints; other fields have their bytes in `range`. */
export interface Field {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  readonly value: number;
  readonly range: Range;
}

export const damaged = (file: string, what: string, at: number): BulwarkError =>
  new BulwarkError("MODEL_INVALID", `${file} is damaged: ${what} at byte ${at}.`, exportAgain, { detail: `byte ${at}` });

/** A whole file as one message. */
export const messageOf = (file: ByteFile): Range => ({ file, start: 0, end: file.size });

/**
 * The fields of a message in the wire format of protocol buffers. Contents of fields are read on demand, so unknown messages are skipped,
 * however deeply nested.
 * @throws MODEL_INVALID with the byte offset of the damage
 */
export function* fieldsOf(range: Range): Generator<Field> {
  const { file, end } = range;
  const reader = new Reader(range);
  while (reader.at < end) {
    const begin = reader.at;
    const key = reader.varint();
    const [number, wire] = [Math.floor(key / 8), key % 8];
    if (number < 1 || number > 0x1fffffff) throw damaged(file.name, `the field number ${number} is not valid`, begin);
    if (wire === 0) yield { number, wire, value: reader.varint(), range };
    else if (wire === 1) yield { number, wire, value: 0, range: reader.take(8) };
    else if (wire === 5) yield { number, wire, value: 0, range: reader.take(4) };
    else if (wire === 2) {
      const length = reader.varint();
      if (length < 0) throw damaged(file.name, "a negative length", begin);
      yield { number, wire, value: 0, range: reader.take(length) };
    } else throw damaged(file.name, `the wire type ${wire} is not used by ONNX`, begin);
  }
}

/** Reads a range from start to end. */
class Reader {
  at: number;
  private readonly range: Range;
  constructor(range: Range) {
    this.range = range;
    this.at = range.start;
  }

  /** A signed 64-bit integer, rounded beyond 2^53: only the end of a Slice is ever that large. */
  varint(): number {
    const { file, end } = this.range;
    const begin = this.at;
    let value = 0;
    let factor = 1;
    for (let i = 0; i < longestVarint; i++) {
      if (this.at >= end) throw cutOff(file.name, "a number", { at: begin, needed: i + 1, left: end - begin });
      const byte = file.byte(this.at++);
      if (i === longestVarint - 1) {
        if (byte > 1) break;
        return byte === 1 ? Number(BigInt.asIntN(64, this.exact(begin))) : value;
      }
      value += (byte & 127) * factor;
      factor *= 128;
      if (byte < 128) return value;
    }
    throw damaged(file.name, "a number of more than 64 bits", begin);
  }

  private exact(begin: number): bigint {
    let value = 0n;
    for (let i = 0; i < longestVarint; i++) value |= BigInt(this.range.file.byte(begin + i) & 127) << BigInt(7 * i);
    return value;
  }

  take(length: number): Range {
    const { file, end } = this.range;
    const start = this.at;
    if (length > end - start) throw cutOff(file.name, "a field", { at: start, needed: length, left: end - start });
    this.at += length;
    return { file, start, end: this.at };
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A string. @throws MODEL_INVALID if it is not UTF-8 or longer than `longest` bytes */
export function textOf({ file, start, end }: Range, longest = longestName): string {
  if (end - start > longest) throw damaged(file.name, `a name of ${end - start} bytes`, start);
  try {
    return utf8.decode(file.bytes(start, end - start));
  } catch {
    throw damaged(file.name, "a name that is not valid UTF-8", start);
  }
}

/** A key and its value: StringStringEntryProto. @throws MODEL_INVALID */
export function entryOf(range: Range, longestValue = longestName): [key: string, value: string] {
  let key = "";
  let value = "";
  for (const field of fieldsOf(range))
    if (field.number === 1) key = textOf(field.range);
    else if (field.number === 2) value = textOf(field.range, longestValue);
  return [key, value];
}

/** The integers of a repeated field: packed, or a single one. */
export function integersOf(field: Field): number[] {
  if (field.wire === 0) return [field.value];
  if (field.wire !== 2) throw damaged(field.range.file.name, "a number of another type", field.range.start);
  const reader = new Reader(field.range);
  const values: number[] = [];
  while (reader.at < field.range.end) values.push(reader.varint());
  return values;
}

/** The 32-bit floats of a repeated field, packed or single. */
export function floatsOf({ range, wire }: Field): number[] {
  const { file, start, end } = range;
  if (wire === 0 || wire === 1 || (end - start) % 4 !== 0) throw damaged(file.name, "floats of another size", start);
  const bytes = file.bytes(start, end - start);
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
