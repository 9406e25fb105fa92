import { Type } from "@sinclair/typebox";
import { defineInferenceDefense, int } from "../define/index.ts";
import { tf } from "../tf.ts";

/** Rounds each value to one of 2^d levels: ⌊x·(2^d − 1) + ½⌋ / (2^d − 1), halves up. */
export const bitDepth = defineInferenceDefense({
  id: "bitDepth",
  title: "Bit-depth reduction",
  paper: "Xu et al. 2018",
  params: Type.Object({ depth: int(3, "Bits left per channel.", { min: 1, max: 8, unit: "bits" }) }),
  label: ({ depth }) => `Bit depth ${depth}`,
  cheap: {},
  backward: () => "bpda", // the derivative of a staircase is 0 almost everywhere
  transform(x, { depth }) {
    const steps = 2 ** depth - 1;
    return tf.tidy(() => tf.div(tf.floor(tf.add(tf.mul(x, steps), 0.5)), steps));
  },
});
