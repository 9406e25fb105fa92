import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { activationOf, isRectifier } from "../classifier/activation.ts";
import { defineTrainingDefense, int, num } from "../define/index.ts";
import { LocalResponseNormalization } from "../models/layers/index.ts";
import { withLayers } from "../models/rebuild.ts";
import type { tfl } from "../tf.ts";
import { afterNetwork } from "../training/plan.ts";

/**
 * Behind the ReLU of every convolution, each channel is divided by (k + α·Σx²)^β over its n nearest channels. The numbers are those of Krizhevsky et
 * al.; PyTorch divides α by n. A network that is volumized gets it first.
 */
export const localResponseNormalization = defineTrainingDefense({
  id: "localResponseNormalization",
  title: "Local response normalization",
  paper: "Krizhevsky et al. 2012",
  params: Type.Object({
    size: int(5, "Channels n that are summed over, the channel itself among them.", { min: 1, odd: true, unit: "channels" }),
    bias: num(2, "The k that the sum is added to.", { min: 1e-6 }),
    alpha: num(1e-4, "Weight α of the sum of squares.", { min: 0 }),
    beta: num(0.75, "Exponent β.", { min: 0 }),
  }),
  plan: (base, p) => ({ ...base, network: afterNetwork(base, (network) => normalized(network, p)) }),
});

interface Response {
  readonly size: number;
  readonly bias: number;
  readonly alpha: number;
  readonly beta: number;
}

/** @throws MODEL_INVALID for a network without a ReLU behind a convolution of images */
function normalized(network: tfl.LayersModel, { size, bias, alpha, beta }: Response): tfl.LayersModel {
  let count = 0;
  const replaced = withLayers(network, `${network.name}_lrn`, (layer, names) => {
    if (!isRectifier(activationOf(layer)) || !comesFromImages(layer)) return undefined;
    count++;
    const name = names.unused(`${layer.name}_lrn`);
    return { followedBy: [new LocalResponseNormalization({ name, depthRadius: (size - 1) / 2, bias, alpha, beta })] };
  });
  if (count > 0) return replaced;
  replaced.dispose();
  const isVolume = network.inputs[0]?.shape.length === 5;
  throw new BulwarkError(
    "MODEL_INVALID",
    `${network.name} has no ReLU behind a convolution of images, so localResponseNormalization would change nothing.`,
    isVolume ? "List localResponseNormalization before volumizedCurriculum." : "Use a network with ReLUs, or remove the defence.",
  );
}

/** The layer is a convolution of images, or follows one with nothing but normalisations and activations in between. */
function comesFromImages(layer: tfl.layers.Layer): boolean {
  if (/Conv2D/.test(layer.getClassName())) return true;
  if (!/^(Activation|ReLU|BoundedRelu|ThresholdedReLU|BatchNormalization|Affine)$/.test(layer.getClassName())) return false;
  const [source] = layer.inboundNodes[0]?.inputTensors ?? [];
  return source !== undefined && comesFromImages(source.sourceLayer);
}
