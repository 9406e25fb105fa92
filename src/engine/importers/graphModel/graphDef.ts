import type { Header } from "../artifacts.ts";
import type { Attribute, FileNode, FileValue } from "../onnx/file/model.ts";
import { invalidModel, tooLarge } from "../onnx/problems.ts";
import { record, wordOf } from "../topology/graph.ts";

/** Far above real networks. */
const mostNodes = 100_000;
const saveAgain = "Save or download the model again.";

/** A TensorFlow graph. Values have the names of their nodes: "conv", and "split:1" for a second output. */
export interface GraphDef {
  readonly nodes: readonly FileNode[];
  /** Placeholders. */
  readonly inputs: readonly FileValue[];
  /** Those of the signature; without one, what no node uses. */
  readonly outputs: readonly GraphOutput[];
}
export interface GraphOutput extends FileValue {
  /** The value that it names. */
  readonly value: string;
}
type Json = Readonly<Record<string, unknown>>;

/**
 * Reads the nodes of a graph model, the JSON form of GraphDef. Control inputs are left out, as they decide only when something is computed.
 * @throws MODEL_INVALID, MODEL_TOO_LARGE
 */
export function graphDefOf({ topology, signature }: Pick<Header, "topology" | "signature">, file: string): GraphDef {
  const given = topology["node"];
  if (!Array.isArray(given) || given.length === 0) throw invalidModel(file, "is a graph model without nodes", saveAgain);
  if (given.length > mostNodes) throw tooLarge(file, `has more than ${mostNodes.toLocaleString("en-GB")} nodes`, saveAgain);
  const further = new Map<string, string[]>(); // outputs after the first, by node
  const known = new Map<string, FileNode>();
  for (const [i, json] of given.entries()) {
    const node = nodeOf(json, further, `has a node ${i + 1} of ${given.length} that cannot be read`, file);
    if (known.has(node.name)) throw invalidModel(file, `has two nodes "${node.name}"`, saveAgain);
    known.set(node.name, node);
  }
  const nodes = [...known.values()].map((node) => ({ ...node, outputs: [node.name, ...new Set(further.get(node.name))] }));
  return { nodes, inputs: inputsOf(nodes, signature), outputs: outputsOf(nodes, signature, file) };
}

function nodeOf(json: unknown, further: Map<string, string[]>, problem: string, file: string): FileNode {
  const { name, op, input = [], attr } = record(json) ?? {};
  if (typeof name !== "string" || name === "" || typeof op !== "string" || !Array.isArray(input))
    throw invalidModel(file, problem, saveAgain);
  const inputs: string[] = [];
  for (const one of input) {
    if (typeof one !== "string") throw invalidModel(file, problem, saveAgain);
    if (one.startsWith("^")) continue;
    const value = valueNamed(one);
    const [maker = ""] = value.split(":");
    if (value !== maker) further.set(maker, [...(further.get(maker) ?? []), value]);
    inputs.push(value);
  }
  return { name, op, domain: "", inputs, outputs: [name], attributes: attributesOf(record(attr) ?? {}) };
}

/** A tensor's name, "conv:0", without the number of a first output. */
const valueNamed = (tensor: string): string => tensor.replace(/:0$/, "");

const attributesOf = (attr: Json): Map<string, Attribute> =>
  new Map(Object.entries(attr).map(([name, value]) => [name, { name, ...attributeOf(record(value) ?? {}) }]));

/** What an AttrValue holds: flags as 0 or 1, types by their names, sizes of a shape with −1 for any. */
function attributeOf(value: Json): Omit<Attribute, "name"> {
  const { s, i, f, b, type, shape, list } = value;
  if (s !== undefined) return { text: textOf(s) };
  if (i !== undefined) return { int: Number(i), float: Number(i) };
  if (f !== undefined) return { float: Number(f) };
  if (b !== undefined) return { int: Number(b === true) };
  if (type !== undefined) return { text: wordOf(type) };
  if (shape !== undefined) return { ints: sizesOf(shape)?.map((size) => size ?? -1) ?? [], isOther: sizesOf(shape) === undefined };
  const lists = record(list);
  if (!lists) return { isOther: true };
  const numbers = [lists["i"], lists["f"], lists["b"]].find(Array.isArray)?.map(Number);
  return { texts: Array.isArray(lists["s"]) ? lists["s"].map(textOf) : [], ints: numbers ?? [], floats: numbers ?? [] };
}

/** Bytes, in base64 or as numbers. */
function textOf(bytes: unknown): string {
  if (Array.isArray(bytes)) return Buffer.from(bytes.map(Number)).toString("latin1");
  return typeof bytes === "string" ? Buffer.from(bytes, "base64").toString("latin1") : "";
}

/** The sizes of a TensorShapeProto, null for any; undefined for one of unknown rank. */
function sizesOf(shape: unknown): (number | null)[] | undefined {
  const { unknownRank, dim = [] } = record(shape) ?? {};
  if (unknownRank === true || !Array.isArray(dim)) return undefined;
  return dim.map((one) => {
    const size = Number(record(one)?.["size"] ?? 0); // proto3 leaves a 0 out
    return Number.isSafeInteger(size) && size > 0 ? size : null;
  });
}

/** The codes of ONNX for the types of images. Bytes arrive as int32, the only integers of TensorFlow.js. */
const typeCodes = new Map([
  ["DT_FLOAT", 1],
  ["DT_HALF", 1],
  ["DT_INT32", 2],
  ["DT_UINT8", 2],
]);

/** Tensors of a signature by the names that it has for them. */
function* signedTensors(signature: Json | undefined, side: "inputs" | "outputs"): Generator<[key: string, tensor: Json, value: string]> {
  for (const [key, tensor] of Object.entries(record(signature?.[side]) ?? {})) {
    const json = record(tensor);
    if (json) yield [key, json, valueNamed(typeof json["name"] === "string" ? json["name"] : key)];
  }
}

function inputsOf(nodes: readonly FileNode[], signature: Json | undefined): FileValue[] {
  const signed = new Map([...signedTensors(signature, "inputs")].map(([, tensor, value]) => [value, tensor]));
  const inputs = nodes.filter(({ op, name }) => op === "Placeholder" || (op === "PlaceholderWithDefault" && signed.has(name)));
  return inputs.map(({ name, attributes }) => {
    const own = attributes.get("shape");
    const tensor = signed.get(name);
    const shape = own?.ints?.length ? own.ints.map((size) => (size > 0 ? size : null)) : sizesOf(tensor?.["tensorShape"]);
    return { name, type: typeCodes.get(attributes.get("dtype")?.text ?? wordOf(tensor?.["dtype"])) ?? 0, shape };
  });
}

function outputsOf(nodes: readonly FileNode[], signature: Json | undefined, file: string): GraphOutput[] {
  const signed = [...signedTensors(signature, "outputs")].map(
    ([name, tensor, value]): GraphOutput => ({ name, value, type: 1, shape: sizesOf(tensor["tensorShape"]) }),
  );
  if (signed.length > 0) return signed;
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const silent = ["Const", "NoOp", "Placeholder"];
  const last = nodes.filter(({ op, outputs }) => !silent.includes(op) && outputs.every((value) => !used.has(value)));
  if (last.length === 0) throw invalidModel(file, "has no output", saveAgain);
  return last.map(({ name }) => ({ name, value: name, type: 1, shape: undefined }));
}
