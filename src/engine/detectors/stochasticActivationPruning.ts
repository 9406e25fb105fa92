import { type Static, Type } from "@sinclair/typebox";
import { choice, defineDetector, num } from "../define/index.ts";
import { type SamplingDetector, samplingSurrogate, scoreBySampling } from "../sampling/detection.ts";
import { independent, withReplacement } from "../sampling/drawMethods.ts";
import { entrySampling } from "../sampling/entrySampling.ts";
import { samplingParameters, samplingPasses } from "../sampling/parameters.ts";

const title = "Stochastic activation pruning (SAP)";
const methods = { replacement: withReplacement, independent } as const;

const params = Type.Object({
  ratio: num(1, "Draws of a pass, as a share of a map's activations; 1 does not keep them all.", { min: 0.001, usual: [0.1, 2] }),
  sapProb: choice(["perPass", "deterministic"], "perPass", "Probabilities from the activations of each pass, or of one plain pass."),
  draws: choice(
    ["replacement", "independent"],
    "replacement",
    "With replacement, as in the paper; or each activation on its own, as in the code of Athalye et al. 2018, which is faster.",
  ),
  ...samplingParameters,
});

/**
 * Draws single activations in proportion to their size (Dhillon et al. 2018), with the score of minimum-variance sampling: the entropy of the
 * labels of many passes. A baseline of that paper.
 */
export const stochasticActivationPruning = defineDetector({
  id: "stochasticActivationPruning",
  title,
  paper: "Dhillon et al. 2018",
  params,
  cheap: { runs: 12, ratio: 0.1, evasionPasses: 2 },
  randomised: true,
  passes: samplingPasses,
  label: ({ ratio }) => `SAP, ${ratio} × activations`,
  score: (model, x, o, ctx) => scoreBySampling(model, x, { ...sampling(o), runs: o.runs }, ctx),
  surrogate: (model, x, o, see) => samplingSurrogate(model, x, { ...sampling(o), passes: o.evasionPasses }, see),
});

const sampling = ({ ratio, sapProb, draws, units }: Static<typeof params>): SamplingDetector => ({
  title,
  units,
  scheme: entrySampling(ratio, sapProb === "deterministic", methods[draws]),
});
