import { record } from "./artifacts.ts";

type Config = Record<string, unknown>;
/** What stands at the end of the network, and whether it was taken off. */
export interface Ending {
  readonly kind: "none" | "softmax" | "sigmoid";
  readonly removed: boolean;
}

/**
 * Takes the final softmax (or sigmoid) off a topology, which is changed in place: the activation of the last layer becomes linear; a
 * Softmax layer becomes a linear Activation of the same name, so that nothing else has to change. Layers behind it that only
 * reshape are looked through, and so are nested models.
 */
export function removeSoftmax(topology: Config): Ending {
  const root = record(topology["model_config"]) ?? topology;
  return fromModel(root);
}

function fromModel(model: Config): Ending {
  const config = model["config"];
  const layers = layersOf(model);
  if (Array.isArray(config) || model["class_name"] === "Sequential") {
    for (let i = layers.length - 1; i >= 0; i--) {
      const ending = fromLayer(layers[i] as Config);
      if (ending) return ending;
    }
    return { kind: "none", removed: false };
  }
  let name = outputName(record(config));
  for (let guard = layers.length; name !== undefined && guard > 0; guard--) {
    const layer = layers.find((l) => l["name"] === name || record(l["config"])?.["name"] === name);
    if (!layer) break;
    const ending = fromLayer(layer);
    if (ending) return ending;
    name = inputName(layer);
  }
  return { kind: "none", removed: false };
}

function layersOf(model: Config): Config[] {
  const config = model["config"];
  const layers: unknown = Array.isArray(config) ? config : record(config)?.["layers"];
  return Array.isArray(layers) ? layers.map(record).filter((layer) => layer !== undefined) : [];
}

/** `[["name", node, tensor]]`, or flat as `["name", node, tensor]`. Several outputs: nothing can be said. */
function outputName(config: Config | undefined): string | undefined {
  const outputs: unknown = config?.["output_layers"];
  if (!Array.isArray(outputs)) return undefined;
  const first: unknown = Array.isArray(outputs[0]) && outputs.length === 1 ? outputs[0][0] : outputs[0];
  return typeof first === "string" ? first : undefined;
}

/** `[[["name", node, tensor, {}]]]` of a layer with one input. */
function inputName(layer: Config): string | undefined {
  let node: unknown = layer["inbound_nodes"];
  for (let depth = 0; depth < 3; depth++) {
    if (!Array.isArray(node)) return undefined;
    if (depth < 2 && node.length !== 1) return undefined;
    node = node[0];
  }
  return typeof node === "string" ? node : undefined;
}

const transparent = ["Flatten", "Reshape", "Dropout", "InputLayer"];

/** undefined: the layer changes nothing; the one before it decides. */
function fromLayer(layer: Config): Ending | undefined {
  const config = record(layer["config"]);
  const kind = layer["class_name"];
  if (kind === "Sequential" || kind === "Model" || kind === "Functional") return fromModel(layer);
  if (kind === "Softmax") {
    const axis = config?.["axis"] ?? -1;
    if (axis !== -1 && axis !== 1) return { kind: "softmax", removed: false };
    layer["class_name"] = "Activation";
    layer["config"] = { name: config?.["name"] ?? layer["name"], trainable: true, activation: "linear" };
    return { kind: "softmax", removed: true };
  }
  const activation = activationName(config?.["activation"]);
  if (activation === "softmax" || activation === "sigmoid") {
    (config as Config)["activation"] = "linear";
    return { kind: activation, removed: true };
  }
  if (transparent.includes(String(kind)) || (kind === "Activation" && activation === "linear")) return undefined;
  return { kind: "none", removed: false };
}

/** A name, or a serialised object of a class such as `{class_name: "softmax"}`. */
function activationName(activation: unknown): string {
  const name = typeof activation === "string" ? activation : record(activation)?.["class_name"];
  return typeof name === "string" ? name.toLowerCase() : "";
}
