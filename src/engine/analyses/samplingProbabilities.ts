import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { type AnalysedAttack, type AnalysisSubject, defineAnalysis } from "../define/analysis.ts";
import { choice, int, text } from "../define/index.ts";
import { unitChoices } from "../sampling/units.ts";
import { type MatrixData, matricesOf } from "./sampledMatrices.ts";
import { presentProbabilities } from "./samplingReport.ts";

/** What was measured on an arm: of each image that is shown, the image itself and every sampled layer. */
export interface ProbabilityData {
  readonly attack: string;
  readonly images: readonly { readonly index: number; readonly fooled: boolean; readonly matrices: readonly MatrixData[] }[];
}

const params = Type.Object({
  attack: text("", "Key of the attack whose images are shown; the experiment's first one when left out."),
  images: int(1, "Images that are shown: the first that are classified correctly and that the attack fools.", { min: 1, max: 16 }),
  ratios: Type.Array(Type.Number({ exclusiveMinimum: 0 }), {
    default: [0.5, 1, 2],
    description: "Draws of a pass, as shares of the image's pixels or of the unit's rows.",
  }),
  cMode: choice(["input", "perUnit"], "input", "What the ratios are of: the pixels of the input image, or the rows of each unit."),
  units: choice([...unitChoices, "none"], "allConvRelu", "Which ReLUs are looked at besides the image itself."),
});

/**
 * The probabilities of minimum-variance sampling for the noise of an attack, a clean image and its adversarial image, over the number of draws
 * (paper 3, Figure 1): of the image's pixels, and of the rows of every sampled layer.
 */
export const samplingProbabilities = defineAnalysis({
  id: "samplingProbabilities",
  title: "Sampling probabilities",
  paper: "Sheikholeslami et al. 2019",
  params,
  check({ attack, ratios }, { attacks }) {
    if (attacks.length === 0)
      throw new BulwarkError(
        "EXPERIMENT_INVALID",
        "samplingProbabilities compares an image with what an attack makes of it, and the experiment has none.",
        'Add one to "attacks", such as {"kind": "fgsm"}.',
      );
    if (attack !== "" && !attacks.some(({ key }) => key === attack))
      throw new BulwarkError(
        "PARAMETER_INVALID",
        `samplingProbabilities: the experiment has no attack "${attack}".`,
        `It has ${attacks.map(({ key }) => `"${key}"`).join(", ")}.`,
      );
    if (ratios.length === 0 || new Set(ratios).size < ratios.length)
      throw new BulwarkError(
        "PARAMETER_INVALID",
        "samplingProbabilities: ratios must hold each value once, and at least one.",
        "Write for example [0.5, 1, 2].",
      );
  },
  async measure(subject, { attack, images, ratios, cMode, units }, ctx): Promise<ProbabilityData> {
    const chosen = subject.attacks.find(({ key }) => key === attack) ?? (subject.attacks[0] as AnalysedAttack);
    const shown: ProbabilityData["images"][number][] = [];
    for (const { index, fooled } of shownImages(chosen, images)) {
      const pair = await pairOf(subject, chosen.key, index);
      shown.push({ index, fooled, matrices: await matricesOf(subject, { index, ...pair }, { ratios, cMode, units }) });
      await ctx.checkpoint();
    }
    return { attack: chosen.key, images: shown };
  },
  present: (arms) => presentProbabilities(arms),
});

/** Those that are right and fooled; where there is none, the first one of all. */
function shownImages({ records }: AnalysedAttack, wanted: number): { readonly index: number; readonly fooled: boolean }[] {
  const fooled = records.filter(({ label, cleanPrediction, prediction }) => label === cleanPrediction && prediction !== label);
  if (fooled.length > 0) return fooled.slice(0, wanted).map(({ index }) => ({ index, fooled: true }));
  return records.slice(0, 1).map(({ index }) => ({ index, fooled: false }));
}

async function pairOf(subject: AnalysisSubject, key: string, index: number) {
  const [clean, adversarial] = [await subject.images(null).read(index, index + 1), await subject.images(key).read(index, index + 1)];
  return { clean: clean.images, adversarial: adversarial.images };
}
