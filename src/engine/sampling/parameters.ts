import { choice, type DetectorPasses, int } from "../define/index.ts";
import { unitChoices } from "./units.ts";

/** Parameters of every detector that samples activations. */
export const samplingParameters = {
  runs: int(100, "Passes of each image, each with draws of its own.", { min: 1, usual: [10, 200] }),
  units: choice(unitChoices, "allConvRelu", "Which ReLUs are sampled: those of all feature maps, or the last of them alone."),
  evasionPasses: int(10, "Passes that an attack averages over to evade the detector.", { min: 1, usual: [1, 40], advanced: true }),
};

/** For a score, one plain pass comes before the others. */
export const samplingPasses = (o: { readonly runs: number; readonly evasionPasses: number }): DetectorPasses => ({
  score: o.runs + 1,
  surrogate: o.evasionPasses,
});
