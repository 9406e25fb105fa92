import type { tf } from "../tf.ts";
import type { Core } from "./config.ts";
import { convolutionGradients } from "./convolution.ts";
import { poolingGradients } from "./pooling.ts";
import { selectionGradients } from "./selection.ts";

/**
 * Gradients that tfjs lacks, without which `tf.grad` of a function that itself uses `tf.grad` fails on convolutional networks, as the losses
 * on attention maps do. They are written with kernels that every backend has, so they are registered once for all of them.
 * Limits, which are those of tfjs' first gradients: no dilated convolutions; and on `cpu` alone, a padded average pool divides by the whole
 * window and a 3-D max pool takes the last of tied maxima, whereas the second gradient is that of the forward pass and takes the first.
 */
export const secondOrderGradients = (core: Core): tf.GradConfig[] => [
  ...convolutionGradients(core),
  ...poolingGradients(core),
  ...selectionGradients(core),
];
