import { promises as fs } from "node:fs";
import path from "node:path";
import { Writer } from "../../../../../src/engine/backends/onnxruntime/protobuf.ts";
import { runNetwork } from "../../../../../src/engine/classifier/graph.ts";
import { checkedOf } from "../../../../../src/engine/importers/index.ts";
import { openOnnx } from "../../../../../src/engine/importers/onnx/index.ts";
import { tf, type tfl } from "../../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../../src/shared/contract.ts";

/** ONNX files made by hand: message numbers are those of onnx.proto. */
export const float = (value: number) => ({ float: value });
export const floats = (...values: number[]) => ({ floats: values });
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly type?: "float" | "int64" | "uint8" | "int32" | "bool" | "float16" | "bfloat16" | "double";
  /** In the typed fields in place of raw_data. */
  readonly isTyped?: boolean;
}
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly graph: Writer }
  | Tensor;
export interface NodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly name?: string;
  readonly domain?: string;
}
export interface Spec {
  readonly nodes: readonly NodeSpec[];
  readonly initializers?: Readonly<Record<string, Tensor>>;
  /** Of the input x. */
  readonly input: readonly (number | string)[];
  readonly inputType?: number;
  readonly outputs?: readonly string[];
  readonly opset?: number;
  /** Versions of other operator sets. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** The model's own functions: FunctionProto. */
  readonly functions?: readonly Writer[];
  /** Appended to the graph as it is. */
  readonly more?: (graph: Writer) => void;
}

export const node = (op: string, inputs: string, outputs: string, attributes: NodeSpec["attributes"] = {}, name = ""): NodeSpec => ({
  op,
  inputs: inputs.split(" ").map((one) => (one === "_" ? "" : one)),
  outputs: outputs.split(" "),
  attributes,
  name,
});
export const ints = (...data: number[]): Tensor => ({ shape: [data.length], data, type: "int64" });
export const numbers = (shape: readonly number[], ...data: number[]): Tensor => ({ shape, data });

const codes = { float: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float16: 10, double: 11, bfloat16: 16 } as const;

export function rawBytes({ data, type = "float" }: Tensor): Uint8Array {
  const sizes = { float: 4, uint8: 1, int32: 4, int64: 8, bool: 1, float16: 2, double: 8, bfloat16: 2 };
  const view = new DataView(new ArrayBuffer(data.length * sizes[type]));
  data.forEach((value, i) => {
    if (type === "float") view.setFloat32(4 * i, value, true);
    else if (type === "double") view.setFloat64(8 * i, value, true);
    else if (type === "int64") view.setBigInt64(8 * i, BigInt(value), true);
    else if (type === "int32") view.setInt32(4 * i, value, true);
    else if (type === "float16" || type === "bfloat16")
      view.setUint16(2 * i, value, true); // bits
    else view.setUint8(i, value);
  });
  return new Uint8Array(view.buffer);
}

export function tensorMessage(tensor: Tensor, name = ""): Writer {
  const { shape, data, type = "float", isTyped } = tensor;
  const message = new Writer();
  for (const side of shape) message.int(1, side);
  message.int(2, codes[type]);
  if (name) message.text(8, name);
  if (!isTyped) return message.data(9, rawBytes(tensor));
  const field = type === "float" ? 4 : type === "int64" ? 7 : 5;
  for (const value of data)
    if (type === "float") message.float(field, value);
    else message.int(field, value); // not packed
  return message;
}

function attributeMessage(name: string, value: Attribute): Writer {
  const message = new Writer().text(1, name);
  if (typeof value === "number") return message.int(3, value).int(20, 2);
  if (typeof value === "string") return message.text(4, value).int(20, 3);
  if ("shape" in value) return message.message(5, tensorMessage(value)).int(20, 4);
  if ("graph" in value) return message.message(6, value.graph).int(20, 5);
  if ("float" in value) return message.float(2, value.float).int(20, 1);
  if ("floats" in value) {
    for (const one of value.floats) message.float(7, one);
    return message.int(20, 6);
  }
  for (const one of value) message.int(8, one);
  return message.int(20, 7);
}

