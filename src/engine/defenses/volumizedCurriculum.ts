import { type Static, Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { words } from "../../shared/format.ts";
import { createSyllabus, shuffledSteps } from "../curriculum/syllabus.ts";
import {
  bool,
  choice,
  defineTrainingDefense,
  int,
  type ModelFacts,
  num,
  type Presets,
  type TrainingPlan,
  text,
  type VolumizerOptions,
} from "../define/index.ts";
import { patchAggregateLoss } from "../losses/patchAggregateLoss.ts";
import { aggregate, aggregations, isBounded } from "../models/aggregate.ts";
import { convert3d } from "../models/convert3d.ts";
import { tf } from "../tf.ts";
import { afterNetwork } from "../training/plan.ts";
import { gridOf } from "../volumizer/grid.ts";
import { measureIds, references, volumizerOptions } from "../volumizer/options.ts";
import { placeChannels, withPlaces } from "../volumizer/places.ts";
import { presets as volumizers } from "../volumizer/presets.ts";
import { volumize } from "../volumizer/volumize.ts";

const { order, reference, refScore, onRemainder } = volumizers.authorsCode;
const presets: Presets = {
  paper: {},
  paperMi: { measure: "mutualInformation", order: volumizers.paperMi.order, reference: volumizers.paperMi.reference },
  // Each slice is judged on its own, and none counts for more than its share: what a certificate needs.
  local: { kernelDepth: 1, aggregate: "meanProb", curriculum: false },
  // The authors' batch is one optimiser step whatever its size; their joint entropy pools both slices into one histogram.
  authorsCode: { order, reference, refScore, onRemainder, jeMode: "pooled", microBatch: 1_000_000 },
};

const fields = {
  preset: choice(
    ["paper", "paperMi", "local", "authorsCode"],
    "paper",
    "Values of what is not given: as the paper reads, mutual information as its authors order it (order desc, reference minEntropy), slices judged each on its own (kernelDepth 1, aggregate meanProb, curriculum off), or all as its authors' code computes (order desc, reference minEntropy, refScore zero, onRemainder drop, jeMode pooled, the whole batch one step).",
  ),
  measure: choice(measureIds, "mutualInformation", "Measure that orders slices and images."),
  patch: int(16, "Side of a slice; for columns, their width.", { min: 1, unit: "pixels" }),
  sliceShape: choice(
    ["square", "column"],
    "square",
    "Slices are squares, or columns as high as the image (De-Randomized Smoothing, Levine & Feizi 2020): a column shows more of an object than a square of the same width.",
  ),
  stride: int(
    0,
    "From one slice to the next; 0 is the side of a slice, so that they lie side by side. A smaller stride makes slices overlap.",
    { min: 0, unit: "pixels", standIn: { words: "side by side", first: 1 } },
  ),
  order: choice(
    ["asc", "desc", "raster"],
    "asc",
    "Lowest or highest score first, or raster: slices as they lie in the image (and the images of a batch lowest first). With asc, mutualInformation begins with the slice that says least about the reference, and psnr ends with the one that equals it.",
  ),
  reference: choice(
    references,
    "mostSalient",
    "Reference slice that scores are compared with: highest or lowest entropy, or one given by its index.",
  ),
  referenceIndex: int(0, "Index of the reference slice in raster order (with reference: index).", { min: 0, advanced: true }),
  referenceSlice: text("", "Bytes of the reference slice in base64, line by line and channel by channel, with reference slice."),
  refScore: choice(["true", "zero"], "true", "The reference competes with its true score, or with 0 as in the authors' code."),
  onRemainder: choice(["error", "reflectPad", "drop"], "error", "What happens where slices do not end where the image does."),
  jeMode: choice(["joint", "pooled"], "joint", "For jointEntropy: over pairs of pixels at the same place, or over both slices pooled."),
  maxNormMode: choice(["paper", "chebyshev"], "paper", "For maxNorm: the largest value, or the largest difference."),
  kernelDepth: int(0, "Depth of the convolution kernels; 0 is the number of slices. 3 is far cheaper.", {
    min: 0,
    unit: "slices",
    standIn: { words: "all slices", first: 3 },
  }),
  volumizer: bool(true, "Train a 3-D network on volumes of slices; off for the ablation."),
  curriculum: bool(true, "Feed the images of each batch in the order of the measure; off for the ablation."),
  positionChannel: bool(false, "Two more channels tell the network the row and the column of each slice in the image, from 0 to 1."),
  perSliceHead: bool(
    false,
    "Each place of the volume has dense layers of its own, in place of one head for all. Only with order raster does it then stay with its part of the image, and one slice cannot reach the others by changing their order.",
  ),
  depthwise: choice(
    ["grouped", "dense"],
    "grouped",
    "A depthwise convolution keeps a kernel a channel in 3-D, or gets one for every pair of channels.",
  ),
  weights: choice(
    ["new", "inflate"],
    "new",
    "Start the 3-D network from new weights, or inflate those of the 2-D network into the middle of its kernels (for a trained model file).",
  ),
  microBatch: int(
    0,
    "Images per optimiser step, at most the whole batch; 0 is an eighth of the batch with the curriculum, and the whole batch without. An arm without the curriculum takes as many steps as one with it when this is an eighth of its batch: its images are then fed shuffled.",
    { min: 0, unit: "images", standIn: { words: "an eighth of the batch, or the whole", first: 8 } },
  ),
  palReduction: choice(["sum", "mean"], "sum", "Whether the patch aggregate loss sums or averages over slices."),
  aggregate: choice(aggregations, "meanProb", "How the slices' predictions are combined."),
  abstain: num(
    0,
    "A slice none of whose probabilities exceeds this counts for no class, as one that sees nothing of the object; 0: every slice counts. With aggregate meanProb or vote.",
    { min: 0, max: 0.99, unit: "of 1", standIn: { words: "every slice counts", first: 0.5 } },
  ),
};
const params = Type.Object(fields, { presets });

/**
 * Images become volumes of slices ordered by a measure, the network becomes 3-D and is trained with the patch aggregate loss on
 * batches that are fed in the order of the same measure. `volumizer` and `curriculum` switch off one half each; `microBatch` counts with
 * and without the curriculum, so that arms which differ in the curriculum alone take the same optimiser steps.
 */
export const volumizedCurriculum = defineTrainingDefense({
  id: "volumizedCurriculum",
  title: "Volumized 3-D convolution with curriculum",
  paper: "Ghebrechristos & Alaghband 2024",
  params,
  label: (p) => {
    const { patch, stride, sliceShape, measure, volumizer, curriculum } = p;
    const name = volumizer ? (curriculum ? "Volumized curriculum" : "Volumized") : "Curriculum";
    const slices = `${shapeOf(patch, sliceShape)}${stride > 0 ? ` every ${stride} px` : ""}`;
    if (!volumizer) return `${name}, ${words(measure)}`;
    if (!judgesEachSlice(p)) return `${name}, ${slices}, ${words(measure)}`;
    return `${name}, ${slices} each judged on its own${curriculum ? `, ${words(measure)}` : ""}`;
  },
  cheap: { patch: 4 },
  plan: (base, p, facts) => {
    const options = volumizerOptions({ ...p, patch: p.sliceShape === "column" ? [facts.inputShape[0], p.patch] : p.patch });
    // A place among slices, or a slice, means nothing among the images of a batch; nor do these lie anywhere.
    const reference = typeof options.reference === "object" ? "mostSalient" : options.reference;
    const among = { ...options, reference, order: options.order === "raster" ? "asc" : options.order } as const;
    const unordered = p.microBatch > 0 ? shuffledSteps(p.microBatch) : undefined;
    const syllabus = p.curriculum ? createSyllabus(among, p.microBatch) : unordered;
    return { ...(p.volumizer ? volumizedPlan(base, p, facts, options) : base), syllabus };
  },
});

/** No convolution looks across slices, and no weights depend on the order that the measure gives them. */
const judgesEachSlice = ({ kernelDepth, perSliceHead, order }: Pick<Static<typeof params>, "kernelDepth" | "perSliceHead" | "order">) =>
  kernelDepth === 1 && !(perSliceHead && order !== "raster");
const shapeOf = (patch: number, shape: "square" | "column"): string =>
  shape === "column" ? `columns of ${patch} px` : `${patch}×${patch} slices`;

/** Three-dimensional networks over slices take longer than flat ones; what progress needs is the ratio alone. */
const volumizedCost = 3;

function volumizedPlan(before: TrainingPlan, p: Static<typeof params>, facts: ModelFacts, options: VolumizerOptions): TrainingPlan {
  const [height, width] = facts.inputShape;
  if (p.abstain > 0 && !isBounded(p.aggregate)) {
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `Slices cannot abstain from ${p.aggregate}, under which one of them can outvote all.`,
      "Set aggregate to meanProb or vote, or abstain to 0.",
    );
  }
  const grid = gridOf(height, width, options);
  const { Z, sliceHeight, sliceWidth, stepDown, stepRight, rows, columns } = grid;
  const side = [sliceHeight, sliceWidth] as const;
  return {
    ...before,
    network: afterNetwork(before, (flat, note) => {
      const { kernelDepth, depthwise, weights, perSliceHead } = p;
      const addedChannels = p.positionChannel ? placeChannels : 0;
      const o = { depth: Z, patch: side, kernelDepth, depthwise, weights, addedChannels, perSliceHead } as const;
      const { network, notes } = convert3d(flat, o);
      for (const text of notes) note(text);
      return network;
    }),
    prepare: (x) =>
      tf.tidy(() => {
        const { volume, perms } = volumize(x, options);
        return p.positionChannel ? withPlaces(volume, perms, grid) : volume;
      }),
    toLogits: (output) => aggregate(output as tf.Tensor3D, p.aggregate, p.abstain),
    criterion: (output, targets) => patchAggregateLoss(output as tf.Tensor3D, targets, p.palReduction),
    // A sum over slices multiplies the gradient by Z. SGD would take steps Z times as long; Adam divides the scale out by itself, and
    // a learning rate of 1/Z would only make it slow. Hence the training loop applies this to SGD alone.
    learningRateScale: before.learningRateScale * (p.palReduction === "sum" ? 1 / Z : 1),
    // Pixels that lie in several slices are computed as often.
    relativeCost: (volumizedCost * before.relativeCost * Z * sliceHeight * sliceWidth) / (height * width),
    volumizer: options,
    slices: {
      count: Z,
      rows,
      columns,
      side,
      stride: [stepDown, stepRight],
      aggregate: p.aggregate,
      abstain: p.abstain,
      orderMatters: p.perSliceHead && p.order !== "raster",
    },
  };
}
