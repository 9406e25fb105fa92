import type { tfl } from "../../tf.ts";
import { convolution, depthwise, separable } from "./convolution.ts";
import { globalPooling, pooling } from "./pooling.ts";
import { apply, type Config, firstInput, permute, refusal, reshape, type Slot } from "./slot.ts";

type Convert = (slot: Slot, config: Config) => tfl.SymbolicTensor;

/** The same layer, applied to volumes: it does not mind further axes. */
const asItIs: Convert = (slot, config) =>
  apply(slot, slot.layer.getClassName(), config, slot.inputs.length === 1 ? firstInput(slot) : [...slot.inputs]);

/** Lays the slices side by side as channels, so that a layer that moves or repeats pixels treats them all alike. */
const acrossSlices: Convert = (slot, config) => {
  const [, Z, h, w, c] = firstInput(slot).shape as [null, number, number, number, number];
  const flat = reshape(slot, "_merge", [h, w, Z * c], permute(slot, "_behind", [2, 3, 1, 4], firstInput(slot)));
  const done = apply(slot, slot.layer.getClassName(), config, flat);
  const [, height, width] = done.shape as [null, number, number];
  return permute(slot, "_front", [3, 1, 2, 4], reshape(slot, "_split", [height, width, Z, c], done));
};

const isLast = (slot: Slot, axis: unknown): boolean => axis === -1 || axis === (slot.sources[0]?.shape.length ?? 0) - 1;

/** Statistics over batch, slices, height and width. tfjs normalises four axes at most, so slices are stacked for a moment. */
const batchNormalization: Convert = (slot, config) => {
  if (!isLast(slot, config["axis"])) throw refusal(slot, "does not normalise over the channel axis");
  const x = firstInput(slot);
  if (x.shape.length !== 5) return asItIs(slot, { ...config, axis: -1 });
  const [, Z, h, w, c] = x.shape as [null, number, number, number, number];
  const done = apply(slot, slot.layer.getClassName(), { ...config, axis: -1 }, reshape(slot, "_merge", [Z * h, w, c], x));
  return reshape(slot, "_split", [Z, h, w, c], done);
};

const alongChannels: Convert = (slot, config) => {
  if (!isLast(slot, config["axis"])) throw refusal(slot, "does not work along the channel axis");
  return asItIs(slot, { ...config, axis: -1 });
};

const dropout: Convert = (slot, config) => {
  if (config["noiseShape"] != null) throw refusal(slot, "drops in a pattern of its own");
  return asItIs(slot, { name: slot.layer.name, rate: config["rate"] ?? 0, seed: config["seed"] ?? slot.conversion.nextSeed() });
};

const flatten: Convert = (slot) => {
  const x = firstInput(slot);
  const perSlice = (x.shape.slice(2) as number[]).reduce((a, b) => a * b, 1);
  return reshape(slot, "", [slot.conversion.depth, perSlice], x);
};

/** [b,C] → [b,1,1,C] and the like, slice by slice; a reshape to one axis is a flatten. */
const reshaped: Convert = (slot, config) => {
  const target = (config["targetShape"] as number[]).map(Number);
  if (target.length === 1) return flatten(slot, config);
  const x = firstInput(slot);
  const size = (shape: readonly (number | null)[]): number => (shape as number[]).reduce((a, b) => a * b, 1);
  if (target.includes(-1) || size(target) !== size(x.shape.slice(2))) throw refusal(slot, "reshapes to a size that slices do not have");
  return reshape(slot, "", [slot.conversion.depth, ...target], x);
};

const convert: Readonly<Record<string, Convert>> = {
  Conv2D: convolution,
  DepthwiseConv2D: depthwise,
  SeparableConv2D: separable,
  MaxPooling2D: pooling("Max"),
  AveragePooling2D: pooling("Average"),
  GlobalMaxPooling2D: globalPooling("Max"),
  GlobalAveragePooling2D: globalPooling("Average"),
  BatchNormalization: batchNormalization,
  Concatenate: alongChannels,
  Softmax: alongChannels,
  Dropout: dropout,
  Flatten: flatten,
  Reshape: reshaped,
  ZeroPadding2D: acrossSlices,
  Cropping2D: acrossSlices,
  UpSampling2D: acrossSlices,
  ...Object.fromEntries(
    ["Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "GaussianNoise", "GaussianDropout", "AlphaDropout", "Rescaling"]
      .concat(["Add", "Multiply", "Average", "Maximum", "Minimum"])
      .map((className) => [className, asItIs]),
  ),
};

/**
 * The 3-D counterpart of one use of a layer (section 3.3 of Ghebrechristos & Alaghband 2024).
 * @throws BulwarkError MODEL_INVALID that names a layer which has none.
 */
export function convertLayer(slot: Slot): tfl.SymbolicTensor {
  const found = convert[slot.layer.getClassName()];
  const config = { ...slot.layer.getConfig() };
  if (!found || config["dataFormat"] === "channelsFirst") throw refusal(slot);
  delete config["batchInputShape"]; // belongs to the 2-D input
  return found(slot, config);
}