export function nodeMessage({ op, inputs, outputs, attributes = {}, name = "", domain }: NodeSpec): Writer {
  const message = new Writer();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  if (name) message.text(3, name);
  message.text(4, op);
  for (const [key, value] of Object.entries(attributes)) message.message(5, attributeMessage(key, value));
  if (domain) message.text(7, domain);
  return message;
}

export function valueMessage(name: string, shape: readonly (number | string)[] | undefined, type = 1): Writer {
  const tensor = new Writer().int(1, type);
  if (shape) {
    const sides = new Writer();
    for (const side of shape) sides.message(1, typeof side === "number" ? new Writer().int(1, side) : new Writer().text(2, side));
    tensor.message(2, sides);
  }
  return new Writer().text(1, name).message(2, new Writer().message(1, tensor));
}

/** A branch of an If. */
export function branch(nodes: readonly NodeSpec[], output: string, weights: Readonly<Record<string, Tensor>> = {}): Attribute {
  const graph = new Writer();
  for (const one of nodes) graph.message(1, nodeMessage(one));
  graph.text(2, "branch");
  for (const [name, tensor] of Object.entries(weights)) graph.message(5, tensorMessage(tensor, name));
  return { graph: graph.message(12, valueMessage(output, undefined)) };
}

/** Bytes of a model whose input is x and whose output, unless others are named, y. */
export function onnx(spec: Spec): Uint8Array {
  const graph = new Writer();
  for (const one of spec.nodes) graph.message(1, nodeMessage(one));
  graph.text(2, "graph");
  for (const [name, tensor] of Object.entries(spec.initializers ?? {})) graph.message(5, tensorMessage(tensor, name));
  graph.message(11, valueMessage("x", spec.input, spec.inputType));
  for (const name of spec.outputs ?? ["y"]) graph.message(12, valueMessage(name, undefined));
  spec.more?.(graph);
  const model = new Writer().int(1, 8).text(2, "test").message(7, graph);
  for (const [key, value] of Object.entries(spec.metadata ?? {})) model.message(14, new Writer().text(1, key).text(2, value));
  for (const one of spec.functions ?? []) model.message(25, one);
  for (const [domain, version] of Object.entries({ "": spec.opset ?? 13, ...spec.domains }))
    model.message(8, new Writer().text(1, domain).int(2, version));
  return model.finish();
}

export interface Imported {
  readonly network: tfl.LayersModel;
  readonly classes: readonly string[];
  /** Layers that move numbers. */
  readonly moves: number;
  /** What the network gives for pictures [b,H,W,C]. */
  run(x: tf.Tensor): number[];
}

let files = 0;

/** The network of a file in `folder`, after it was compared with ONNX Runtime. The caller disposes. */
export async function imported(bytes: Uint8Array, folder: string, contract: InputContract = { input: {} }): Promise<Imported> {
  const file = path.join(folder, `model-${files++}.onnx`);
  await fs.writeFile(file, bytes);
  const model = await openOnnx(file);
  try {
    const normalised = model.normalise(contract, undefined);
    const network = await model.build(normalised.whole);
    const { contract: inForce, ending } = normalised;
    const compare = await model.check?.(checkedOf(network, { contract: inForce, ending: { ...ending, removed: false } }));
    await compare?.(network);
    const classes = network.layers.map((layer) => layer.getClassName());
    const run = (x: tf.Tensor): number[] => tf.tidy(() => [...runNetwork(network, x).dataSync()]);
    return { network, classes, moves: classes.filter((name) => name === "Permute").length, run };
  } finally {
    model.close();
  }
}

/** Pictures in the order of the file, [b,C,H,W], as the network takes them. */
export const channelsFirst = (data: readonly number[], shape: readonly [number, number, number, number]): tf.Tensor =>
  tf.tidy(() => tf.transpose(tf.tensor4d([...data], [...shape]), [0, 2, 3, 1]));
