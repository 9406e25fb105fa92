import { type tf, tfl } from "../tf.ts";

/** Layers that are nothing but an activation, by class name. */
const layerNames: Readonly<Record<string, string>> = {
  ReLU: "relu",
  LeakyReLU: "leakyRelu",
  PReLU: "prelu",
  ELU: "elu",
  ThresholdedReLU: "thresholdedRelu",
  Softmax: "softmax",
  BoundedRelu: "boundedRelu",
  Clip: "clip",
  Gelu: "gelu",
};
/** Operations of the layer `Elementwise` that are activations. */
const operations: readonly string[] = ["celu", "hardSigmoid", "hardSwish", "mish", "softplus", "softsign"];
/** What tfjs keeps in a layer that ends in an activation; its type is not exported. */
interface Activation {
  apply(x: tf.Tensor): tf.Tensor;
  getClassName(): string;
}
interface Activated {
  activation: Activation;
}
const isRecurrent = (layer: tfl.layers.Layer): boolean => /RNN|LSTM|GRU/.test(layer.getClassName()); // theirs is applied at every step

function activated(layer: tfl.layers.Layer): Activated | undefined {
  if (isRecurrent(layer)) return undefined;
  const holder = layer as unknown as Partial<Activated>;
  return typeof holder.activation?.apply === "function" ? (holder as Activated) : undefined;
}

/** What a layer is or ends in: "relu"; null for none or a linear one. */
export function activationOf(layer: tfl.layers.Layer): string | null {
  const operation = layer.getClassName() === "Elementwise" ? operations.find((one) => one === layer.getConfig()["operation"]) : undefined;
  const name = layerNames[layer.getClassName()] ?? operation ?? activated(layer)?.activation.getClassName() ?? "linear";
  return name === "linear" ? null : name;
}

/** Zero below zero, whatever it does above. @param activation as `activationOf` names it */
export const isRectifier = (activation: string | null): boolean =>
  activation !== null && ["relu", "relu6", "boundedRelu", "thresholdedRelu"].includes(activation);

let linear: Activation | undefined;

/** A layer in two steps: its output before the activation, and the activation itself. `apply` computes the layer. */
export function beforeActivation(
  layer: tfl.layers.Layer,
  input: tf.Tensor,
  apply: () => tf.Tensor,
): { readonly before: tf.Tensor; readonly activate: (before: tf.Tensor) => tf.Tensor } {
  const holder = activated(layer);
  if (!holder) return { before: input, activate: (before) => layer.apply(before) as tf.Tensor };
  // A name of its own, so that those which tfjs counts up for other layers stay as they are.
  linear ??= activated(tfl.layers.activation({ activation: "linear", name: "linear" }))?.activation;
  const { activation } = holder;
  holder.activation = linear as Activation;
  try {
    return { before: apply(), activate: (before) => activation.apply(before) };
  } finally {
    holder.activation = activation;
  }
}
