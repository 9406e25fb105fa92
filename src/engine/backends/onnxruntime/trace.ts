import type { backend_util, DataType, TensorInfo } from "@tensorflow/tfjs-core";
import type { Device } from "../../../shared/devices.ts";
import { DeviceFailure, isOutOfMemory } from "../failures.ts";
import { type Encoded, Graph, sizeOf, type Value } from "./graph.ts";
import type { NativeTensor } from "./native.ts";
import type { ElementType } from "./onnx.ts";
import { type Overwrite, overwritesOf } from "./overwrites.ts";

/** One tfjs data bucket: it has values, or is the output of a pending node. */
export interface Entry {
  /** tfjs' reference count; 0 once disposed. A disposed entry may still feed pending nodes. */
  refs: number;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  values?: backend_util.BackendValues;
  /** The same values as onnxruntime's tensor, once made. */
  feed?: NativeTensor;
  /** The values are an array of the backend's own that nothing outside has seen, so that it serves again once the tensor is gone. */
  isOurs?: boolean;
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

/** The nodes needed to compute what `isWanted`, in their order; what `isThere` does not have to be computed. */
function neededFor(
  nodes: readonly Node[],
  isWanted: (entry: Entry, node: Node) => boolean,
  isThere = (_: Entry): boolean => false,
): Node[] {
  const wanted = new Set<Entry>();
  const needed = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((entry) => !entry.values && (wanted.has(entry) || isWanted(entry, node)))) return false;
    for (const input of node.inputs) if (!isThere(input)) wanted.add(input);
    return true;
  });
  return needed.reverse();
}

/**
 * Splits what is pending into graphs, in the order in which they run. Work with frozen weights is kept apart from the rest and split where
 * nothing connects it, so that a pass through a network is always the same graph, compiled once, whatever was recorded around it.
 */
export function tracesOf(pending: readonly Node[]): Trace[] {
  const isRead = (entry: Entry): boolean => entry.refs > 0;
  const withWeights = new Set<Node>();
  const computed = new Set<Entry>();
  for (const node of pending) {
    if (!node.inputs.some((entry) => computed.has(entry) || entry.freezers)) continue;
    withWeights.add(node);
    for (const output of node.outputs) computed.add(output);
  }
  const light = neededFor(pending, (entry, node) => isRead(entry) && !withWeights.has(node));
  const known = new Set(light.flatMap(({ outputs }) => outputs.filter(isRead)));
  const heavy = neededFor(
    pending,
    (entry, node) => isRead(entry) && withWeights.has(node),
    (entry) => known.has(entry),
  );
  return [...(light.length > 0 ? [light] : []), ...connected(heavy)].map(traceOf);
}

/** Groups of nodes that share nothing except leaves. */
function connected(nodes: readonly Node[]): Node[][] {
  const parents = nodes.map((_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parents[at] !== at) at = parents[at] ?? at;
    return at;
  };
  const makers = new Map<Entry, number>();
  for (const [i, { inputs, outputs }] of nodes.entries()) {
    for (const input of inputs) {
      const maker = makers.get(input);
      if (maker !== undefined) parents[root(maker)] = i;
    }
    for (const output of outputs) makers.set(output, i);
  }
  const groups = new Map<number, Node[]>();
  for (const [i, node] of nodes.entries()) {
    const group = groups.get(root(i));
    if (group) group.push(node);
    else groups.set(root(i), [node]);
  }
  return [...groups.values()];
}

/**
 * What may stay pending after a trace has failed. Where one of its leaves was written over, or neither the device nor the memory is to blame,
 * the trace would fail again, and with it whatever is computed later.
 */
export function stillPossible(pending: Node[], { nodes, leaves }: Trace, thrown: unknown): Node[] {
  const mayWork = thrown instanceof DeviceFailure || isOutOfMemory(thrown);
  return mayWork && leaves.every(({ values }) => values) ? pending : pending.filter((node) => !nodes.includes(node));
}

/** Keys nodes in recording order. */
function traceOf(nodes: readonly Node[]): Trace {
  const uses = new Map<Entry, number>();
  // The mask of a ReLU may as well be taken from the ReLU's result: it keeps nothing from being fused.
  for (const { key, inputs } of nodes)
    for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + (key.startsWith("Step0[float32") ? 0 : 1));
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

export interface Plan extends Encoded {
  readonly feeds: readonly { readonly leaf: number; readonly name: string }[];
  readonly constants: readonly number[];
  /** Names of the nodes that the device must leave to the CPU. */
  readonly cpuNodes: readonly string[];
  readonly overwrites: readonly Overwrite[];
}

const elementType = (dtype: DataType): ElementType => {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new Error(`${dtype} tensors cannot enter a graph`);
};

/** Frozen matrices of this many bytes or more are fed. */
const largeMatrix = 16 * 2 ** 20;
const products = ["BatchMatMul", "FusedMatMul"];

/**
 * Large frozen matrices that are used only in products are fed like any other input. onnxruntime then reads tfjs' own array, which all graphs
 * of a network share; a constant would be copied and packed for every use in every graph. With few images a product is limited by memory
 * bandwidth, and packing gains nothing.
 */
function fedWeights(trace: Trace): ReadonlySet<Entry> {
  const large = new Set(
    trace.leaves.filter((entry) => entry.freezers && entry.dtype === "float32" && 4 * sizeOf(entry.shape) >= largeMatrix),
  );
  for (const node of trace.nodes)
    for (const [i, entry] of node.inputs.entries()) if (i > 1 || !products.some((name) => node.key.startsWith(name))) large.delete(entry);
  return large;
}

/** Lowers a trace to an ONNX model. */
export function planOf(trace: Trace, block: number, device: Device = "cpu", threads = 1): Plan {
  const graph = new Graph(block, device, threads);
  const values = new Map<Entry, Value>();
  const feeds: { leaf: number; name: string }[] = [];
  const constants: number[] = [];
  const fed = device === "cpu" ? fedWeights(trace) : new Set<Entry>();
  for (const [leaf, entry] of trace.leaves.entries()) {
    const dtype = elementType(entry.dtype);
    if (entry.freezers && entry.constant !== undefined) constants.push(entry.constant);
    if (entry.freezers && entry.constant !== undefined && ArrayBuffer.isView(entry.values) && !fed.has(entry)) {
      values.set(entry, graph.initializer(entry.shape, dtype, entry.values));
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
    }
  }
  const results = trace.results.map((entry) => {
    const value = values.get(entry);
    if (!value) throw new Error("a result was not lowered");
    return value;
  });
  return { ...graph.encode(results), feeds, constants, cpuNodes: graph.cpuNodes, overwrites: overwritesOf(trace) };
}
