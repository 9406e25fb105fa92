import { openFileSync } from "../../io/files.ts";
import { byteLength, type Group, type Header, type WeightSpec } from "../artifacts.ts";
import { ByteFile } from "../onnx/file/bytes.ts";
import { type Data, dataOf, halfOf } from "../onnx/file/elementTypes.ts";
import { Constant } from "../onnx/values.ts";
import { countOf } from "../strided.ts";

/** Numbers decoded at a time. */
const blockLength = 1 << 20;

/** The weight files of a model, opened when a weight is first read. The caller closes them. */
export class WeightFiles {
  private readonly open = new Map<string, ByteFile>();

  /** Fills `target` from a group's bytes at `offset`; they may go over the end of a file. */
  readInto(target: Uint8Array, { parts }: Group, offset: number): void {
    let start = 0;
    for (const { path, size } of parts) {
      const [from, to] = [Math.max(offset, start), Math.min(offset + target.length, start + size)];
      if (from < to) this.file(path).readInto(target.subarray(from - offset, to - offset), from - start);
      start += size;
    }
  }

  close(): void {
    for (const file of this.open.values()) file.close();
    this.open.clear();
  }

  private file(path: string): ByteFile {
    const known = this.open.get(path);
    if (known) return known;
    const opened = new ByteFile(path, openFileSync(path));
    this.open.set(path, opened);
    return opened;
  }
}

/** All weights by name. Their numbers are read when they are asked for. */
export function constantsOf({ groups }: Header, files: WeightFiles): Map<string, Constant> {
  const constants = new Map<string, Constant>();
  for (const group of groups) {
    let offset = 0;
    for (const spec of group.specs) {
      constants.set(spec.name, constantOf(spec, group, offset, files));
      offset += byteLength(spec);
    }
  }
  return constants;
}

function constantOf(spec: WeightSpec, group: Group, offset: number, files: WeightFiles): Constant {
  const { name, shape, dtype } = spec;
  const count = countOf(shape);
  const size = count === 0 ? 0 : byteLength(spec) / count;
  const kind = dtype === "float32" ? "float" : dtype === "bool" ? "bool" : "int";
  return new Constant({ kind, shape, isOfBatch: false, title: name }, (visit) => {
    const scratch = new ArrayBuffer(Math.min(blockLength, count) * size);
    for (let at = 0; at < count; at += blockLength) {
      const bytes = new Uint8Array(scratch, 0, Math.min(blockLength, count - at) * size);
      files.readInto(bytes, group, offset + at * size);
      visit(decoded(bytes, spec, kind), at);
    }
  });
}

/** Little endian numbers as they are used: quantised ones are q·scale + min. */
function decoded(bytes: Uint8Array<ArrayBuffer>, { dtype, quantization }: WeightSpec, kind: Constant["kind"]): Data {
  if (kind === "float" && !quantization) return new Float32Array(bytes.buffer, 0, bytes.length / 4); // every platform of Node is little endian
  const stored = quantization?.dtype ?? dtype;
  const view = new DataView(bytes.buffer);
  const read: Readonly<Record<typeof stored, readonly [size: number, number: (at: number) => number]>> = {
    float32: [4, (at) => view.getFloat32(at, true)],
    int32: [4, (at) => view.getInt32(at, true)],
    bool: [1, (at) => view.getUint8(at)],
    uint8: [1, (at) => view.getUint8(at)],
    uint16: [2, (at) => view.getUint16(at, true)],
    float16: [2, (at) => halfOf(view.getUint16(at, true))],
  };
  const [size, number] = read[stored];
  const { scale = 1, min = 0 } = stored === "uint8" || stored === "uint16" ? (quantization ?? {}) : {};
  const values = dataOf(kind, bytes.length / size);
  const isWhole = kind !== "float";
  for (let i = 0; i < values.length; i++) {
    const value = number(i * size) * scale + min;
    values[i] = isWhole ? Math.round(value) : value;
  }
  return values;
}
