import { type Static, Type } from "@sinclair/typebox";
import { defineDetector, num } from "../define/index.ts";
import { type SamplingDetector, samplingSurrogate, scoreBySampling } from "../sampling/detection.ts";
import { dropoutSampling } from "../sampling/dropout.ts";
import { samplingParameters, samplingPasses } from "../sampling/parameters.ts";

const title = "Dropout uncertainty";

const params = Type.Object({
  rate: num(0.5, "Share of the activations that are dropped.", { min: 0, max: 0.95 }),
  ...samplingParameters,
});

/**
 * Dropout behind the ReLUs of feature maps while predicting (after Feinman et al. 2017), with the score of minimum-variance sampling: the
 * entropy of the labels of many passes. A baseline of that paper.
 */
export const dropoutUncertainty = defineDetector({
  id: "dropoutUncertainty",
  title,
  paper: "Feinman et al. 2017",
  params,
  cheap: { runs: 12, rate: 0.9, evasionPasses: 2 },
  randomised: true,
  passes: samplingPasses,
  label: ({ rate }) => `dropout ${rate}`,
  score: (model, x, o, ctx) => scoreBySampling(model, x, { ...sampling(o), runs: o.runs }, ctx),
  surrogate: (model, x, o, see) => samplingSurrogate(model, x, { ...sampling(o), passes: o.evasionPasses }, see),
});

const sampling = ({ rate, units }: Static<typeof params>): SamplingDetector => ({ title, units, scheme: dropoutSampling(rate) });
