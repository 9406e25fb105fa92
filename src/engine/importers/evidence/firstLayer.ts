import { tfl } from "../../tf.ts";
import type { InputEvidence } from "./evidence.ts";

/** Layers in front that move, cut or augment pixels and leave their range as it is. */
const passing = /^(InputLayer|Resizing|CenterCrop|Random\w+|Cropping2D|ZeroPadding2D|Permute|Reshape|OpaqueAlpha|GaussianNoise|Dropout)$/;

/** Per-channel values of a config, a number or a list of numbers; undefined for anything else. */
function valuesOf(value: unknown): readonly number[] | undefined {
  const list = (Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]) as readonly unknown[];
  return list.length > 0 && list.every((item) => typeof item === "number" && Number.isFinite(item)) ? (list as number[]) : undefined;
}

const largest = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

/**
 * Bytes or [0,1] as what a layer y = scale·x + offset takes: the values that it gives stay within a few units for one of them only.
 * Undefined where neither follows.
 */
function takenByRescaling(scale: readonly number[], offset: readonly number[]): "bytes" | "unit" | undefined {
  const factor = largest(scale);
  if (factor <= 1 / 32) return "bytes"; // 1/255, 1/127.5, 1/58 (a standard deviation in bytes)
  if (factor === 1 && largest(offset) > 2) return "bytes"; // the mean pixel taken off
  const changes = factor !== 1 || largest(offset) > 0;
  return changes && offset.every((value) => value <= 0) ? "unit" : undefined; // an offset above 0 is made for inputs around 0
}

/** By the mean and variance that it was adapted to: above 2 they are those of bytes. */
function takenByNormalization(mean: readonly number[], variance: readonly number[]): "bytes" | "unit" | undefined {
  if (largest(mean) > 2) return "bytes";
  return largest(mean) > 0 && largest(variance) <= 1 ? "unit" : undefined;
}

async function weightOf(layer: tfl.layers.Layer, name: string): Promise<readonly number[] | undefined> {
  const weight = layer.weights.find((variable) => variable.originalName.split("/").at(-1) === name);
  return weight && [...(await weight.read().data())];
}

async function taken(layer: tfl.layers.Layer): Promise<"bytes" | "unit" | undefined> {
  const config = layer.getConfig() as Record<string, unknown>;
  if (layer.getClassName() === "Rescaling") {
    const [scale, offset] = [valuesOf(config["scale"] ?? 1), valuesOf(config["offset"] ?? 0)];
    return scale && offset && takenByRescaling(scale, offset);
  }
  if (layer.getClassName() === "Affine") {
    const [scale = [1], offset = [0]] = await Promise.all(["scale", "offset"].map((name) => weightOf(layer, name)));
    return takenByRescaling(scale, offset);
  }
  const stored = async (name: string): Promise<readonly number[] | undefined> => {
    return valuesOf(config[name]) ?? weightOf(layer, name);
  };
  const [mean, variance] = [await stored("mean"), await stored("variance")];
  return mean && variance && takenByNormalization(mean, variance);
}

/** An augmentation is loaded as an activation that changes nothing. */
const passes = (layer: tfl.layers.Layer): boolean =>
  passing.test(layer.getClassName()) || (layer.getClassName() === "Activation" && layer.getConfig()["activation"] === "linear");

/** Whether the weights of such a layer tell something about the images. */
export const tellsByWeights = (className: string): boolean => className === "Normalization" || className === "Affine";

/** The first layer that does more than pass pixels on; of a nested model its own first one. */
function firstOf(network: tfl.LayersModel): tfl.layers.Layer | undefined {
  const first = network.layers.find((layer) => !passes(layer));
  return first instanceof tfl.LayersModel ? firstOf(first) : first;
}

/**
 * A network that begins with `Rescaling`, `Normalization`, or a product or sum with constants normalises its images itself. It takes bytes
 * (0…255) or [0,1], depending on that layer's numbers. Null if it begins otherwise, or if the numbers do not tell.
 */
export async function firstLayerEvidence(network: tfl.LayersModel): Promise<InputEvidence | null> {
  const first = firstOf(network);
  if (!first || !["Rescaling", "Normalization", "Affine"].includes(first.getClassName())) return null;
  const wants = await taken(first);
  if (!wants) return null;
  return {
    source: { kind: "layer", text: `the network's first layer "${first.name}" (${first.getClassName()})` },
    input: { mean: 0, scale: wants === "bytes" ? 1 : 255 },
  };
}
