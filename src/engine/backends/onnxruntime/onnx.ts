import { Writer } from "./protobuf.ts";

/** Element types that our graphs use; int64 (indices, shapes) and float64 (powers of integers) only inside a graph. */
export type ElementType = "float32" | "int32" | "bool" | "int64" | "float64";

/** TensorProto.DataType. */
export const elementCode: Record<ElementType, number> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 };

export type Attribute = number | string | readonly number[] | { readonly float: number } | { readonly floats: readonly number[] };
export interface OnnxNode {
  readonly type: string;
  readonly inputs: string[];
  readonly outputs: string[];
  attributes: Readonly<Record<string, Attribute>>;
  readonly domain?: string;
  readonly name?: string;
}
export interface Initializer {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
  /** Lies outside the model, which only names it: the bytes are given to the session beside it. */
  readonly isExternal?: boolean;
}
export interface Port {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
}

// AttributeProto: name 1, f 2, i 3, s 4, floats 7, ints 8, type 20 (FLOAT 1, INT 2, STRING 3, FLOATS 6, INTS 7).
function attribute(name: string, value: Attribute): Writer {
  const out = new Writer().text(1, name);
  if (typeof value === "number") return out.int(3, value).int(20, 2);
  if (typeof value === "string") return out.text(4, value).int(20, 3);
  if ("float" in value) return out.float(2, value.float).int(20, 1);
  if ("floats" in value) {
    for (const item of value.floats) out.float(7, item);
    return out.int(20, 6);
  }
  for (const item of value) out.int(8, item);
  return out.int(20, 7);
}

// NodeProto: input 1, output 2, name 3, op_type 4, attribute 5, domain 7.
function node(item: OnnxNode): Writer {
  const out = new Writer();
  for (const name of item.inputs) out.text(1, name);
  for (const name of item.outputs) out.text(2, name);
  if (item.name) out.text(3, item.name);
  out.text(4, item.type);
  for (const [name, value] of Object.entries(item.attributes)) out.message(5, attribute(name, value));
  return item.domain ? out.text(7, item.domain) : out;
}

// StringStringEntryProto: key 1, value 2.
const entry = ([key, value]: readonly [string, string]): Writer => new Writer().text(1, key).text(2, value);

// TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13, data_location 14 (EXTERNAL 1).
function tensor(item: Initializer): Writer {
  const out = new Writer();
  for (const size of item.shape) out.int(1, size);
  out.int(2, elementCode[item.dtype]).text(8, item.name);
  if (!item.isExternal) return out.data(9, item.bytes);
  const { name, bytes } = item;
  for (const pair of Object.entries({ location: name, offset: "0", length: `${bytes.length}` })) out.message(13, entry(pair));
  return out.int(14, 1);
}

// ValueInfoProto: name 1, type 2; TypeProto.tensor_type 1: elem_type 1, shape 2; TensorShapeProto.dim 1: dim_value 1.
function port(item: Port): Writer {
  const shape = new Writer();
  for (const size of item.shape) shape.message(1, new Writer().int(1, size));
  const type = new Writer().message(1, new Writer().int(1, elementCode[item.dtype]).message(2, shape));
  return new Writer().text(1, item.name).message(2, type);
}

export interface ModelParts {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

/** An ONNX model file: IR version 8, operator set 17 (the last in which all reductions but the sum take their axes as attributes). */
export function encodeModel(parts: ModelParts): Uint8Array {
  const graph = new Writer();
  for (const item of parts.nodes) graph.message(1, node(item));
  graph.text(2, "bulwark");
  for (const item of parts.initializers) graph.message(5, tensor(item));
  for (const item of parts.inputs) graph.message(11, port(item));
  for (const item of parts.outputs) graph.message(12, port(item));
  const model = new Writer().int(1, 8).message(7, graph).message(8, new Writer().text(1, "").int(2, 17));
  for (const domain of new Set(parts.nodes.map((item) => item.domain)))
    if (domain) model.message(8, new Writer().text(1, domain).int(2, 1));
  return model.finish();
}
