import { type Config, invalidModel, listed } from "./graph.ts";

type Refuse = (what: string, fix?: string) => never;
type Adapt = (config: Config, refuse: Refuse) => { className?: string; config: Config };

const without = (config: Config, keys: readonly string[]): Config =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)));
const oneAxis = (axis: unknown): unknown => (Array.isArray(axis) && axis.length === 1 ? axis[0] : axis);
const numbers = (value: unknown): number[] => [value ?? 1].flat().map((one) => (typeof one === "number" ? one : Number.NaN));

/** Neither Keras nor TensorFlow computes a convolution with both. */
const convolution: Adapt = (config, refuse) => {
  const [strides, dilation] = [numbers(config["strides"]), numbers(config["dilation_rate"])];
  if (Math.max(...strides) === 1 || Math.max(...dilation) === 1) return { config };
  return refuse(
    `has both strides ${strides.join("×")} and dilation ${dilation.join("×")}, which no convolution can have`,
    "Set one of the two to 1 in that layer, and export the model again.",
  );
};

/** A convolution with groups has its own class here, as tfjs ignores the setting. */
const grouped: Adapt = (config, refuse) => {
  const { groups, ...rest } = convolution(config, refuse).config;
  return numbers(groups)[0] === 1 ? { config: rest } : { className: "GroupedConv2D", config: { ...rest, groups } };
};

/**
 * The length that Keras gives the output with `output_padding`, if it is the one that there would be without: n·s for "same", and
 * n·s + max(k − s, 0) for "valid". With the padding p it is (n − 1)·s + k − 2·⌊k/2⌋ + p, or (n − 1)·s + k + p.
 */
const transposed: Adapt = (config, refuse) => {
  const { output_padding: padding, ...rest } = config;
  if (padding === null || padding === undefined) return { config: rest };
  const [kernel, strides, given] = [config["kernel_size"], config["strides"], padding].map(numbers) as [number[], number[], number[]];
  const side = (values: readonly number[], axis: number): number => values[axis] ?? values[0] ?? 1;
  const isUsual = [0, 1].every((axis) => {
    const [k, s, p] = [side(kernel, axis), side(strides, axis), side(given, axis)];
    return p === (config["padding"] === "same" ? s - (k % 2) : Math.max(0, s - k));
  });
  if (isUsual) return { config: rest };
  return refuse(`has output_padding = ${JSON.stringify(padding)}, which Bulwark does not compute`);
};

/** What differs between Keras and tfjs in a class that both have. */
const adaptations: Readonly<Record<string, Adapt>> = {
  BatchNormalization: (config) => ({ config: { ...config, axis: oneAxis(config["axis"] ?? -1) } }),
  Softmax(config, refuse) {
    const axis = oneAxis(config["axis"] ?? -1);
    return typeof axis === "number" ? { config: { ...config, axis } } : refuse("is a softmax over several axes, which TensorFlow.js lacks");
  },
  Conv1D: convolution,
  Conv2D: grouped,
  DepthwiseConv2D: convolution,
  Conv2DTranspose: transposed,
  SeparableConv2D: (config, refuse) =>
    convolution(without(config, ["kernel_initializer", "kernel_regularizer", "kernel_constraint", "groups"]), refuse),
  UpSampling2D(config, refuse) {
    const way = config["interpolation"] ?? "nearest";
    if (way === "nearest" || way === "bilinear") return { config };
    return refuse(`has interpolation = ${JSON.stringify(way)}, which Bulwark does not compute`, "Use nearest or bilinear in that layer.");
  },
  LeakyReLU: (config) => ({ config: { ...config, alpha: config["alpha"] ?? config["negative_slope"] ?? 0.3 } }),
  ReLU(config, refuse) {
    const slope = Number(config["negative_slope"] ?? 0);
    if (Number(config["threshold"] ?? 0) !== 0) return refuse("is a ReLU with a threshold other than 0, which TensorFlow.js lacks");
    if (slope === 0) return { config };
    if (config["max_value"] != null) return refuse("is a ReLU with both a slope and a maximum, which TensorFlow.js lacks");
    return { className: "LeakyReLU", config: { ...without(config, ["max_value", "negative_slope", "threshold"]), alpha: slope } };
  },
};

/** A layer of Keras as tfjs has it. @throws MODEL_INVALID naming the layer, for what would be computed otherwise */
export function adapted(className: string, config: Config, name: string, file: string): { className: string; config: Config } {
  const refuse: Refuse = (what, fix = "Rebuild that layer from others, and export the model again.") => {
    throw invalidModel(file, `has a layer "${name}" that ${what}`, fix);
  };
  return { className, ...(listed(adaptations, className)?.(config, refuse) ?? { config }) };
}
