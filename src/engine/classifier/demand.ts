import type { Classifier, LayerInfo } from "./classifier.ts";

/** Memory that a classifier takes while it computes, in bytes: estimates. */
export interface MemoryDemand {
  /** Of the weights with everything that is made of them, whatever the batch. */
  readonly weights: number;
  /** Of one image in a pass forward. */
  readonly forward: number;
  /** Of one image in a step that takes the gradient at the image. */
  readonly gradient: number;
}

const bytesPerValue = 4;
/** Values that are alive at once, in values of the largest layer: its input and output, and what the backend rearranges them into. */
const alive = { forward: 4, gradient: 8 };
/**
 * Copies of a kernel, by its rank, that the graphs of a pass and of a gradient hold at most: packed, unpacked and while they are made. Of a
 * large matrix, which is read where it lies, it is its transpose.
 */
const copies: Readonly<Record<number, number>> = { 2: 2, 4: 8, 5: 15 };
const largeMatrix = 16 * 2 ** 20;
/** Depths of a 3-D kernel for which the input lies rearranged at once. */
const mostDepths = 4;
/** Bytes of the graphs of any network. */
const ofGraphs = 25e6;
/** Values that a transformation in front of the network holds at once, for each value of the image. */
const inFront = 48;
/** Derivatives follow from the value after the activation: its own values are all that is kept. */
const piecewise = ["relu", "relu6", "leakyRelu", "thresholdedRelu", "boundedRelu", "prelu"];

/**
 * The memory that a classifier needs, from the sizes of its layers. A gradient at the image keeps what derivatives are taken from: the
 * values of every activation, twice where it is no piecewise linear one, both factors of a product, and what a pool has chosen. Forward, a
 * layer's value is freed once the next ones have it. What stands in front of the network counts as well, passes that are averaged and a
 * detector that is evaded as often as they are held. A 3-D convolution rearranges its input for several depths of its kernel at once.
 * Weights are counted by the kernels of the layers. A model that does not show its layers is taken for a small one. All factors were
 * measured as peaks of resident memory on the CPU; most estimates are 0.8 to 2 times these.
 */
export function demandOf(model: Classifier): MemoryDemand {
  const layers = model.layers?.all ?? [];
  const image = bytesPerValue * model.inputShape.reduce((a, b) => a * b, 1);
  const front = (model.front?.length ?? 0) * inFront * image;
  const kernels = layers.map(({ name }) => model.layers?.kernel(name)?.shape ?? []);
  const largest = Math.max(image, ...layers.map((layer, i) => sizeOf(layer) * timesAlive(layer, kernels[i] ?? [])));
  const kept = layers.reduce((sum, layer) => sum + keptOf(layer) * sizeOf(layer), 0);
  const held = (model.passes ?? 1) + (model.penalty ? (model.penaltyPasses ?? 1) : 0);
  return {
    weights: kernels.reduce((sum, shape) => sum + packed(shape), ofGraphs),
    forward: alive.forward * largest + front,
    gradient: alive.gradient * largest + held * (kept + front),
  };
}

/** Bytes of a layer's value for one image; sides that nothing says count as 1. */
const sizeOf = ({ shape }: LayerInfo): number => bytesPerValue * shape.slice(1).reduce<number>((product, side) => product * (side ?? 1), 1);

const isSmooth = ({ activation }: LayerInfo): boolean => activation !== null && !piecewise.includes(activation);

/** How many times a layer's value is kept for the gradient. */
function keptOf(layer: LayerInfo): number {
  if (isSmooth(layer) || layer.type === "Multiply") return 2;
  return layer.activation !== null || layer.type.startsWith("MaxPooling") ? 1 : 0;
}

/** Values of this size that are alive at once, beside those of a plain 2-D layer. */
function timesAlive(layer: LayerInfo, kernel: readonly number[]): number {
  if (layer.type.endsWith("Conv3D")) return Math.min(kernel[0] ?? 1, mostDepths);
  return isSmooth(layer) ? 2 : 1;
}

/** Bytes of what is made of a kernel. */
function packed(shape: readonly number[]): number {
  if (shape.length === 0) return 0;
  const size = bytesPerValue * shape.reduce((a, b) => a * b, 1);
  return shape.length === 2 && size >= largeMatrix ? size : (copies[shape.length] ?? 1) * size;
}
