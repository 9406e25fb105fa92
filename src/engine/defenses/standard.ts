import { Type } from "@sinclair/typebox";
import { defineTrainingDefense } from "../define/index.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import type { Logits } from "../tf.ts";

/** The undefended network: cross-entropy on clean images. What defences are compared with. */
export const standard = defineTrainingDefense({
  id: "standard",
  title: "No defence",
  paper: "",
  params: Type.Object({}),
  plan: () => ({
    network: (base) => base,
    prepare: (x) => x,
    toLogits: (output) => output as Logits,
    loss: (output, labels) => crossEntropy(output as Logits, labels, "mean"),
    learningRateScale: 1,
    syllabus: undefined,
  }),
});
