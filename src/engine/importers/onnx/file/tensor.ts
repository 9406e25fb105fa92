import { BulwarkError } from "../../../../shared/errors.ts";
import { countOf } from "../../strided.ts";
import { exportAgain } from "../problems.ts";
import { type ByteFile, cutOff } from "./bytes.ts";
import { type Data, dataOf, elementTypes, otherTypes } from "./elementTypes.ts";
import type { ExternalFiles } from "./external.ts";
import type { Limits } from "./limits.ts";
import { damaged, entryOf, type Field, fieldsOf, integersOf, type Range, textOf } from "./wire.ts";

/** Where the numbers of a tensor are. They are read on demand. */
export interface TensorRef {
  readonly name: string;
  /** Code of TensorProto.DataType. */
  readonly type: number;
  readonly shape: readonly number[];
  /** Little endian, dense, row-major. */
  readonly raw: { readonly file: ByteFile; readonly offset: number } | undefined;
  /** The typed fields that hold it if `raw` does not. */
  readonly typed: readonly Field[];
}

interface Draft {
  name: string;
  type: number;
  shape: number[];
  raw: Range | undefined;
  typed: Field[];
  external: Map<string, string>;
  isExternal: boolean;
}

/** Reads where a TensorProto keeps its numbers. @throws MODEL_INVALID if their count does not match its dimensions */
export function tensorOf(range: Range, externals: ExternalFiles, limits: Limits): TensorRef {
  const draft: Draft = { name: "", type: 0, shape: [], raw: undefined, typed: [], external: new Map(), isExternal: false };
  for (const field of fieldsOf(range)) read(field, draft, limits);
  const { name, type, shape } = draft;
  checkShape(shape, range);
  const element = elementTypes[type];
  const common = { name, type, shape, typed: draft.typed };
  if (!element) {
    if (draft.isExternal) externals.file(draft.external.get("location") ?? ""); // another program may read it
    return { ...common, raw: undefined }; // reported once it is used
  }
  const needed = countOf(shape) * element.bytes;
  if (draft.isExternal) return { ...common, typed: [], raw: externalRaw(draft, needed, externals, range) };
  if (draft.raw) {
    const { file, start, end } = draft.raw;
    if (end - start !== needed) throw wrongLength(range, draft, end - start, needed);
    return { ...common, typed: [], raw: { file, offset: start } };
  }
  const bits = draft.typed.reduce((sum, part) => sum + lengthOf(part), 0);
  if (bits < countOf(shape)) throw wrongLength(range, draft, bits, countOf(shape)); // each number takes at least a byte
  return { ...common, raw: undefined };
}

const lengthOf = ({ wire, range }: Field): number => (wire === 2 ? range.end - range.start : 1);

function read(field: Field, draft: Draft, limits: Limits): void {
  const { number, wire, value, range } = field;
  if (number === 1) draft.shape.push(...checkedRank(integersOf(field), draft, range));
  else if (number === 2 && wire === 0) draft.type = value;
  else if (number === 3) throw damaged(range.file.name, "a tensor in segments", range.start);
  else if (number === 8) draft.name = textOf(range);
  else if (number === 9 && wire === 2) draft.raw = range;
  else if (number === 13) addEntry(range, draft);
  else if (number === 14) draft.isExternal = isElsewhere(field);
  else if (number === 4 || number === 5 || number === 7 || number === 10 || number === 11) {
    if (wire !== 2) limits.elements(1);
    draft.typed.push(field);
  }
}

/** Whether the numbers are in another file. Programs disagree on what any other value means, so none of them may read such a file. */
function isElsewhere({ wire, value, range }: Field): boolean {
  if (wire === 0 && (value === 0 || value === 1)) return value === 1;
  throw damaged(range.file.name, "a tensor that does not say which file it is in", range.start);
}

function checkedRank(dims: readonly number[], { shape }: Draft, range: Range): readonly number[] {
  if (shape.length + dims.length > 8) throw damaged(range.file.name, "a tensor of more than 8 axes", range.start);
  return dims;
}

function checkShape(shape: readonly number[], range: Range): void {
  const isWrong = shape.some((side) => side < 0 || side > 2 ** 31 - 1) || countOf(shape) > 2 ** 31 - 1;
  if (isWrong) throw damaged(range.file.name, `a tensor [${shape.join(", ")}], which is no size`, range.start);
}

