import { tf, type tfl } from "../../tf.ts";
import { BoundedRelu, SliceDense } from "../layers/index.ts";
import { compactConvolution, convolution, depthwiseConvolution, groupedConvolution, separable, transposed } from "./convolution.ts";
import { batchNormalization, layerNormalization, prelu, responseNormalization } from "./normalization.ts";
import { pad } from "./plane.ts";
import { globalPooling, pooling } from "./pooling.ts";
import { apply, type Carry, type Config, firstInput, pair, permute, refusal, reshape, type Slot, seeded, volumeShape } from "./slot.ts";

type Convert = (slot: Slot, config: Config) => tfl.SymbolicTensor;

/** The same layer, applied to volumes: it does not mind further axes. */
const asItIs: Convert = (slot, config) =>
  apply(slot, { className: slot.layer.getClassName(), suffix: "", config }, slot.inputs.length === 1 ? firstInput(slot) : [...slot.inputs]);

/** Element by element; what is combined must have the same axes, as slices come in front of them. */
const merge: Convert = (slot, config) => {
  if (new Set(slot.sources.map((source) => source.shape.length)).size > 1) throw refusal(slot, "combines tensors of different rank");
  return asItIs(slot, config);
};

/** The axis after the batch is that of the slices. */
const behindSlices = (axis: unknown): number => (Number(axis) > 0 ? Number(axis) + 1 : Number(axis));

const concatenate: Convert = (slot, config) => {
  if (Number(config["axis"]) === 0) throw refusal(slot, "joins batches");
  return merge(slot, { ...config, axis: behindSlices(config["axis"] ?? -1) });
};

const softmax: Convert = (slot, config) => asItIs(slot, { ...config, axis: behindSlices(config["axis"] ?? -1) });

const dropout: Convert = (slot, config) => {
  const { noiseShape, ...rest } = config;
  const shape = Array.isArray(noiseShape) ? { noiseShape: [noiseShape[0] ?? null, 1, ...noiseShape.slice(1)] } : {};
  return asItIs(slot, { ...rest, ...shape, seed: config["seed"] ?? slot.conversion.nextSeed() });
};

/** Shared by the slices, or one for each place of the volume. */
const dense: Convert = (slot, config) => {
  const { conversion } = slot;
  const x = firstInput(slot);
  if (!conversion.perSliceHead || x.shape.length !== 3) return asItIs(slot, config);
  conversion.seenHead = true;
  const { name, activation, ...own } = config;
  const carry: Carry = (weights) => weights.map((w) => tf.tile(w.expandDims(0), [conversion.depth, ...w.shape.map(() => 1)]));
  const heads = apply(slot, { className: SliceDense.className, suffix: "", config: { dense: seeded(own, conversion.nextSeed) }, carry }, x);
  return apply(slot, { className: "Activation", suffix: "_activation", config: { activation: activation ?? "linear" } }, heads);
};

const compactDense: Convert = (slot, config) => {
  if (slot.conversion.perSliceHead) throw refusal(slot, "cannot have weights of its own for each place");
  return asItIs(slot, config);
};

const flatten: Convert = (slot) => {
  const x = firstInput(slot);
  const perSlice = (x.shape.slice(2) as number[]).reduce((a, b) => a * b, 1);
  return reshape(slot, "", [slot.conversion.depth, perSlice], x);
};

/** [b,C] → [b,1,1,C] and the like, slice by slice; a reshape to one axis is a flatten. */
const reshaped: Convert = (slot, config) => {
  const target = (config["targetShape"] as (number | null)[]).map((n) => n ?? -1);
  if (target.length === 1) return flatten(slot, config);
  const x = firstInput(slot);
  const size = (shape: readonly (number | null)[]): number => (shape as number[]).reduce((a, b) => a * b, 1);
  const [pixels, known] = [size(x.shape.slice(2)), size(target.filter((n) => n !== -1))];
  const whole = target.map((n) => (n === -1 ? pixels / known : n));
  if (size(whole) !== pixels || !whole.every(Number.isInteger)) throw refusal(slot, "reshapes to a size that slices do not have");
  return reshape(slot, "", [slot.conversion.depth, ...whole], x);
};

const permuted: Convert = (slot, config) => permute(slot, "", [1, ...(config["dims"] as number[]).map((d) => d + 1)], firstInput(slot));

