import { promises as fs } from "node:fs";
import path from "node:path";

/** Graph models of TensorFlow.js made by hand: the JSON form of GraphDef. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly dtype?: "float32" | "int32" | "bool";
  readonly quantization?: { readonly dtype: "uint8" | "uint16" | "float16"; readonly scale?: number; readonly min?: number };
}
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, unknown>>;
}
export interface Spec {
  readonly nodes: readonly GraphNode[];
  readonly weights?: Readonly<Record<string, Weight>>;
  /** Of the placeholder x; −1 for any size. */
  readonly input: readonly number[];
  readonly inputType?: string;
  readonly signature?: unknown;
  /** Bytes of a weight file; all in one without it. */
  readonly shard?: number;
}

export const numbers = (shape: readonly number[], ...data: number[]): Weight => ({ shape, data });
export const ints = (...data: number[]): Weight => ({ shape: [data.length], data, dtype: "int32" });
export const int = (value: number): Weight => ({ shape: [], data: [value], dtype: "int32" });

const base64 = (text: string): string => Buffer.from(text).toString("base64");
export const text = (value: string) => ({ s: base64(value) });
export const texts = (...values: string[]) => ({ list: { s: values.map(base64) } });
export const list = (...values: number[]) => ({ list: { i: values.map(String) } });
export const number = (value: number) => ({ f: value });
/** Attributes as they stand in the file: integers are strings there. */
export const node = (op: string, input: string, name: string, attr: GraphNode["attr"] = {}): GraphNode => ({
  op,
  name,
  input: input === "" ? [] : input.split(" "),
  attr: Object.fromEntries(Object.entries(attr).map(([key, value]) => [key, attribute(value)])),
});
function attribute(value: unknown): unknown {
  if (typeof value === "string") return text(value);
  if (typeof value === "number") return { i: String(value) };
  if (typeof value === "boolean") return { b: value };
  return Array.isArray(value) ? list(...(value as number[])) : value;
}

const shapeOf = (sizes: readonly number[]) => ({ dim: sizes.map((size) => ({ size: String(size) })) });

/** The parts of a model.json and all weights, as they lie in their files. */
export function graphModel({ nodes, weights = {}, input, inputType = "DT_FLOAT", signature }: Spec) {
  const specs = Object.entries(weights).map(([name, { shape, dtype = "float32", quantization }]) => ({
    name,
    shape,
    dtype,
    ...(quantization ? { quantization } : {}),
  }));
  const data = Buffer.concat(Object.values(weights).map(bytesOf));
  const placeholder = { name: "x", op: "Placeholder", attr: { dtype: { type: inputType }, shape: { shape: shapeOf(input) } } };
  const constants = specs.map(({ name, dtype }) => ({
    name,
    op: "Const",
    attr: { dtype: { type: dtype === "float32" ? "DT_FLOAT" : dtype === "int32" ? "DT_INT32" : "DT_BOOL" } },
  }));
  const modelTopology = { node: [...constants, placeholder, ...nodes], library: {}, versions: { producer: 987 } };
  return { modelTopology, specs, data, signature };
}

const bytesEach = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 } as const;
function bytesOf({ data, dtype = "float32", quantization }: Weight): Buffer {
  const stored = quantization?.dtype ?? dtype;
  const buffer = Buffer.alloc(data.length * bytesEach[stored]);
  data.forEach((value, i) => {
    if (stored === "float32") buffer.writeFloatLE(value, 4 * i);
    else if (stored === "int32") buffer.writeInt32LE(value, 4 * i);
    else if (stored === "uint16" || stored === "float16") buffer.writeUInt16LE(value, 2 * i);
    else buffer.writeUInt8(value, i);
  });
  return buffer;
}

/** Writes a model into a new folder; `change` may damage its JSON. Returns the model.json. */
export async function written(spec: Spec, folder: string, change: (json: Record<string, unknown>) => unknown = (json) => json) {
  const { modelTopology, specs, data, signature } = graphModel(spec);
  const directory = await fs.mkdtemp(path.join(folder, "graph-"));
  const size = spec.shard ?? data.length;
  const paths: string[] = [];
  for (let start = 0; start < data.length; start += size) {
    const name = `group1-shard${paths.length + 1}.bin`;
    await fs.writeFile(path.join(directory, name), data.subarray(start, start + size));
    paths.push(name);
  }
  const json = {
    format: "graph-model",
    generatedBy: "2.15.0",
    convertedBy: "TensorFlow.js Converter v4.22.0",
    ...(signature ? { signature } : {}),
    modelTopology,
    weightsManifest: [{ paths, weights: specs }],
  };
  const file = path.join(directory, "model.json");
  await fs.writeFile(file, JSON.stringify(change(json)));
  return file;
}
