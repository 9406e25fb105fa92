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

interface Line {
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

type Range = "bytes" | "unit" | "signed";
const contracts: Readonly<Record<Range, InputEvidence["input"]>> = {
  bytes: { mean: 0, scale: 1 },
  unit: { mean: 0, scale: 255 },
  signed: { mean: 127.5, scale: 127.5 },
};

/** x + 1 and then a half: the lowest pixel is −1 and becomes 0. */
const isFromMinusOne = ({ scale, offset }: Line): boolean =>
  scale.length <= offset.length &&
  offset.every((value, i) => value > 0 && Math.abs(value - (scale[i % scale.length] as number)) <= 1e-3 * value);

/**
 * Bytes, [0,1] or [−1,1] as what the layers y = scale·x + offset take: the values that they give stay within a few units for one of them only.
 * Undefined where none follows.
 * @param lines of the first layer, of the first two together, and so on
 */
function takenByLines(lines: readonly Line[]): Range | undefined {
  const { scale, offset } = lines.at(-1) as Line;
  const factor = largest(scale);
  if (factor <= 1 / 32) return "bytes"; // 1/255, 1/127.5, 1/58 (a standard deviation in bytes)
  if (factor === 1 && largest(offset) > 2) return "bytes"; // the mean pixel taken off
  if (lines.some(isFromMinusOne)) return "signed"; // a mean and a deviation of what lies in 0…1 by then may follow
  if (offset.some((value) => value > 0)) return undefined; // made for inputs around 0
  return largest(offset) > 0 || factor >= 32 ? "unit" : undefined; // a factor such as 2 alone suits any range
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

/** y = scale·x + offset of a layer; undefined for any other layer. */
async function lineOf(layer: tfl.layers.Layer): Promise<Line | undefined> {
  if (layer.getClassName() === "Rescaling") {
    const config = layer.getConfig();
    const [scale, offset] = [valuesOf(config["scale"] ?? 1), valuesOf(config["offset"] ?? 0)];
    return scale && offset && { scale, offset };
  }
  if (layer.getClassName() !== "Affine") return undefined;
  const [scale = [1], offset = [0]] = await Promise.all(["scale", "offset"].map((name) => weightOf(layer, name)));
  return { scale, offset };
}

/** The layer that alone takes what this one gives. */
function nextOf({ outboundNodes }: tfl.layers.Layer): tfl.layers.Layer | undefined {
  const [node, ...others] = outboundNodes as unknown as readonly { readonly outboundLayer: tfl.layers.Layer }[];
  return others.length === 0 ? node?.outboundLayer : undefined;
}

/** The lines of a layer, of it and the next one together, and so on: x·½ + ½ is two layers in a file. */
async function linesFrom(layer: tfl.layers.Layer, before?: Line): Promise<readonly Line[]> {
  const own = await lineOf(layer);
  if (!own) return [];
  const line = before ? composed(before, own) : own;
  const next = nextOf(layer);
  return [line, ...(next ? await linesFrom(next, line) : [])];
}

/** One line, and another one of what it gives. */
function composed(first: Line, then: Line): Line {
  const channels = Math.max(...[first, then].flatMap(({ scale, offset }) => [scale.length, offset.length]));
  const at = (values: readonly number[], channel: number): number => values[channel % values.length] as number;
  const all = Array.from({ length: channels }, (_, channel) => channel);
  return {
    scale: all.map((c) => at(then.scale, c) * at(first.scale, c)),
    offset: all.map((c) => at(then.scale, c) * at(first.offset, c) + at(then.offset, c)),
  };
}

async function taken(layer: tfl.layers.Layer): Promise<Range | undefined> {
  const lines = await linesFrom(layer);
  if (lines.length > 0) return takenByLines(lines);
  const config = layer.getConfig() as Record<string, unknown>;
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
 * (0…255), [0,1] or [−1,1], depending on that layer's numbers. Null if it begins otherwise, or if the numbers do not tell.
 */
export async function firstLayerEvidence(network: tfl.LayersModel): Promise<InputEvidence | null> {
  const first = firstOf(network);
  if (!first || !["Rescaling", "Normalization", "Affine"].includes(first.getClassName())) return null;
  const wants = await taken(first);
  if (!wants) return null;
  return {
    source: { kind: "layer", text: `the network's first layer "${first.name}" (${first.getClassName()})` },
    input: contracts[wants],
  };
}
