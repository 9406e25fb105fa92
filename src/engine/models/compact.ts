import { BulwarkError } from "../../shared/errors.ts";
import { tf, tfl } from "../tf.ts";
import { CompactConv2D, CompactConv3D, CompactDense } from "./layers/index.ts";
import { type Replacement, withLayers } from "./rebuild.ts";

/** What a layer becomes, by the name of its class. */
const counterparts: Readonly<Record<string, string>> = {
  Conv2D: CompactConv2D.className,
  GroupedConv2D: CompactConv2D.className,
  Conv3D: CompactConv3D.className,
  Dense: CompactDense.className,
};

export const canBeCompact = (layer: tfl.layers.Layer): boolean => layer.getClassName() in counterparts;
export const isCompact = (layer: tfl.layers.Layer): boolean => Object.values(counterparts).includes(layer.getClassName());

/** A kernel whose products could be divided by norms, but by no layer of ours: of a depthwise or transposed convolution, of dense layers by place. */
const hasKernel = (layer: tfl.layers.Layer): boolean => layer.weights.some(({ originalName }) => /kernel/i.test(originalName));

export interface CompactChoice {
  /** Asked once for each layer that can be compact. */
  readonly picks: (layer: tfl.layers.Layer) => boolean;
  /** Where α begins; 0 for √fan_in. */
  readonly alpha: number;
  readonly delta: number;
}
export interface Compacted {
  readonly network: tfl.LayersModel;
  /** Names of the layers that are compact now, in the order of the graph. */
  readonly changed: readonly string[];
  /** Layers with kernels that cannot be compact, as `"name" (Class)`. */
  readonly left: readonly string[];
}

/**
 * The network with compact layers in place of convolutions and dense layers. They keep kernels and biases; α is new, so that a trained network has
 * other scores and has to be trained further.
 * @throws MODEL_UNSUPPORTED for a network whose convolutions have their channels first in three dimensions
 */
export function withCompactLayers(network: tfl.LayersModel, { picks, alpha, delta }: CompactChoice): Compacted {
  const [changed, left]: [string[], string[]] = [[], []];
  const replaced = withLayers(network, `${network.name}_compact`, (layer, names): Replacement | undefined => {
    if (!canBeCompact(layer)) {
      if (!isCompact(layer) && hasKernel(layer)) left.push(`"${layer.name}" (${layer.getClassName()})`);
      return undefined;
    }
    if (!picks(layer)) return undefined;
    changed.push(layer.name);
    const { batchInputShape: _, ...config } = layer.getConfig();
    return {
      instead: compactLayer(layer, { ...config, alpha, delta, name: names.unused(layer.name) }),
      carry: (weights, begun) => [...weights, begun.at(-1) as tf.Tensor],
    };
  });
  return { network: replaced, changed, left };
}

function compactLayer(layer: tfl.layers.Layer, config: tf.serialization.ConfigDict): tfl.layers.Layer {
  const refused = layer.getClassName() === "Conv3D" && (config["dataFormat"] === "channelsFirst" || isDilated(config));
  const found = tf.serialization.SerializationMap.getMap().classNameMap[counterparts[layer.getClassName()] ?? ""];
  if (refused || !found)
    throw new BulwarkError(
      "MODEL_UNSUPPORTED",
      `Layer "${layer.name}" is a convolution of volumes that is dilated or has its channels first, which has no compact counterpart.`,
      "Name the layers that are to be compact, without this one.",
    );
  return found[1](found[0], config) as tfl.layers.Layer;
}

const isDilated = (config: tf.serialization.ConfigDict): boolean => [config["dilationRate"] ?? 1].flat().some((rate) => rate !== 1);

/** The layer that computes the scores: the last one with weights before the network's output, activations and the like left out. */
export function scoreLayer(network: tfl.LayersModel): tfl.layers.Layer | undefined {
  const before = (tensor: tfl.SymbolicTensor | undefined): tfl.layers.Layer | undefined => {
    if (!tensor) return undefined;
    const layer = tensor.sourceLayer;
    if (layer instanceof tfl.LayersModel) return scoreLayer(layer);
    if (layer.weights.length > 0) return layer;
    const inputs = layer.inboundNodes[tensor.nodeIndex]?.inputTensors ?? [];
    return inputs.length === 1 && inputs[0] !== tensor ? before(inputs[0]) : undefined; // the input of a network is its own source
  };
  return before(network.outputs[0]);
}
