import fs from "node:fs";
import path from "node:path";
import { Writer } from "../../backends/onnxruntime/protobuf.ts";
import type { Weightless } from "../../backends/onnxruntime/reference.ts";
import { openFileSync } from "../../io/files.ts";
import { ByteFile } from "./file/bytes.ts";
import { type Field, fieldsOf, messageOf, type Range } from "./file/wire.ts";

/** Weights of this many bytes or more are left in the file. */
const large = 4096;

/**
 * A model without its large weights, which it names as parts of its own file: ONNX Runtime then maps them into memory, where it would hold
 * them twice while it opens the file. Weights that are in other files stay there.
 */
export function weightless(file: string): Weightless {
  const place = fs.realpathSync(file);
  const bytes = new ByteFile(file, openFileSync(place));
  try {
    const name = path.basename(place);
    const tensor = (range: Range): Writer => {
      const fields = [...fieldsOf(range)];
      const raw = fields.find(({ number, range: { start, end } }) => number === 9 && end - start >= large);
      return written(fields, (field, out) => (field === raw ? named(out, name, field.range) : copied(field, out)));
    };
    const graph = (range: Range): Writer =>
      written(fieldsOf(range), (field, out) => (field.number === 5 ? out.message(5, tensor(field.range)) : copied(field, out)));
    const model = written(fieldsOf(messageOf(bytes)), (field, out) =>
      field.number === 7 ? out.message(7, graph(field.range)) : copied(field, out),
    );
    return { model: model.finish(), folder: path.dirname(place) };
  } finally {
    bytes.close();
  }
}

function written(fields: Iterable<Field>, write: (field: Field, out: Writer) => void): Writer {
  const out = new Writer();
  for (const field of fields) write(field, out);
  return out;
}

function copied({ number, wire, value, range: { file, start, end } }: Field, out: Writer): void {
  if (wire === 0) out.int(number, value);
  else if (wire === 2) out.data(number, file.bytes(start, end - start));
  else throw new Error(`the field ${number} of a model has the wire type ${wire}`);
}

/** TensorProto: external_data 13 {key 1, value 2}, data_location 14 (EXTERNAL 1). */
function named(out: Writer, location: string, { start, end }: Range): void {
  const entries = { location, offset: `${start}`, length: `${end - start}` };
  for (const [key, value] of Object.entries(entries)) out.message(13, new Writer().text(1, key).text(2, value));
  out.int(14, 1);
}
