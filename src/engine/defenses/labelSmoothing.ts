import { Type } from "@sinclair/typebox";
import { number } from "../../shared/format.ts";
import { defineTrainingDefense, num } from "../define/index.ts";
import { tf } from "../tf.ts";

/**
 * Training towards soft targets: 1 − s for the class of the label, s/(K − 1) for each other. It changes the targets alone, so that it
 * stands over any other training defence: every slice of a volumized network, and clean and adversarial images alike, are trained towards
 * the same distribution. Accuracy is counted on the labels, and attacks ascend the loss of the label.
 */
export const labelSmoothing = defineTrainingDefense({
  id: "labelSmoothing",
  title: "Label smoothing",
  paper: "Szegedy et al. 2016",
  params: Type.Object({
    smoothing: num(0.1, "Probability that is taken from the label's class and shared equally by all others.", {
      min: 0,
      max: 1,
      unit: "of 1",
    }),
  }),
  label: ({ smoothing }) => `Label smoothing ${number(smoothing)}`,
  plan: (base, { smoothing }, { classes }) => ({
    ...base,
    loss: (step) => base.loss({ ...step, targets: smoothed(step.targets, smoothing, classes) }),
  }),
});

/** t·(1 − s) + (1 − t)·s/(K − 1), for targets t [b,K]: still a distribution. */
const smoothed = (targets: tf.Tensor2D, s: number, classes: number): tf.Tensor2D =>
  tf.tidy(() => tf.add(tf.mul(targets, 1 - s), tf.mul(tf.sub(1, targets), s / (classes - 1))));
