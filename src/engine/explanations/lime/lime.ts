import { type Static, Type } from "@sinclair/typebox";
import type { Classifier } from "../../classifier/classifier.ts";
import type { StreamContext } from "../../context.ts";
import { choice, defineExplanation, int, intOr, num, type Superpixels } from "../../define/index.ts";
import { areaOfFirst, positiveOnes } from "../../superpixels/areas.ts";
import { superpixelsOf } from "../../superpixels/superpixels.ts";
import { tf } from "../../tf.ts";
import { momentsOf, ridge } from "./ridge.ts";
import { drawMasks, kernelWeights, sampleProbabilities } from "./samples.ts";
import { forwardSelection, highestWeights } from "./selection.ts";

const params = Type.Object({
  samples: int(1000, "Images with some superpixels hidden that the model is asked about.", { min: 2, usual: [100, 4000] }),
  features: int(10, "Superpixels that the explanation may use.", { min: 1, usual: [1, 30] }),
  segmentation: choice(
    ["auto", "quickshift", "slic"],
    "auto",
    "How superpixels are made. auto is SLIC for images of up to 64×64 pixels and quickshift for others.",
  ),
  segments: intOr(
    ["auto"],
    "auto",
    "About how many superpixels SLIC makes. auto is 50 for images of up to 64×64 pixels and 100 for others.",
    {
      min: 1,
    },
  ),
  selection: choice(
    ["highestWeights", "forward"],
    "highestWeights",
    "Superpixels with the largest weights when all are fitted, or the best fit one by one (lime's own choice for up to six).",
  ),
  kernelWidth: num(0.25, "Width of the kernel that makes samples near the image count more.", {
    min: 0.01,
    usual: [0.05, 1],
    advanced: true,
  }),
  ridge: num(1, "Penalty of the final fit.", { min: 1e-6, usual: [0.01, 10], advanced: true }),
  selectionRidge: num(0.01, "Penalty of the fit to all superpixels that highestWeights chooses by.", {
    min: 1e-6,
    usual: [0.001, 1],
    advanced: true,
  }),
});
type LimeParams = Static<typeof params>;

/**
 * Which superpixels raise the probability of a class (LIME, Ribeiro et al. 2016, with the settings of its authors' code): the model is asked
 * about samples in which superpixels are replaced by their mean colour, and a linear model of what was on is fitted to its answers, samples
 * near the image counting more. Scores are all it needs. The map shows the positive weights over the largest; the area is the union of the
 * first `features` superpixels of positive weight.
 */
export const lime = defineExplanation({
  id: "lime",
  title: "LIME",
  paper: "Ribeiro et al. 2016",
  needs: "scores",
  evaluations: ({ samples }) => ({ forward: samples, gradient: 0 }),
  cheap: { samples: 40, segments: 9, segmentation: "slic" },
  params,
  async explain(model, x, classIndex, o, ctx, given) {
    await ctx.checkpoint();
    const [b, height, width] = x.shape;
    const [pixels, classes] = [await x.data<"float32">(), await classIndex.data()];
    const size = pixels.length / b;
    const superpixels: Superpixels[] = [];
    for (let i = 0; i < b; i++) {
      const image = pixels.slice(i * size, (i + 1) * size);
      superpixels.push(await explainOne({ model, image, classIndex: classes[i] as number, given: given?.[i], place: [i, b] }, o, ctx));
    }
    const shown = superpixels.map((one) => shownOf(one, o.features));
    const stack = (of: "map" | "area"): tf.Tensor3D =>
      tf.tidy(() => tf.stack(shown.map((one) => tf.tensor2d(one[of], [height, width]))) as tf.Tensor3D);
    const degenerate = shown.map(({ isEmpty }) => isEmpty);
    return { map: stack("map"), area: stack("area"), layer: null, degenerate, grid: null, superpixels };
  },
});

interface Task {
  readonly model: Classifier;
  /** [H·W·C] */
  readonly image: Float32Array;
  readonly classIndex: number;
  /** Superpixels to use in place of the image's own. */
  readonly given: Int32Array | undefined;
  /** The image's place among those of the batch. */
  readonly place: readonly [index: number, of: number];
}
async function explainOne({ model, image, classIndex, given, place }: Task, o: LimeParams, ctx: StreamContext): Promise<Superpixels> {
  const [height, width, channels] = model.inputShape;
  const random = ctx.random(place[0]);
  const segments = given ?? superpixelsOf({ pixels: image, height, width, channels }, o, random.stream("superpixels"));
  const count = segments.reduce((a, b) => Math.max(a, b), 0) + 1;
  const masks = drawMasks(o.samples, count, random.stream("masks"));
  const sampled = { model, image, segments, masks, n: o.samples, classIndex, random };
  const probability = await sampleProbabilities(sampled, ctx, (done) => ({
    phase: "LIME samples",
    done: place[0] * o.samples + done,
    total: place[1] * o.samples,
  }));
  const weight = kernelWeights(masks, o.samples, o.kernelWidth);
  const moments = momentsOf(masks, probability, weight);
  const chosen = o.selection === "forward" ? forwardSelection(moments, o.features) : highestWeights(moments, o.features, o.selectionRidge);
  return { segments, masks, probability, weight, ...ridge(moments, chosen, o.ridge) };
}

/** Positive weights over the largest, and the union of the first `features` superpixels that have one; zeros where none has. */
function shownOf({ segments, coefficients }: Superpixels, features: number) {
  const positive = positiveOnes(coefficients);
  const largest = coefficients[positive[0] ?? 0] as number;
  const value = new Map(positive.map((j) => [j, (coefficients[j] as number) / largest]));
  return {
    map: Float32Array.from(segments, (segment) => value.get(segment) ?? 0),
    area: Float32Array.from(areaOfFirst({ segments, coefficients }, features)),
    isEmpty: positive.length === 0,
  };
}
