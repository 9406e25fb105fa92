import type { TrainingPlan } from "../define/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import type { Logits } from "../tf.ts";

/** Plain training, which training defences change: the network as it is, images as they are, mean cross-entropy. */
export const plainPlan: TrainingPlan = {
  network: (base) => base,
  prepare: (x) => x,
  toLogits: (output) => output as Logits,
  loss: (output, labels) => crossEntropy(output as Logits, labels, "mean"),
  learningRateScale: 1,
  syllabus: undefined,
};
