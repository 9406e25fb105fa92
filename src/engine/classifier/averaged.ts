import { tf } from "../tf.ts";
import type { Classifier } from "./classifier.ts";

/**
 * Expectation over transformation (Athalye et al. 2018): logits are the mean of so many passes, each with its own draws, so that gradients
 * are averages too. A mean of logits is one of log-probabilities up to a number an image, which no loss, margin or prediction depends on.
 * All passes are held until the gradient is taken. It counts every pass in `evaluations`.
 */
export function averaged(model: Classifier, passes: number): Classifier {
  const { withStreams, withMask } = model;
  return {
    ...model,
    evaluations: model.evaluations,
    passes: passes * (model.passes ?? 1),
    logits: (x) => tf.tidy(() => tf.div(tf.addN(Array.from({ length: passes }, () => model.logits(x))), passes)),
    ...(withStreams ? { withStreams: (streams) => averaged(withStreams(streams), passes) } : {}),
    ...(withMask ? { withMask: (mask) => averaged(withMask(mask), passes) } : {}),
  };
}
