import { tf, type tfl } from "../../tf.ts";
import { apply, type Carry, type Config, firstInput, refusal, reshape, type Slot, volumeShape } from "./slot.ts";

const rankOf = (slot: Slot): number => slot.sources[0]?.shape.length ?? 0;
const resolved = (slot: Slot, axis: unknown): number => (Number(axis) < 0 ? Number(axis) + rankOf(slot) : Number(axis));
const isVolume = (slot: Slot): boolean => firstInput(slot).shape.length === 5;

/** Statistics over batch, slices, height and width. tfjs normalises four axes at most, so slices are stacked for a moment. */
export function batchNormalization(slot: Slot, config: Config): tfl.SymbolicTensor {
  if (resolved(slot, config["axis"]) !== rankOf(slot) - 1) throw refusal(slot, "does not normalise over the channel axis");
  // With γ and β in any case: tfjs cannot train without.
  const carry: Carry = (weights) => {
    const given = [...weights];
    const like = given.at(-1) as tf.Tensor;
    const gamma = config["scale"] === false ? like.onesLike() : given.shift();
    const beta = config["center"] === false ? like.zerosLike() : given.shift();
    return [gamma as tf.Tensor, beta as tf.Tensor, ...given];
  };
  return stacked(slot, { ...config, axis: -1, scale: true, center: true }, carry);
}

/**
 * Over the same axes of each sample as in 2-D, and over the slices too where height is among them: axes 1 and 2 are instance normalisation,
 * for which tfjs has no layer of its own.
 */
export function layerNormalization(slot: Slot, config: Config): tfl.SymbolicTensor {
  const axes = [config["axis"] ?? -1].flat().map((axis) => resolved(slot, axis));
  if (!isVolume(slot)) {
    if (rankOf(slot) !== 2) throw refusal(slot, "normalises neither images nor features");
    return stacked(slot, { ...config, axis: -1 });
  }
  return stacked(slot, { ...config, axis: axes });
}

/** Over the channels of each pixel, so that it does not matter that slices are stacked. */
export const responseNormalization = (slot: Slot, config: Config): tfl.SymbolicTensor => stacked(slot, config);

function stacked(slot: Slot, config: Config, carry?: Carry): tfl.SymbolicTensor {
  const use = { className: slot.layer.getClassName(), suffix: "", config, ...(carry ? { carry } : {}) };
  const x = firstInput(slot);
  if (!isVolume(slot)) return apply(slot, use, x);
  const [Z, h, w, c] = volumeShape(x);
  return reshape(slot, "_split", [Z, h, w, c], apply(slot, use, reshape(slot, "_merge", [Z * h, w, c], x)));
}

/** A slope for each pixel and channel of a slice, the same for all slices. */
export function prelu(slot: Slot, config: Config): tfl.SymbolicTensor {
  const given = [config["sharedAxes"] ?? []].flat().map((axis) => Number(axis) + 1);
  const carry: Carry = (weights) => weights.map((alpha) => tf.expandDims(alpha, 0));
  return apply(slot, { className: "PReLU", suffix: "", config: { ...config, sharedAxes: [1, ...given] }, carry }, firstInput(slot));
}
