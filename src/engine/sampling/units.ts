import { BulwarkError } from "../../shared/errors.ts";
import { isRectifier } from "../classifier/activation.ts";
import type { Classifier, LayerInfo, LayerSource } from "../classifier/classifier.ts";
import { requireGradients } from "../classifier/forwardOnly.ts";

/** Which layers are sampled: every ReLU of a feature map, or the last one. */
export const unitChoices = ["allConvRelu", "lastConvRelu"] as const;
export type UnitChoice = (typeof unitChoices)[number];

/** What does without the layers. */
const otherDetector = "the detector softmaxEntropy, which needs scores alone";

/** Ends in a ReLU of any kind and is not flattened yet: a map of at least two places, or of any size. */
const isUnit = ({ activation, shape }: LayerInfo): boolean =>
  isRectifier(activation) && shape.length >= 4 && shape.slice(1, -1).some((side) => side !== 1);

/**
 * The layers behind which activations are sampled (paper 3: "right after the ReLU activation units, and in the layers prior to flattening"),
 * in network order.
 * @param instead what the error advises @throws MODEL_UNSUPPORTED for a network without any, or one that does not show its layers
 */
export function unitsOf(model: Classifier, choice: UnitChoice, what: string, instead: string = otherDetector): readonly LayerInfo[] {
  const found = layersOf(model, what, instead).all.filter(isUnit);
  if (found.length === 0)
    throw new BulwarkError(
      "MODEL_UNSUPPORTED",
      `${what} samples activations behind the ReLUs of feature maps, and the network has none.`,
      `Use a convolutional network with ReLU activations, or ${instead}.`,
    );
  return choice === "allConvRelu" ? found : found.slice(-1);
}

/** @throws MODEL_FORWARD_ONLY, MODEL_UNSUPPORTED where the layers do not show */
export function layersOf(model: Classifier, what: string, instead: string = otherDetector): LayerSource {
  if (model.layers) return model.layers;
  requireGradients(model, `${what} works on the layers inside the network, which`, `Use ${instead}.`);
  throw new BulwarkError(
    "MODEL_UNSUPPORTED",
    `${what} works on the layers inside the network, and this model does not show its layers.`,
    `Use ${instead}.`,
  );
}
