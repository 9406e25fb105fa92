import { type tf, tfl } from "../tf.ts";

/**
 * Computes a layer's output in place of the layer itself; undefined leaves it to the layer. Training puts seeded dropout in here.
 */
export type LayerOverride = (layer: tfl.layers.Layer, input: tf.Tensor) => tf.Tensor | undefined;

export interface GraphRun {
  readonly training?: boolean;
  readonly override?: LayerOverride;
}
type Values = Map<number, tf.Tensor>;

/**
 * Runs a layers model (any acyclic graph, nested models included) on tensors that stand for some of its symbolic ones, and gives
 * the value of `target`. Differentiable; call inside a tidy. tfjs-layers itself can only start from a model's inputs.
 * @param values known values by id of the symbolic tensor; a model's input, or a layer's output to run from there on.
 */
export function evaluateGraph(target: tfl.SymbolicTensor, values: Values, run: GraphRun = {}): tf.Tensor {
  const known = values.get(target.id);
  if (known) return known;
  const layer = target.sourceLayer;
  const inputs = target.inputs.map((input) => evaluateGraph(input, values, run));
  const outputs = applyLayer(layer, inputs, target, run);
  const value = outputs[target.outputTensorIndex ?? 0];
  if (!value) throw new Error(`Layer ${layer.name} has no output ${target.outputTensorIndex ?? 0}.`);
  values.set(target.id, value);
  return value;
}

function applyLayer(layer: tfl.layers.Layer, inputs: tf.Tensor[], target: tfl.SymbolicTensor, run: GraphRun): tf.Tensor[] {
  const [first] = inputs;
  if (!first) throw new Error(`Layer ${layer.name} has no input that leads to ${target.name}.`);
  if (layer instanceof tfl.LayersModel) {
    const inner: Values = new Map(layer.inputs.map((input, i) => [input.id, inputs[i] ?? first]));
    return layer.outputs.map((output) => evaluateGraph(output, inner, run));
  }
  const replaced = inputs.length === 1 ? run.override?.(layer, first) : undefined;
  if (replaced) return [replaced];
  const output = layer.apply(inputs.length === 1 ? first : inputs, { ...target.callArgs, training: run.training === true });
  return (Array.isArray(output) ? output : [output]) as tf.Tensor[];
}

/** The only input and output of a classifier. */
export function endsOf(network: tfl.LayersModel): { input: tfl.SymbolicTensor; output: tfl.SymbolicTensor } {
  const [input] = network.inputs;
  const [output] = network.outputs;
  if (!input || !output) throw new Error("The network has no input or no output.");
  return { input, output };
}

/** Output of the whole network for `x`. */
export function runNetwork(network: tfl.LayersModel, x: tf.Tensor, run: GraphRun = {}): tf.Tensor {
  const { input, output } = endsOf(network);
  return evaluateGraph(output, new Map([[input.id, x]]), run);
}

/** Symbolic output of every layer that leads to the network's output, by name, in network order. */
export function layerOutputs(network: tfl.LayersModel): Map<string, tfl.SymbolicTensor> {
  const reached = new Map<string, tfl.SymbolicTensor>();
  const walk = (tensor: tfl.SymbolicTensor): void => {
    if (reached.has(tensor.sourceLayer.name)) return;
    reached.set(tensor.sourceLayer.name, tensor);
    for (const input of tensor.inputs) walk(input);
  };
  walk(endsOf(network).output);
  const ordered = new Map<string, tfl.SymbolicTensor>();
  for (const { name } of network.layers) {
    const output = reached.get(name);
    if (output) ordered.set(name, output);
  }
  return ordered;
}