const sides = (value: unknown): [[number, number], [number, number]] => {
  const axes = Array.isArray(value) ? value : [value, value];
  return [pair(axes[0]), pair(axes[1])];
};
const padding: Convert = (slot, config) => {
  const [rows, columns] = sides(config["padding"]);
  return pad(slot, "", firstInput(slot), { rows, columns });
};
const cropping: Convert = (slot, config) => {
  const [rows, columns] = sides(config["cropping"]);
  return pad(slot, "", firstInput(slot), { rows, columns }, "Cropping2D");
};

/** Lays the slices side by side as channels, so that a layer that enlarges images treats them all alike. */
const acrossSlices: Convert = (slot, config) => {
  const [Z, h, w, c] = volumeShape(firstInput(slot));
  const flat = reshape(slot, "_merge", [h, w, Z * c], permute(slot, "_behind", [2, 3, 1, 4], firstInput(slot)));
  const done = apply(slot, { className: slot.layer.getClassName(), suffix: "", config }, flat);
  const [, height, width] = done.shape as [null, number, number];
  return permute(slot, "_front", [3, 1, 2, 4], reshape(slot, "_split", [height, width, Z, c], done));
};

/** For layers whose weights or constants have one value per channel, or one for all: slices differ in size from images. */
const byChannel =
  (convert: Convert, ...keys: string[]): Convert =>
  (slot, config) => {
    const outer = keys.flatMap((key) => [config[key] ?? []].flat().slice(0, -1));
    if (outer.some((side) => side !== 1)) throw refusal(slot, "has values for each pixel of the image, and slices have other sizes");
    return convert(slot, config);
  };

const axesBehind =
  (convert: Convert, key: string): Convert =>
  (slot, config) =>
    convert(slot, { ...config, [key]: Array.isArray(config[key]) ? config[key].map(behindSlices) : behindSlices(config[key]) });

/** For layers that pick elements, along the channels only: in height and width slices differ from the image. */
const ofChannels =
  (key: string): Convert =>
  (slot, config) => {
    const rank = slot.sources[0]?.shape.length ?? 0;
    if ([config[key]].flat().some((axis) => axis !== -1 && axis !== rank - 1))
      throw refusal(slot, "cuts images, and slices have other sizes");
    return axesBehind(asItIs, key)(slot, config);
  };

const named = (convert: Convert, ...classNames: string[]): Record<string, Convert> =>
  Object.fromEntries(classNames.map((className) => [className, convert]));

const convert: Readonly<Record<string, Convert>> = {
  Conv2D: convolution,
  CompactConv2D: compactConvolution,
  CompactDense: compactDense,
  Conv2DTranspose: transposed,
  DepthwiseConv2D: depthwiseConvolution,
  GroupedConv2D: groupedConvolution,
  SeparableConv2D: separable,
  MaxPooling2D: pooling("Max"),
  AveragePooling2D: pooling("Average"),
  GlobalMaxPooling2D: globalPooling("Max"),
  GlobalAveragePooling2D: globalPooling("Average"),
  BatchNormalization: batchNormalization,
  LayerNormalization: layerNormalization,
  PReLU: prelu,
  Softmax: softmax,
  Concatenate: concatenate,
  Flatten: flatten,
  Reshape: reshaped,
  Permute: permuted,
  ZeroPadding2D: padding,
  Cropping2D: cropping,
  UpSampling2D: acrossSlices,
  Dense: dense,
  Affine: byChannel(asItIs, "scale", "offset"),
  Binary: byChannel(merge, "constant"),
  FakeQuantize: axesBehind(asItIs, "axis"),
  LocalResponseNormalization: responseNormalization,
  Reduce: axesBehind(asItIs, "axes"),
  SliceLayer: ofChannels("axes"),
  GatherConstant: ofChannels("axis"),
  ...named(acrossSlices, "MaxPoolPad", "AvgPoolPad", "Pad2D"),
  ...named(merge, "Add", "Multiply", "Average", "Maximum", "Minimum"),
  ...named(dropout, "Dropout", "AlphaDropout"),
  ...named(
    asItIs,
    "Activation",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "ThresholdedReLU",
    "Rescaling",
    "GaussianNoise",
    "GaussianDropout",
    "ChannelShuffle",
    "Clip",
    "Elementwise",
    "Gelu",
    "GroupNormalization",
    BoundedRelu.className,
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
