import { tf } from "../../tf.ts";
import { knownActivation } from "./activations.ts";
import { type Config, invalidModel, record } from "./graph.ts";
import { knownWeights } from "./trainingConfig.ts";

/** How the file at hand writes its layers, and where notes go. */
export interface Dialect {
  readonly file: string;
  /** Keras 3 gives some names another meaning. */
  readonly isKeras3: boolean;
  readonly notes: Set<string>;
}

export function dialectOf(o: { keras: unknown; root: Config; file: string; notes: Set<string> }): Dialect {
  const layers: unknown = record(o.root["config"])?.["layers"];
  const isNewForm = Array.isArray(layers) && layers.some((layer) => record(layer)?.["module"] !== undefined);
  return { file: o.file, notes: o.notes, isKeras3: isNewForm || /^3\./.test(String(o.keras)) };
}

/** Other names of classes that tfjs has. */
const renamed: Readonly<Record<string, string>> = {
  BatchNormalizationV1: "BatchNormalization",
  BatchNormalizationV2: "BatchNormalization",
  SyncBatchNormalization: "BatchNormalization",
  LayerNormalizationV1: "LayerNormalization",
  Convolution2D: "Conv2D",
  Convolution2DTranspose: "Conv2DTranspose",
  DepthwiseConvolution2D: "DepthwiseConv2D",
  SeparableConvolution2D: "SeparableConv2D",
  DropoutV2: "Dropout",
  Rescale: "Rescaling",
  GlobalAvgPool2D: "GlobalAveragePooling2D",
  GlobalMaxPool2D: "GlobalMaxPooling2D",
  AvgPool2D: "AveragePooling2D",
  MaxPool2D: "MaxPooling2D",
};

/** Layers that change images, or draw noise, in training alone. */
const trainingOnly =
  /^(Random(Flip|Rotation|Zoom|Contrast|Translation|Brightness|Height|Width|Shear|Hue|Saturation|ColorJitter|ColorDegeneration|Grayscale|Sharpness|Posterization|Invert|Perspective|GaussianBlur|Erasing|ElasticTransform)|RandAugment|AugMix|MixUp|CutMix|GaussianNoise|GaussianDropout|AlphaDropout|SpatialDropout[123]D|ActivityRegularization)$/;

/**
 * A layer in the form that tfjs reads (Keras 2). What a layer does in training alone becomes the identity, with a note.
 * @throws MODEL_INVALID for a class or a setting that would be computed wrongly or not at all, naming the layer
 */
export function normalisedLayer(
  written: string,
  name: string,
  config: Config,
  dialect: Dialect,
): { readonly className: string; readonly config: Config } {
  const className = renamed[written] ?? written;
  if (trainingOnly.test(className)) {
    dialect.notes.add(`the layer "${name}" (${className}) acts in training alone and is left out`);
    const { batch_input_shape, batch_shape } = config as { batch_input_shape?: unknown; batch_shape?: unknown };
    const shape = batch_input_shape ?? batch_shape;
    return {
      className: "Activation",
      config: { name, trainable: true, activation: "linear", ...(shape ? { batch_input_shape: shape } : {}) },
    };
  }
  checkClass(className, name, dialect.file);
  const { batch_shape, dtype: _, ...rest } = config;
  const common: Config = { ...rest, name, dtype: "float32" };
  if (batch_shape !== undefined) common["batch_input_shape"] = batch_shape;
  const known = knownWeights(knownActivation(common, className, name, dialect));
  return adapted(className, known, name, dialect.file);
}

function checkClass(className: string, name: string, file: string): void {
  if (className === "Lambda")
    throw invalidModel(
      file,
      `has a Lambda layer "${name}", which is program code inside the model, and Bulwark does not run it`,
      "Replace it by a layer, such as Rescaling, and export the model again.",
    );
  if (Object.hasOwn(tf.serialization.SerializationMap.getMap().classNameMap, className)) return;
  throw invalidModel(
    file,
    `has a layer "${name}" of the class ${className || "(none)"}, which neither TensorFlow.js nor Bulwark knows`,
    "Build the model from layers that TensorFlow.js has, and save it again.",
  );
}

type Adapt = (config: Config, refuse: (what: string, fix?: string) => never) => { className?: string; config: Config };

const without = (config: Config, keys: readonly string[]): Config =>
  Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)));
const oneAxis = (axis: unknown): unknown => (Array.isArray(axis) && axis.length === 1 ? axis[0] : axis);
const ungrouped: Adapt = (config, refuse) =>
  (config["groups"] ?? 1) === 1 ? { config } : refuse("is a grouped convolution, which TensorFlow.js lacks");

const adaptations: Readonly<Record<string, Adapt>> = {
  BatchNormalization: (config) => ({ config: { ...config, axis: oneAxis(config["axis"] ?? -1) } }),
  Softmax: (config) => ({ config: { ...config, axis: oneAxis(config["axis"] ?? -1) } }),
  Conv2D: ungrouped,
  Conv3D: ungrouped,
  SeparableConv2D: (config) => ({ config: without(config, ["kernel_initializer", "kernel_regularizer", "kernel_constraint", "groups"]) }),
  LeakyReLU: (config) => ({ config: { ...config, alpha: config["alpha"] ?? config["negative_slope"] ?? 0.3 } }),
  ReLU(config, refuse) {
    const slope = Number(config["negative_slope"] ?? 0);
    if (Number(config["threshold"] ?? 0) !== 0) return refuse("is a ReLU with a threshold other than 0, which TensorFlow.js lacks");
    if (slope === 0) return { config };
    if (config["max_value"] != null) return refuse("is a ReLU with both a slope and a maximum, which TensorFlow.js lacks");
    return { className: "LeakyReLU", config: { ...without(config, ["max_value", "negative_slope", "threshold"]), alpha: slope } };
  },
};

function adapted(className: string, config: Config, name: string, file: string): { className: string; config: Config } {
  const refuse = (what: string, fix = "Rebuild that layer from others, and export the model again."): never => {
    throw invalidModel(file, `has a layer "${name}" that ${what}`, fix);
  };
  return { className, ...(adaptations[className]?.(config, refuse) ?? { config }) };
}
