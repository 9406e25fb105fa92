import type { tf } from "../tf.ts";
import { activationGradients, registerActivations } from "./activation.ts";
import { arrangementGradients } from "./arrangement.ts";
import { batchNormGradients, registerBatchNorm } from "./batchNorm.ts";
import type { Core } from "./config.ts";
import { convolutionGradients } from "./convolution.ts";
import { elementwiseGradients } from "./elementwise.ts";
import { groupedConvolutionGradients, registerGroupedConvolution } from "./groupedConvolution.ts";
import { normalisationGradients, registerNormalisation } from "./normalisation.ts";
import { poolingGradients } from "./pooling.ts";
import { reductionGradients } from "./reduction.ts";
import { selectionGradients } from "./selection.ts";

export { boundedRelu, useActivations } from "./activation.ts";
export { batchNormTraining } from "./batchNorm.ts";
export { completeBatchNorm } from "./batchNormLayer.ts";
export { type Dilations, dilateKernel } from "./convolution.ts";
export { type GroupedAttributes, groupedConv2d } from "./groupedConvolution.ts";
export { guidedly } from "./guided.ts";
export { repeated } from "./reduction.ts";
export { orderTape } from "./tape.ts";

/**
 * Gradients that tfjs lacks: without them `tf.grad` of a function that itself uses `tf.grad` fails on convolutional networks, as the losses on
 * attention maps do. Also gradients that tfjs has but computes slowly, from tensors made on the host or expanded to whole feature maps.
 * They use only kernels that every backend has, so they are registered once for all backends.
 * The gradients of convolutions of images also serve dilated ones, which tfjs refuses.
 * Limits, which are those of tfjs' first gradients: no dilated convolutions of volumes, nothing through `einsum`, `cumprod`, `cropAndResize`. On `cpu`
 * alone, a padded average pool divides by the whole window, a 3-D max pool takes the last of tied maxima (the second gradient is that of the
 * forward pass and takes the first), and the gradients of resizing are wrong for several images (nearest) or fail for oblong ones (bilinear).
 */
export const gradientsOf = (core: Core): tf.GradConfig[] => [
  ...activationGradients(core),
  ...arrangementGradients(core),
  ...batchNormGradients(core),
  ...convolutionGradients(core),
  ...elementwiseGradients(core),
  ...groupedConvolutionGradients(core),
  ...normalisationGradients(core),
  ...poolingGradients(core),
  ...reductionGradients(core),
  ...selectionGradients(core),
];

/** Registers our own kernels, which the gradients use, for the backends that have none of their own. */
export function registerKernels(core: Core): void {
  registerActivations(core);
  registerBatchNorm(core);
  registerGroupedConvolution(core);
  registerNormalisation(core);
}
