import { BulwarkError } from "../../../shared/errors.ts";
import type { tfl } from "../../tf.ts";
import { apply, type Config, firstInput, pair, refusal, reshape, type Slot, spatialSize } from "./slot.ts";

/** k×k → depth×k×k; depth is padded to stay Z, height and width keep their own rule. */
export function convolution(slot: Slot, config: Config): tfl.SymbolicTensor {
  return convolve(slot, firstInput(slot), config, slot.conversion.kernelDepth);
}

/**
 * A grouped 3-D convolution is no tfjs layer; the dense one in its place can represent it.
 */
export function depthwise(slot: Slot, config: Config): tfl.SymbolicTensor {
  slot.conversion.note(`Layer "${slot.layer.name}": the depthwise convolution became a dense 3-D convolution.`);
  return convolve(slot, firstInput(slot), denseConfig(slot, config), slot.conversion.kernelDepth);
}

/** Depthwise part in 3-D without bias and activation, then the pointwise part within a slice. */
export function separable(slot: Slot, config: Config): tfl.SymbolicTensor {
  slot.conversion.note(`Layer "${slot.layer.name}": the depthwise convolution became a dense 3-D convolution.`);
  const spatial = { ...denseConfig(slot, config), name: `${slot.layer.name}_depthwise`, useBias: false, activation: "linear" };
  const pointwise = { ...config, kernelSize: [1, 1], strides: [1, 1], kernelInitializer: config["pointwiseInitializer"] ?? "heNormal" };
  return convolve(slot, convolve(slot, firstInput(slot), spatial, slot.conversion.kernelDepth), pointwise, 1);
}

function denseConfig(slot: Slot, config: Config): Config {
  const channels = slot.sources[0]?.shape[3] as number;
  return {
    ...config,
    filters: channels * Number(config["depthMultiplier"] ?? 1),
    kernelInitializer: config["depthwiseInitializer"] ?? "heNormal",
  };
}

const shared = [
  "filters",
  "useBias",
  "activation",
  "trainable",
  "kernelInitializer",
  "biasInitializer",
  "kernelRegularizer",
  "biasRegularizer",
];

function convolve(slot: Slot, x: tfl.SymbolicTensor, config: Config, kernelDepth: number): tfl.SymbolicTensor {
  const [kh, kw] = pair(config["kernelSize"]);
  if (pair(config["dilationRate"] ?? 1).some((d) => d !== 1))
    throw refusal(slot, "is dilated, which tfjs cannot train in three dimensions");
  checkFirst(slot, kh, kw);
  const [h, w] = spatialSize(x);
  const tooSmall = config["padding"] === "valid" && (h < kh || w < kw);
  if (tooSmall) slot.conversion.note(`Layer "${slot.layer.name}": a ${h}×${w} slice is smaller than its kernel, so it is padded.`);
  const padding = tooSmall ? "same" : String(config["padding"]);
  const kept = Object.fromEntries(shared.filter((key) => config[key] != null).map((key) => [key, config[key] ?? null]));
  const conv3d = {
    ...kept,
    name: config["name"] ?? null,
    kernelSize: [kernelDepth, kh, kw],
    strides: [1, ...pair(config["strides"])],
    padding,
  };
  return apply(slot, "Conv3D", conv3d, padding === "valid" && kernelDepth > 1 ? padDepth(slot, x, kernelDepth) : x);
}

/** "Kernel ≪ slice": an error where the first kernel does not fit, a note where it covers more than half. */
function checkFirst(slot: Slot, kh: number, kw: number): void {
  const { conversion } = slot;
  if (conversion.seenConvolution) return;
  conversion.seenConvolution = true;
  const [h, w] = conversion.patch;
  if (kh > h || kw > w) {
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `The ${kh}×${kw} kernel of layer "${slot.layer.name}" is larger than a slice of ${h}×${w}.`,
      "Use larger patches.",
    );
  }
  if (2 * kh > h || 2 * kw > w) {
    conversion.note(`Layer "${slot.layer.name}": its ${kh}×${kw} kernel covers more than half of a ${h}×${w} slice.`);
  }
}

/**
 * Zeros before and behind the slices, as "same" would put them: a layer has one padding rule for all axes, and this one's is "valid"
 * within the slice. There is no such layer in 3-D, so depth becomes a row of a flat image for a moment.
 */
function padDepth(slot: Slot, x: tfl.SymbolicTensor, kernelDepth: number): tfl.SymbolicTensor {
  const [, Z, h, w, c] = x.shape as [null, number, number, number, number];
  const front = Math.floor((kernelDepth - 1) / 2);
  const padding = [
    [front, kernelDepth - 1 - front],
    [0, 0],
  ];
  const flat = reshape(slot, "_rows", [Z, h * w * c, 1], x);
  const padded = apply(slot, "ZeroPadding2D", { name: `${slot.layer.name}_depth`, padding }, flat);
  return reshape(slot, "_volume", [Z + kernelDepth - 1, h, w, c], padded);
}
