import { type Static, Type } from "@sinclair/typebox";
import type { Classifier } from "../classifier/classifier.ts";
import { choice, defineDetector, num } from "../define/index.ts";
import { type SamplingDetector, samplingSurrogate, scoreBySampling } from "../sampling/detection.ts";
import { samplingParameters, samplingPasses } from "../sampling/parameters.ts";
import { projectedGradient } from "../sampling/projectedGradient.ts";
import { rowSampling } from "../sampling/rowSampling.ts";
import { minimumVariance } from "../sampling/varianceMinimization.ts";

const title = "Variance minimization (MVM)";
const solvers = { kkt: minimumVariance, pgd: projectedGradient } as const;

const params = Type.Object({
  ratio: num(1, "Draws of a pass, as a share of the image's pixels or of the unit's rows.", { min: 0.01, usual: [0.1, 4] }),
  cMode: choice(["input", "perUnit"], "input", "What the ratio is of: the pixels of the input image, or the rows of each unit."),
  ...samplingParameters,
  solver: choice(["kkt", "pgd"], "kkt", "How the probabilities are found: exactly, or by the paper's projected gradient."),
});

/**
 * Minimum-variance sampling of activations (Sheikholeslami, Jain, Giannakis 2019): the rows of each feature map are drawn with the
 * probabilities that keep most of this image's map, and the score is the entropy of the labels of many such passes. An adversarial image,
 * which lives on few activations, changes its label more often.
 */
export const varianceMinimization = defineDetector({
  id: "varianceMinimization",
  title,
  paper: "Sheikholeslami et al. 2019",
  params,
  cheap: { runs: 12, ratio: 0.3, evasionPasses: 2 },
  randomised: true,
  passes: samplingPasses,
  label: ({ ratio, cMode }) => `MVM, ${ratio} ${cMode === "input" ? "× pixels" : "× rows"}`,
  score: (model, x, o, ctx) => scoreBySampling(model, x, { ...sampling(model, o), runs: o.runs }, ctx),
  surrogate: (model, x, o, see) => samplingSurrogate(model, x, { ...sampling(model, o), passes: o.evasionPasses }, see),
});

function sampling({ inputShape: [height, width] }: Classifier, { ratio, cMode, units, solver }: Static<typeof params>): SamplingDetector {
  const scheme = rowSampling(solvers[solver], ({ rows }) => ratio * (cMode === "input" ? height * width : rows));
  return { title, units, scheme };
}
