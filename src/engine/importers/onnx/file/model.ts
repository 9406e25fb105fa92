import type { ExternalFiles } from "./external.ts";
import type { Limits } from "./limits.ts";
import { type TensorRef, tensorOf } from "./tensor.ts";
import { damaged, entryOf, type Field, fieldsOf, floatsOf, integersOf, type Range, textOf } from "./wire.ts";

export interface Attribute {
  readonly name: string;
  readonly float?: number;
  readonly int?: number;
  readonly text?: string;
  readonly tensor?: TensorRef;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly texts?: readonly string[];
  /** Holds a graph or another kind of value that no supported operator takes. */
  readonly isOther?: boolean;
  /** A branch of an If, or the body of a Loop. */
  readonly graph?: FileGraph;
  /** In a function's body: the attribute of the call that it refers to. */
  readonly refersTo?: string;
}
export type Attributes = ReadonlyMap<string, Attribute>;

export interface FileNode {
  readonly name: string;
  readonly op: string;
  /** "" for the standard ONNX domain. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}
/** An input or output of the graph. */
export interface FileValue {
  readonly name: string;
  /** Code of its element type; 0 if it is not a tensor. */
  readonly type: number;
  /** null for an axis of any size; undefined if the rank is unknown. */
  readonly shape: readonly (number | null)[] | undefined;
}
export interface FileGraph {
  readonly nodes: readonly FileNode[];
  readonly initializers: ReadonlyMap<string, TensorRef>;
  /** Without initializers, which old files list as inputs too. */
  readonly inputs: readonly FileValue[];
  readonly outputs: readonly FileValue[];
  readonly isSparse: boolean;
}
export interface FileFunction {
  readonly name: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Default values of attributes. */
  readonly defaults: Attributes;
  readonly nodes: readonly FileNode[];
}
export interface FileModel {
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: FileGraph | undefined;
  readonly metadata: ReadonlyMap<string, string>;
  readonly functions: readonly FileFunction[];
}

export interface Context {
  readonly externals: ExternalFiles;
  readonly limits: Limits;
}

/** Reads a ModelProto without the weights themselves. @throws MODEL_INVALID, MODEL_TOO_LARGE, MODEL_UNSAFE */
export function modelOf(range: Range, context: Context): FileModel {
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const graphs: Range[] = [];
  const functions: Range[] = [];
  for (const field of fieldsOf(range)) {
    if (field.number === 7) graphs.push(messageIn(field));
    else if (field.number === 8) addOpset(messageIn(field), opsets);
    else if (field.number === 14) metadata.set(...entryOf(messageIn(field), longestEntry));
    else if (field.number === 25) functions.push(messageIn(field));
  }
  return {
    opsets,
    metadata,
    graph: graphs.length === 0 ? undefined : graphOf(graphs, context),
    functions: functions.map((one) => functionOf(one, context)),
  };
}

function messageIn({ wire, range, number }: Field): Range {
  if (wire !== 2) throw damaged(range.file.name, `field ${number} is not a message`, range.start);
  return range;
}

const domainOf = (text: string): string => (text === "ai.onnx" ? "" : text);

function addOpset(range: Range, opsets: Map<string, number>): void {
  let domain = "";
  let version = 0;
  for (const field of fieldsOf(range))
    if (field.number === 1) domain = domainOf(textOf(field.range));
    else if (field.number === 2) version = field.value;
  opsets.set(domain, version);
}

/** Longest value in `metadata_props`: enough for the names of thousands of classes. */
const longestEntry = 1 << 20;

/** A graph. Protocol buffers merge a message that occurs several times. */
function graphOf(parts: readonly Range[], context: Context): FileGraph {
  const nodes: FileNode[] = [];
  const initializers = new Map<string, TensorRef>();
  const inputs: FileValue[] = [];
  const outputs: FileValue[] = [];
  let isSparse = false;
  for (const part of parts)
    for (const field of fieldsOf(part)) {
      if (field.number === 1) nodes.push(nodeOf(messageIn(field), context));
      else if (field.number === 5) {
        context.limits.tensor();
        const tensor = tensorOf(messageIn(field), context.externals, context.limits);
        if (initializers.has(tensor.name)) throw damaged(part.file.name, `two weights named "${tensor.name}"`, field.range.start);
        initializers.set(tensor.name, tensor);
      } else if (field.number === 11) inputs.push(fileValue(messageIn(field)));
      else if (field.number === 12) outputs.push(fileValue(messageIn(field)));
      else if (field.number === 15) {
        checkSparse(messageIn(field), context);
        isSparse = true;
      }
    }
  return { nodes, initializers, inputs: inputs.filter(({ name }) => !initializers.has(name)), outputs, isSparse };
}

function nodeOf(range: Range, context: Context): FileNode {
  context.limits.node();
  const node = { name: "", op: "", domain: "", inputs: [] as string[], outputs: [] as string[], attributes: new Map<string, Attribute>() };
  for (const field of fieldsOf(range)) {
    if (field.number === 1) node.inputs.push(textOf(field.range));
    else if (field.number === 2) node.outputs.push(textOf(field.range));
    else if (field.number === 3) node.name = textOf(field.range);
    else if (field.number === 4) node.op = textOf(field.range);
    else if (field.number === 5) {
      const attribute = attributeOf(messageIn(field), context);
      node.attributes.set(attribute.name, attribute);
    } else if (field.number === 7) node.domain = domainOf(textOf(field.range));
  }
  context.limits.elements(node.inputs.length + node.outputs.length);
  return node;
}

/** Longest string attribute. Supported operators use short mode names. */
const longestText = 1 << 16;

function attributeOf(range: Range, context: Context): Attribute {
  const all: { -readonly [K in keyof Attribute]: Attribute[K] } = { name: "" };
  const floats: number[] = [];
  const ints: number[] = [];
  const texts: string[] = [];
  const seen = new Set<number>();
  let type = 0;
  for (const field of fieldsOf(range)) {
    const { number, value } = field;
    if (number === 1) all.name = textOf(field.range);
    else if (number === 2) all.float = floatsOf(field)[0] ?? 0;
    else if (number === 3) all.int = value;
    else if (number === 4) all.text = textOf(field.range, longestText);
    else if (number === 5) {
      once(seen, field);
      all.tensor = tensorOf(messageIn(field), context.externals, context.limits);
    } else if (number === 7) pushAll(floats, floatsOf(field), context);
    else if (number === 8) pushAll(ints, integersOf(field), context);
    else if (number === 9) pushAll(texts, [textOf(field.range, longestText)], context);
    else if (number === 20) type = value;
    else if (number === 21) all.refersTo = textOf(field.range);
    else if (number === 6 || number === 10 || number === 11 || number === 22 || number === 23) {
      if (number === 6 || number === 22) once(seen, field);
      if (number === 6) all.graph = context.limits.within(() => graphOf([messageIn(field)], context));
      else checkOther(field, context);
      all.isOther = true;
    }
  }
  const isOf = (code: number, list: readonly unknown[]): boolean => list.length > 0 || type === code;
  if (isOf(6, floats)) all.floats = floats;
  if (isOf(7, ints)) all.ints = ints;
  if (isOf(8, texts)) all.texts = texts;
  if (type === 2) all.int ??= 0; // default values need not be written
  if (type === 1) all.float ??= 0;
  if (type === 3) all.text ??= "";
  return all;
}

/** Another program may run what is not supported here: weights in there are subject to the same limits. */
function checkOther(field: Field, context: Context): void {
  const { externals, limits } = context;
  if (field.number === 11) limits.within(() => graphOf([messageIn(field)], context));
  else if (field.number === 10) tensorOf(messageIn(field), externals, limits);
  else checkSparse(messageIn(field), context);
}

/** The numbers and the places of a SparseTensorProto. */
function checkSparse(range: Range, { externals, limits }: Context): void {
  const seen = new Set<number>();
  for (const field of fieldsOf(range)) {
    if (field.number !== 1 && field.number !== 2) continue;
    once(seen, field);
    tensorOf(messageIn(field), externals, limits);
  }
}

/** Refuses a tensor or graph in several parts: other programs merge them, and then read weights from a file that no part alone names. */
function once(seen: Set<number>, { number, range }: Field): void {
  if (seen.has(number)) throw damaged(range.file.name, "a tensor or graph in several parts", range.start);
  seen.add(number);
}

function pushAll<T>(list: T[], values: readonly T[], { limits }: Context): void {
  limits.elements(values.length);
  for (const value of values) list.push(value);
}

function fileValue(range: Range): FileValue {
  let name = "";
  let found: Pick<FileValue, "type" | "shape"> = { type: 0, shape: undefined };
  for (const field of fieldsOf(range))
    if (field.number === 1) name = textOf(field.range);
    else if (field.number === 2)
      for (const inner of fieldsOf(messageIn(field))) if (inner.number === 1) found = tensorType(messageIn(inner));
  return { name, ...found };
}

/** What some programs write for a size that is left open. */
const anySize = -1;

function tensorType(range: Range): Pick<FileValue, "type" | "shape"> {
  let type = 0;
  let shape: (number | null)[] | undefined;
  for (const field of fieldsOf(range))
    if (field.number === 1) type = field.value;
    else if (field.number === 2) {
      shape = [];
      for (const dim of fieldsOf(messageIn(field))) {
        let size: number | null = null;
        for (const inner of fieldsOf(messageIn(dim))) if (inner.number === 1 && inner.value !== anySize) size = inner.value;
        shape.push(size);
      }
    }
  return { type, shape };
}

function functionOf(range: Range, context: Context): FileFunction {
  const made = { name: "", domain: "", inputs: [] as string[], outputs: [] as string[], nodes: [] as FileNode[] };
  const defaults = new Map<string, Attribute>();
  for (const field of fieldsOf(range)) {
    if (field.number === 1) made.name = textOf(field.range);
    else if (field.number === 4) made.inputs.push(textOf(field.range));
    else if (field.number === 5) made.outputs.push(textOf(field.range));
    else if (field.number === 7) made.nodes.push(nodeOf(messageIn(field), context));
    else if (field.number === 10) made.domain = domainOf(textOf(field.range));
    else if (field.number === 11) {
      const attribute = attributeOf(messageIn(field), context);
      defaults.set(attribute.name, attribute);
    }
  }
  return { ...made, defaults };
}