function addEntry(range: Range, { external }: Draft): void {
  const [key, value] = entryOf(range);
  if (external.has(key)) throw damaged(range.file.name, `the external data gives its ${key} twice`, range.start);
  external.set(key, value);
}

function externalRaw(draft: Draft, needed: number, externals: ExternalFiles, range: Range): NonNullable<TensorRef["raw"]> {
  const number = (key: string, otherwise: number): number => {
    const text = draft.external.get(key);
    if (text === undefined) return otherwise;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw damaged(range.file.name, `the external data's ${key} "${text}" is not a number`, range.start);
    return value;
  };
  const [offset, length] = [number("offset", 0), number("length", needed)];
  if (length !== needed) throw wrongLength(range, draft, length, needed);
  const file = externals.file(draft.external.get("location") ?? "");
  if (offset + needed > file.size) throw cutOff(file.name, `"${draft.name}"`, { at: offset, needed, left: file.size - offset });
  return { file, offset };
}

function wrongLength({ file, start }: Range, { name, shape, type }: Draft, held: number, needed: number): BulwarkError {
  const what = `[${shape.join(", ")}] of ${elementTypes[type]?.name ?? "its type"}`;
  return new BulwarkError(
    "MODEL_INVALID",
    `The weights "${name}" of ${file.name} hold ${held} bytes, and ${what} needs ${needed}.`,
    exportAgain,
    { detail: `byte ${start}` },
  );
}

/** Numbers decoded at a time. */
const blockLength = 1 << 20;

/** Visits the numbers of a tensor in order, block by block. A block is valid until the next one. @throws MODEL_INVALID, MODEL_UNSUPPORTED */
export function forBlocks(ref: TensorRef, model: string, visit: (block: Data, at: number) => void): void {
  const element = elementTypes[ref.type];
  if (!element)
    throw new BulwarkError(
      "MODEL_UNSUPPORTED",
      `The weights "${ref.name}" of ${model} are of the type ${otherTypes[ref.type] ?? `number ${ref.type}`}, which is not read.`,
      "Export the model with float32 weights.",
    );
  const count = countOf(ref.shape);
  if (!ref.raw) {
    const values = typedValues(ref, model);
    if (values.length > 0) visit(values, 0);
    return;
  }
  const { file, offset } = ref.raw;
  const scratch = new ArrayBuffer(Math.min(blockLength, count) * element.bytes);
  for (let at = 0; at < count; at += blockLength) {
    const length = Math.min(blockLength, count - at);
    const bytes = new Uint8Array(scratch, 0, length * element.bytes);
    file.readInto(bytes, offset + at * element.bytes);
    visit(decoded(bytes, element.kind === "float" && element.bytes === 4, ref.type), at);
  }
}

function decoded(bytes: Uint8Array<ArrayBuffer>, isFloat32: boolean, type: number): Data {
  if (isFloat32) return new Float32Array(bytes.buffer, 0, bytes.length / 4); // every platform of Node is little endian
  const element = elementTypes[type] as (typeof elementTypes)[number] & object;
  const view = new DataView(bytes.buffer);
  const values = dataOf(element.kind, bytes.length / element.bytes);
  for (let i = 0; i < values.length; i++) values[i] = element.read(view, i * element.bytes);
  return values;
}

function typedValues(ref: TensorRef, model: string): Data {
  const element = elementTypes[ref.type] as (typeof elementTypes)[number] & object;
  const count = countOf(ref.shape);
  const values = dataOf(element.kind, count);
  let at = 0;
  const add = (value: number): void => {
    if (at < count) values[at] = element.typed(value);
    at++;
  };
  for (const field of ref.typed) {
    if (field.number !== element.field) continue;
    if (element.field === 4 || element.field === 10) fixedValues(field, element.field === 4 ? 4 : 8, add);
    else for (const value of integersOf(field)) add(value);
  }
  if (at === count) return values;
  throw new BulwarkError(
    "MODEL_INVALID",
    `The weights "${ref.name}" of ${model} hold ${at} numbers, and their shape needs ${count}.`,
    exportAgain,
  );
}

function fixedValues({ range }: Field, size: 4 | 8, add: (value: number) => void): void {
  const { file, start, end } = range;
  if ((end - start) % size !== 0) throw damaged(file.name, "numbers of another size", start);
  const bytes = file.bytes(start, end - start);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < bytes.length; i += size) add(size === 4 ? view.getFloat32(i, true) : view.getFloat64(i, true));
}
