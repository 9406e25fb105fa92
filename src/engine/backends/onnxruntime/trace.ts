import type { backend_util, DataType, TensorInfo } from "@tensorflow/tfjs-core";
import type { Device } from "../../../shared/devices.ts";
import { Graph, sizeOf, type Value } from "./graph.ts";
import type { NativeTensor } from "./native.ts";
import type { ElementType } from "./onnx.ts";

/** One tfjs data bucket: it has values, or is the output of a pending node. */
export interface Entry {
  /** tfjs' reference count; 0 once disposed. A disposed entry may still feed pending nodes. */
  refs: number;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  values?: backend_util.BackendValues;
  /** The same values as onnxruntime's tensor, once made. */
  feed?: NativeTensor;
  /** Set once frozen: its number as a graph's initialiser. */
  constant?: number;
  /** How many callers of `freeze` still want it frozen. */
  freezers?: number;
  complex?: { readonly real: TensorInfo; readonly imag: TensorInfo };
}

/** Writes a node's ONNX form. Everything it depends on but its inputs' shapes and types must be in the node's key. */
export type Lower = (graph: Graph, ...inputs: Value[]) => Value | Value[];

export interface Node {
  readonly key: string;
  readonly inputs: readonly Entry[];
  /** Shapes under which the inputs are used: aliases share an entry and differ in shape. */
  readonly shapes: readonly (readonly number[])[];
  readonly lower: Lower;
  readonly outputs: readonly Entry[];
}

/** The part of the pending graph whose outputs are still referenced, numbered and keyed. */
export interface Trace {
  readonly key: string;
  readonly nodes: readonly Node[];
  readonly leaves: readonly Entry[];
  readonly results: readonly Entry[];
  readonly uses: ReadonlyMap<Entry, number>;
}

/** Walks the pending nodes backwards from what is still referenced, then keys what is left in recording order. */
export function traceOf(pending: readonly Node[]): Trace {
  const uses = new Map<Entry, number>();
  const nodes: Node[] = [];
  for (let i = pending.length - 1; i >= 0; i--) {
    const node = pending[i];
    if (!node?.outputs.some((entry) => entry.refs > 0 || uses.has(entry))) continue;
    nodes.push(node);
    // The mask of a ReLU may as well be taken from the ReLU's result: it keeps nothing from being fused.
    for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + (node.key.startsWith("Step0[float32") ? 0 : 1));
  }
  nodes.reverse();

  const ids = new Map<Entry, string>();
  const leaves: Entry[] = [];
  const results: Entry[] = [];
  const key: string[] = [];
  for (const [index, node] of nodes.entries()) {
    const wiring = node.inputs.map((entry, i) => {
      let id = ids.get(entry);
      if (id === undefined) {
        id = `L${leaves.length}`;
        ids.set(entry, id);
        leaves.push(entry);
        key.push(entry.freezers ? `frozen${entry.constant}` : `${entry.dtype}[${entry.shape}]`);
      }
      return node.shapes[i] === entry.shape ? id : `${id}[${node.shapes[i]}]`;
    });
    key.push(`${node.key}(${wiring})`);
    for (const [port, entry] of node.outputs.entries()) {
      ids.set(entry, `${index}.${port}`);
      if (entry.refs > 0) {
        uses.set(entry, (uses.get(entry) ?? 0) + 1);
        results.push(entry);
      }
    }
  }
  key.push(results.map((entry) => ids.get(entry)).join());
  return { key: key.join(";"), nodes, leaves, results, uses };
}

export interface Plan {
  readonly model: Uint8Array;
  readonly feeds: readonly { readonly leaf: number; readonly name: string }[];
  readonly constants: readonly number[];
  readonly arenaBytes: number;
  /** Names of the nodes that the device must leave to the CPU. */
  readonly cpuNodes: readonly string[];
}

const elementType = (dtype: DataType): ElementType => {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new Error(`${dtype} tensors cannot enter a graph`);
};

/** Lowers a trace to an ONNX model. */
export function planOf(trace: Trace, block: number, device: Device = "cpu", threads = 1): Plan {
  const graph = new Graph(block, device, threads);
  const values = new Map<Entry, Value>();
  const feeds: { leaf: number; name: string }[] = [];
  const constants: number[] = [];
  let arenaBytes = 0;
  for (const [leaf, entry] of trace.leaves.entries()) {
    const dtype = elementType(entry.dtype);
    if (entry.freezers && entry.constant !== undefined && ArrayBuffer.isView(entry.values)) {
      values.set(entry, graph.initializer(entry.shape, dtype, entry.values));
      constants.push(entry.constant);
    } else {
      const value = graph.input(entry.shape, dtype);
      values.set(entry, value);
      feeds.push({ leaf, name: value.name });
    }
  }
  for (const node of trace.nodes) {
    const inputs = node.inputs.map((entry, i) => {
      const value = values.get(entry);
      if (!value) throw new Error(`input ${i} of ${node.key} is not there`);
      return graph.reshape(value, node.shapes[i] ?? value.shape);
    });
    const lowered = node.lower(graph, ...inputs);
    for (const [i, value] of (Array.isArray(lowered) ? lowered : [lowered]).entries()) {
      const entry = node.outputs[i];
      if (!entry) continue;
      if (value.shape.join() !== entry.shape.join() || value.dtype !== entry.dtype)
        throw new Error(`${node.key}: lowered to ${value.dtype}[${value.shape}], recorded as ${entry.dtype}[${entry.shape}]`);
      values.set(entry, { ...value, uses: trace.uses.get(entry) ?? 0 });
      arenaBytes += 4 * sizeOf(entry.shape);
    }
  }
  const results = trace.results.map((entry) => {
    const value = values.get(entry);
    if (!value) throw new Error("a result was not lowered");
    return value;
  });
  return { model: graph.encode(results), feeds, constants, arenaBytes: arenaBytes / 4, cpuNodes: graph.cpuNodes };
}
