import { isInput, type LayerNode, layersByName, type Topology } from "./graph.ts";

/** What stands at the end of the network, and whether it was taken off. */
export interface Ending {
  /** "bounded": the scores cannot leave a range, which `activation` names, and gradients vanish at its ends. */
  readonly kind: "none" | "softmax" | "sigmoid" | "bounded";
  readonly removed: boolean;
  /** By its name in Keras; empty for none. */
  readonly activation: string;
  /** The layer that it is of. */
  readonly layer: string;
  /** Along which a softmax sums to 1, counted from the end where negative. */
  readonly axis: number;
}
const none: Ending = { kind: "none", removed: false, activation: "", layer: "", axis: -1 };
const bounded = /^(tanh|hard_?sigmoid|softsign|relu6)$/i;
const boundedOperation = /^(hard_?sigmoid|softsign|erf|sin|cos|sign)$/i;
/** Layers that rearrange scores, leave them as they are, or round them: a softmax before rounding stays. */
const transparent: readonly string[] = ["Flatten", "Reshape", "Dropout", "FakeQuantize"];

/**
 * Takes the final softmax or sigmoid off a flat topology: the activation of the last layer becomes linear; a Softmax layer becomes a
 * linear Activation of the same name, so that nothing else has to change. Layers behind it that only reshape are looked through; whether a
 * softmax before them is over all classes shows once the network is built. One whose layer is used elsewhere too stays where it is.
 */
export function withoutSoftmax(topology: Topology): { readonly topology: Topology; readonly ending: Ending } {
  const [output] = topology.outputs;
  if (!output || topology.outputs.length > 1) return { topology, ending: none };
  const known = layersByName(topology);
  let layer = known.get(output.layer);
  let isRounded = false;
  for (let guard = topology.layers.length; layer && guard > 0; guard--) {
    const found = endingOf(layer);
    if (found === undefined) {
      isRounded ||= layer.className === "FakeQuantize";
      const [call, ...more] = layer.calls;
      layer = more.length === 0 && call?.inputs.length === 1 ? known.get(call.inputs[0]?.layer ?? "") : undefined;
      continue;
    }
    const canRemove = found.change && !isRounded && isUsedOnce(layer, topology);
    const ending: Ending = { ...none, ...found.ending, layer: layer.name, removed: canRemove === true };
    if (!canRemove) return { topology, ending };
    const changed = { ...layer, ...found.change };
    const layers = topology.layers.map((one) => (one === layer ? changed : one));
    return { topology: { ...topology, layers }, ending };
  }
  return { topology, ending: none };
}

/** Applied once, and its output goes to one place: another one would see other values. */
function isUsedOnce({ name, calls }: LayerNode, { layers, outputs }: Topology): boolean {
  const uses = [...outputs, ...layers.flatMap((layer) => layer.calls.flatMap(({ inputs }) => inputs))];
  return calls.length === 1 && uses.filter((ref) => ref.layer === name).length === 1;
}

interface Found {
  readonly ending: Pick<Ending, "kind" | "activation"> & { readonly axis?: number };
  /** What the layer becomes without it; absent where it cannot be taken off. */
  readonly change?: Partial<LayerNode>;
}

/** undefined: the layer changes nothing; the one before it decides. */
function endingOf(layer: LayerNode): Found | undefined {
  const { className, config, name } = layer;
  if (className === "Softmax") {
    const ending = { kind: "softmax", activation: "softmax", axis: Number(config["axis"] ?? -1) } as const;
    return { ending, change: { className: "Activation", config: { name, trainable: true, activation: "linear" } } };
  }
  if (className === "ReLU" && typeof config["max_value"] === "number")
    return { ending: { kind: "bounded", activation: `ReLU up to ${config["max_value"]}` } };
  if (className === "Clip") return { ending: { kind: "bounded", activation: "clip" } };
  const { operation } = config;
  if (className === "Elementwise" && typeof operation === "string" && boundedOperation.test(operation))
    return { ending: { kind: "bounded", activation: operation } };
  if (className === "BoundedRelu") return { ending: { kind: "bounded", activation: "bounded ReLU" } };
  const activation = typeof config["activation"] === "string" ? config["activation"] : "linear";
  if (activation === "softmax" || activation === "sigmoid")
    return { ending: { kind: activation, activation }, change: { config: { ...config, activation: "linear" } } };
  if (bounded.test(activation)) return { ending: { kind: "bounded", activation } };
  if (isInput(layer) || transparent.includes(className) || (className === "Activation" && activation === "linear")) return undefined;
  return { ending: { kind: "none", activation: "" } };
}
