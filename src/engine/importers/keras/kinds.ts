import { type Config, listed } from "../topology/graph.ts";

/** Names of weights in Keras 2 and TensorFlow.js. */
const kinds =
  /^(kernel|bias|gamma|beta|moving_mean|moving_variance|depthwise_kernel|pointwise_kernel|recurrent_kernel|alpha|embeddings|mean|variance|count)$/;
/** Names in Keras 1, which follow the name of the layer. `running_std` holds the variance. */
const older: readonly (readonly [RegExp, string])[] = [
  [/(^|_)W$/, "kernel"],
  [/(^|_)b$/, "bias"],
  [/(^|_)running_mean$/, "moving_mean"],
  [/(^|_)running_std$/, "moving_variance"],
  [/(^|_)gamma$/, "gamma"],
  [/(^|_)beta$/, "beta"],
  [/(^|_)alphas?$/, "alpha"],
];

/** Kind of a weight from its stored name, such as `conv2d/kernel:0` or `convolution2d_1_W`. Undefined if the name does not tell. */
export function kindOf(stored: string): string | undefined {
  const last = stored.split("/").at(-1)?.replace(/:\d+$/, "") ?? "";
  for (const name of [last, last.replace(/_\d+$/, "")]) {
    if (kinds.test(name)) return name;
    const known = older.find(([pattern]) => pattern.test(name));
    if (known) return known[1];
  }
  return undefined;
}

const normalised = ["gamma", "beta"];
const recurrent = ["kernel", "recurrent_kernel", "bias"];
const separable = ["depthwise_kernel", "pointwise_kernel", "bias"];
const byClass: Readonly<Record<string, readonly string[]>> = {
  BatchNormalization: [...normalised, "moving_mean", "moving_variance"],
  BatchNormalizationV1: [...normalised, "moving_mean", "moving_variance"],
  SyncBatchNormalization: [...normalised, "moving_mean", "moving_variance"],
  LayerNormalization: normalised,
  GroupNormalization: normalised,
  DepthwiseConv2D: ["depthwise_kernel", "bias"],
  SeparableConv1D: separable,
  SeparableConv2D: separable,
  SeparableConvolution2D: separable,
  PReLU: ["alpha"],
  Normalization: ["mean", "variance", "count"],
  Embedding: ["embeddings"],
  LSTM: recurrent,
  GRU: recurrent,
  SimpleRNN: recurrent,
};
const usual = ["kernel", "bias"];

/** Kinds of the weights of a layer in the order that Keras stores them: trainable ones first. */
export function kindsOf(className: string, config: Config): readonly string[] {
  const absent = new Set<string>();
  if (config["use_bias"] === false || config["bias"] === false) absent.add("bias");
  if (config["scale"] === false) absent.add("gamma");
  if (config["center"] === false) absent.add("beta");
  return (listed(byClass, className) ?? usual).filter((kind) => !absent.has(kind));
}
