import type { Dialect } from "./dialect.ts";
import { type Call, type Config, invalidModel, type Ref, record, refTo } from "./graph.ts";

/**
 * The applications of a layer. Keras 1 and 2 and tfjs: `[[["name", node, tensor, {kwargs}], …], …]`; Keras 3: `[{args, kwargs}]`, where
 * tensors are objects with a `keras_history`. @throws MODEL_INVALID naming the layer
 */
export function calledWith(nodes: unknown, layer: string, { file, notes }: Pick<Dialect, "file" | "notes">): Call[] {
  if (nodes === undefined || nodes === null) return [];
  const broken = (): never => {
    throw invalidModel(file, `does not say what its layer "${layer}" is applied to`);
  };
  if (!Array.isArray(nodes)) return broken();
  const calls = nodes.map((node: unknown): Call => {
    const call = Array.isArray(node) ? olderCall(node) : newerCall(record(node), layer, file);
    return call ?? broken();
  });
  if (calls.some(({ kwargs }) => kwargs["training"] === true))
    notes.add(`the layer "${layer}" is called in training mode by the file; it is evaluated in inference mode`);
  return calls.filter(({ inputs }) => inputs.length > 0).map((call) => ({ ...call, kwargs: withoutNulls(call.kwargs) }));
}

function olderCall(node: readonly unknown[]): Call | undefined {
  const listed = typeof node[0] === "string" ? [node] : node; // a single input may stand without its list
  const inputs = listed.map((one) => (Array.isArray(one) ? refOf(one) : undefined));
  const kwargs = listed.map((one) => (Array.isArray(one) ? record(one[3]) : undefined)).at(-1) ?? {};
  const known = inputs.filter((ref) => ref !== undefined);
  return known.length === inputs.length ? { inputs: known, kwargs } : undefined;
}

function newerCall(node: Config | undefined, layer: string, file: string): Call | undefined {
  if (!node || !Array.isArray(node["args"])) return undefined;
  const inputs = node["args"].flat(4).map((one: unknown) => {
    const tensor = record(one);
    const history: unknown = tensor?.["class_name"] === "__keras_tensor__" ? record(tensor["config"])?.["keras_history"] : undefined;
    return Array.isArray(history) ? refOf(history) : undefined;
  });
  const known = inputs.filter((ref) => ref !== undefined);
  if (known.length === inputs.length) return { inputs: known, kwargs: record(node["kwargs"]) ?? {} };
  throw invalidModel(
    file,
    `calls its layer "${layer}" with a value that is no output of another layer`,
    "Rebuild that part of the model from layers alone, and export it again.",
  );
}

function refOf([name, node = 0, tensor = 0]: readonly unknown[]): Ref | undefined {
  const isRef = typeof name === "string" && Number.isInteger(node) && Number.isInteger(tensor);
  return isRef ? refTo(name, Number(node), Number(tensor)) : undefined;
}

const withoutNulls = (kwargs: Config): Config =>
  Object.fromEntries(Object.entries(kwargs).filter(([key, value]) => value !== null && key !== "training"));
