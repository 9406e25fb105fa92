import { calledWith } from "./calls.ts";
import { checkOrigin, type Dialect, dialectOf, normalisedLayer } from "./dialect.ts";
import { type Call, type Config, invalidModel, type LayerNode, type Ref, record, refTo, type Topology, wordOf } from "./graph.ts";

export const modelClasses: readonly string[] = ["Sequential", "Model", "Functional"];
const deepest = 32;

export interface ReadTopology {
  readonly topology: Topology;
  /** Harmless changes, for the user to know. */
  readonly notes: readonly string[];
}

/**
 * The layers of a `modelTopology` as Keras 1.2 to 3 and tfjs write it, in one form.
 * @param file names the model in errors
 * @throws MODEL_INVALID naming the layer that cannot be read
 */
export function readTopology(json: Config, file: string): ReadTopology {
  const root = record(json["model_config"]) ?? json;
  const notes = new Set<string>();
  const dialect = dialectOf({ keras: json["keras_version"] ?? root["keras_version"], root, file, notes });
  if (!modelClasses.includes(wordOf(root["class_name"])))
    throw invalidModel(
      file,
      `is a model of the class ${wordOf(root["class_name"]) || "that it does not name"}, which has no layers to read`,
      "Build it as a Sequential or functional model, and save it again.",
    );
  return { topology: readModel(root, dialect, 0), notes: [...notes] };
}

function readModel(model: Config, dialect: Dialect, depth: number): Topology {
  const config = record(model["config"]);
  const name = text(config?.["name"]) ?? text(model["name"]) ?? "model";
  if (depth > deepest) throw invalidModel(dialect.file, `nests more than ${deepest} models in one another`);
  const listed: unknown = Array.isArray(model["config"]) ? model["config"] : config?.["layers"];
  const entries = Array.isArray(listed) ? listed.map(record) : [];
  if (entries.length === 0 || entries.includes(undefined)) throw invalidModel(dialect.file, `has no list of layers in its model "${name}"`);
  const layers = (entries as Config[]).map((entry, i) => readLayer(entry, i, dialect, depth));
  if (Array.isArray(model["config"]) || model["class_name"] === "Sequential")
    return chain(name, layers, shapeOf(config?.["build_input_shape"] ?? record(model["build_config"])?.["input_shape"]));
  return countedFromZero({
    name,
    kind: "Functional",
    layers: layers.map(({ layer }) => layer),
    inputs: ends(config, "input_layers", name, dialect.file),
    outputs: ends(config, "output_layers", name, dialect.file),
  });
}

/**
 * A model that is used as a layer has a node from before it was applied, so that most files count its applications from 1. Those of a
 * Sequential model are counted from 0 by some versions of Keras 3.
 */
function countedFromZero(topology: Topology): Topology {
  const refs = [...topology.outputs, ...topology.layers.flatMap(({ calls }) => calls.flatMap(({ inputs }) => inputs))];
  const fromOne = new Set(topology.layers.flatMap(({ name, model }) => (model ? [name] : [])));
  for (const { layer, node } of refs) if (node === 0) fromOne.delete(layer);
  const moved = (ref: Ref): Ref => (fromOne.has(ref.layer) ? { ...ref, node: ref.node - 1 } : ref);
  const layers = topology.layers.map((layer) => ({
    ...layer,
    calls: layer.calls.map((call) => ({ ...call, inputs: call.inputs.map(moved) })),
  }));
  return { ...topology, layers, outputs: topology.outputs.map(moved) };
}

interface Entry {
  readonly layer: LayerNode;
  /** `batch_input_shape` of a layer that begins a Sequential model. */
  readonly shape: readonly (number | null)[] | undefined;
}

function readLayer(entry: Config, index: number, dialect: Dialect, depth: number): Entry {
  const className = text(entry["class_name"]) ?? "";
  const own = record(entry["config"]) ?? {};
  const name = text(entry["name"]) ?? text(own["name"]) ?? `layer_${index + 1}`;
  const inner = text(own["name"]) ?? name;
  if (inner !== name) throw invalidModel(dialect.file, `names one of its layers both "${name}" and "${inner}"`);
  const calls: Call[] = calledWith(entry["inbound_nodes"], name, dialect);
  if (modelClasses.includes(className)) {
    const model = readModel(entry, dialect, depth + 1);
    return { layer: { name, className, config: { name }, calls, model }, shape: inputShapeOf(model) };
  }
  checkOrigin(entry, name, dialect.file);
  const { className: known, config } = normalisedLayer(className, name, own, dialect);
  return { layer: { name, className: known, config, calls }, shape: shapeOf(config["batch_input_shape"]) };
}

/** A Sequential model: an input, and each layer on the one before it. */
function chain(name: string, entries: readonly Entry[], built: readonly (number | null)[] | undefined): Topology {
  const [first] = entries as [Entry, ...Entry[]];
  const shape = first.shape ?? built;
  const isGiven = first.layer.className === "InputLayer";
  const input: LayerNode = isGiven
    ? first.layer
    : {
        name: `${first.layer.name}_input`,
        className: "InputLayer",
        config: { name: `${first.layer.name}_input`, dtype: "float32", sparse: false, ...(shape && { batch_input_shape: shape }) },
        calls: [],
        isImplied: true,
      };
  let last = refTo(input.name);
  const layers = [input];
  for (const { layer } of entries.slice(isGiven ? 1 : 0)) {
    const { batch_input_shape: _, ...config } = layer.config; // the input says it
    layers.push({ ...layer, config, calls: [{ inputs: [last], kwargs: {} }] });
    last = refTo(layer.name);
  }
  return { name, kind: "Sequential", layers, inputs: [refTo(input.name)], outputs: [last] };
}

/** `[["name", 0, 0], …]`, or flat as `["name", 0, 0]` where there is one. */
function ends(config: Config | undefined, key: string, model: string, file: string): Ref[] {
  const listed: unknown = config?.[key];
  const lists: unknown[] = Array.isArray(listed) ? (typeof listed[0] === "string" ? [listed] : listed) : [];
  const refs = lists.map((one) => {
    const [layer, node = 0, tensor = 0]: unknown[] = Array.isArray(one) ? one : [];
    return typeof layer === "string" ? refTo(layer, Number(node), Number(tensor)) : undefined;
  });
  const known = refs.filter((ref) => ref !== undefined);
  if (known.length === 0 || known.length < refs.length)
    throw invalidModel(file, `does not say which are the ${key.replace("_", " ")} of its model "${model}"`);
  return known;
}

const inputShapeOf = ({ layers, inputs }: Topology): readonly (number | null)[] | undefined =>
  shapeOf(layers.find(({ name }) => name === inputs[0]?.layer)?.config["batch_input_shape"]);

export const shapeOf = (value: unknown): readonly (number | null)[] | undefined =>
  Array.isArray(value) && value.every((side) => side === null || (Number.isInteger(side) && side > 0)) ? value : undefined;

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
