import { tf } from "../../tf.ts";
import { knownActivation } from "./activations.ts";
import { adapted } from "./adaptations.ts";
import { type Config, invalidModel, listed, record, wordOf } from "./graph.ts";
import { fromKeras1 } from "./keras1.ts";
import { checkSettings } from "./settings.ts";
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
  return { file: o.file, notes: o.notes, isKeras3: isNewForm || /^3\./.test(wordOf(o.keras)) };
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
  given: Config,
  dialect: Dialect,
): { readonly className: string; readonly config: Config } {
  const { className: class2, config } = fromKeras1(written, given);
  const className = listed(renamed, class2) ?? class2;
  checkPolicy(config["dtype"], name, dialect.file);
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
  const { batch_shape, dtype: _, ...rest } = withoutArrays(config);
  const common: Config = { ...rest, name, dtype: "float32" };
  if (batch_shape !== undefined) common["batch_input_shape"] = batch_shape;
  checkSettings(className, name, common, dialect.file);
  const known = knownWeights(knownActivation(common, className, name, dialect));
  const unwrapped = "layer" in known ? { ...known, ...wrappedLayer(known, name, dialect) } : known;
  return adapted(className, unwrapped, name, dialect.file);
}

/** A configuration with numbers and lists in the place of the objects in which Keras 3 writes arrays. */
function withoutArrays(config: Config): Config {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => {
      const { class_name, config: array } = (record(value) ?? {}) as { readonly class_name?: unknown; readonly config?: unknown };
      return [key, class_name === "__numpy__" || class_name === "__tensor__" ? record(array)?.["value"] : value];
    }),
  );
}

/**
 * The layer within a `Bidirectional` or `TimeDistributed`, in the same form. Keras 3 names it as the forward one, which tfjs does itself;
 * a backward layer of its own cannot be computed, and the usual one is not listed.
 */
function wrappedLayer(config: Config, name: string, dialect: Dialect): Config {
  const inner = layerWithin(config["layer"], name, dialect);
  const backward = config["backward_layer"] ? layerWithin(config["backward_layer"], name, dialect) : undefined;
  if (backward && differs(inner, backward))
    throw invalidModel(
      dialect.file,
      `has a layer "${name}" whose backward_layer is not the mirror of its forward one, which Bulwark does not compute`,
      "Build the model without a backward_layer in that layer, and export it again.",
    );
  return { layer: inner, ...("backward_layer" in config ? { backward_layer: null } : {}) };
}

/** A file may hold anything in the place of a name. */
const textOr = (value: unknown, otherwise: string): string => (typeof value === "string" ? value : otherwise);

function layerWithin(value: unknown, outer: string, dialect: Dialect): Config {
  const entry = record(value);
  const config = record(entry?.["config"]);
  if (!entry || !config) throw invalidModel(dialect.file, `does not say which layer its layer "${outer}" applies`);
  if (Array.isArray(config["layers"])) return entry; // a model
  const name = textOr(config["name"], outer).replace(/^forward_/, "");
  const { className, config: own } = normalisedLayer(textOr(entry["class_name"], ""), name, config, dialect);
  return { class_name: className, config: own };
}

function differs(forward: Config, backward: Config): boolean {
  const rest = (layer: Config): string => {
    const config = { ...record(layer["config"]), name: "", go_backwards: "" };
    const kept = Object.entries(config).filter(([key]) => !/initializer|seed/.test(key));
    return JSON.stringify([layer["class_name"], kept.sort(([a], [b]) => (a < b ? -1 : 1))]);
  };
  return rest(forward) !== rest(backward) || record(backward["config"])?.["go_backwards"] !== true;
}

/** Refuses quantised weights: gradients need float32. */
function checkPolicy(dtype: unknown, name: string, file: string): void {
  const policy = record(dtype);
  const text = policy ? wordOf(record(policy["config"])?.["name"]) : wordOf(dtype);
  if (policy?.["class_name"] !== "QuantizedDTypePolicy" && !/quantized|^u?int[48]|float8/i.test(text)) return;
  throw invalidModel(
    file,
    `has a layer "${name}" with quantised weights (${text || "QuantizedDTypePolicy"})`,
    "Save the model before it is quantised.",
    "MODEL_UNSUPPORTED",
  );
}

/**
 * Refuses custom classes, which Keras 3 marks: one may share the name of a known class and compute something else.
 * @throws MODEL_UNSUPPORTED naming the layer and its class
 */
export function checkOrigin(entry: Config, name: string, file: string): void {
  const [registered, module] = [entry["registered_name"], entry["module"]];
  if (typeof registered !== "string" || !registered.includes(">") || /^(keras|tf_keras|tensorflow)\b/.test(wordOf(module))) return;
  throw customClass(registered.split(">").at(-1) ?? "", name, file);
}

const customClass = (className: string, name: string, file: string) =>
  invalidModel(
    file,
    `has a layer "${name}" of the class ${className || "(none)"}, which neither TensorFlow.js nor Bulwark knows`,
    "Build the model from layers that Keras has, or export it to ONNX.",
    "MODEL_UNSUPPORTED",
  );

function checkClass(className: string, name: string, file: string): void {
  if (className === "Lambda")
    throw invalidModel(
      file,
      `has a Lambda layer "${name}", which is program code inside the model, and Bulwark does not run it`,
      "Replace it by a layer, such as Rescaling, or export the model to ONNX.",
      "MODEL_UNSUPPORTED",
    );
  if (Object.hasOwn(tf.serialization.SerializationMap.getMap().classNameMap, className)) return;
  throw customClass(className, name, file);
}
