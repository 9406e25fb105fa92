import { tf, tfl } from "../tf.ts";
import { createNames, type Names } from "./conversion/names.ts";

/** One use of a layer: what it is applied to in the network that is rebuilt, and the tensors that stand for that in the new one. */
export interface LayerUse {
  readonly layer: tfl.layers.Layer;
  readonly sources: readonly tfl.SymbolicTensor[];
  readonly inputs: readonly tfl.SymbolicTensor[];
}

/**
 * Builds the graph of `model` again on other inputs. `use` gives what stands for each use of a layer; a model used as a layer is walked
 * through, so that its layers become layers of the new network.
 */
export function rebuildGraph(
  model: tfl.LayersModel,
  inputs: readonly tfl.SymbolicTensor[],
  use: (use: LayerUse) => tfl.SymbolicTensor,
): tfl.SymbolicTensor[] {
  const known = new Map<number, tfl.SymbolicTensor>();
  model.inputs.forEach((tensor, i) => {
    known.set(tensor.id, inputs[i] as tfl.SymbolicTensor);
  });
  const visit = (tensor: tfl.SymbolicTensor): tfl.SymbolicTensor => {
    const found = known.get(tensor.id);
    if (found) return found;
    const layer = tensor.sourceLayer;
    const sources = layer.inboundNodes[tensor.nodeIndex]?.inputTensors ?? [];
    const rebuilt = sources.map(visit);
    const result =
      layer instanceof tfl.LayersModel
        ? (rebuildGraph(layer, rebuilt, use)[tensor.tensorIndex] as tfl.SymbolicTensor)
        : use({ layer, sources, inputs: rebuilt });
    known.set(tensor.id, result);
    return result;
  };
  return model.outputs.map(visit);
}

/** What a layer becomes: a change of its configuration, layers that follow it, or another layer altogether. */
export interface Replacement {
  readonly config?: tf.serialization.ConfigDict;
  readonly instead?: tfl.layers.Layer;
  readonly followedBy?: readonly tfl.layers.Layer[];
  /** Weights of `instead`, once it has some, from those of the layer it stands for and those it began with. */
  carry?(weights: readonly tf.Tensor[], begun: readonly tf.Tensor[]): tf.Tensor[];
}

/**
 * The network with some of its layers replaced; the others keep configuration and weights. Nothing is shared with `model`.
 * @param replace gives what becomes of a layer, with names that are free; undefined leaves it as it is. Asked once a layer.
 */
export function withLayers(
  model: tfl.LayersModel,
  name: string,
  replace: (layer: tfl.layers.Layer, names: Names) => Replacement | undefined,
): tfl.LayersModel {
  const names = createNames([]);
  const chains = new Map<tfl.layers.Layer, Chain>();
  const inputs = model.inputs.map(({ name: input, shape }) => tfl.input({ name: names.unused(input), shape: shape.slice(1) }));
  const outputs = rebuildGraph(model, inputs, ({ layer, inputs: sources }) => {
    const known = chains.get(layer);
    const replacement = known ? undefined : replace(layer, names);
    const chain = known ?? chainOf(layer, names, replacement);
    chains.set(layer, chain);
    const [first, ...followers] = chain;
    const result = first.apply(sources.length === 1 ? (sources[0] as tfl.SymbolicTensor) : [...sources]);
    if (replacement?.carry) first.setWeights(replacement.carry(layer.getWeights(), first.getWeights()));
    else if (!known && first.getClassName() === layer.getClassName()) copyWeights(layer, first);
    return followers.reduce((x, next) => next.apply(x) as tfl.SymbolicTensor, result as tfl.SymbolicTensor);
  });
  return tfl.model({ name, inputs, outputs });
}

/** What stands for a layer, applied one after the other. */
type Chain = readonly [tfl.layers.Layer, ...tfl.layers.Layer[]];

function chainOf(layer: tfl.layers.Layer, names: Names, { config, instead, followedBy }: Replacement = {}): Chain {
  const first = instead ?? again(layer, { ...layer.getConfig(), ...config, name: names.unused(layer.name) });
  return [first, ...(followedBy ?? [])];
}

/** A new layer of the same class. */
function again(layer: tfl.layers.Layer, config: tf.serialization.ConfigDict): tfl.layers.Layer {
  const found = tf.serialization.SerializationMap.getMap().classNameMap[layer.getClassName()];
  if (!found) throw new Error(`The layer class ${layer.getClassName()} is not registered.`);
  const [cls, fromConfig] = found;
  const { batchInputShape: _, ...rest } = config; // the new network has inputs of its own
  return fromConfig(cls, rest) as tfl.layers.Layer;
}

function copyWeights(from: tfl.layers.Layer, to: tfl.layers.Layer): void {
  if (from.getWeights().length > 0) to.setWeights(from.getWeights());
}
