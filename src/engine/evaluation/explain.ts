import { BulwarkError } from "../../shared/errors.ts";
import type { Choice } from "../../shared/results.ts";
import { iou } from "../attention/area.ts";
import { inOneRow, inParts } from "../backends/parts.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { requireGradients } from "../classifier/forwardOnly.ts";
import { forImages } from "../classifier/streams.ts";
import { type RunContext, streamContext } from "../context.ts";
import type { Bound, Explanation, Explanations, LayerGrid } from "../define/index.ts";
import { probabilities } from "../harness/predict.ts";
import { bind, explanations } from "../registry.ts";
import { type Images, tf } from "../tf.ts";
import { argmax } from "./clean.ts";

export interface ExplainOptions {
  /** The class whose evidence is shown; the predicted one of each image when left out. */
  readonly classIndex?: number | undefined;
  /** Index of the first image in the data set: random numbers are named by index. */
  readonly first?: number;
  /** Superpixels [H·W] of each image, for a method that has some, in place of its own: those that another image was explained by. */
  readonly superpixels?: readonly Int32Array[];
}

/** The model has what the method looks at. */
export const canExplain = ({ needs }: Explanation, model: Classifier): boolean =>
  needs === "scores" || (!model.forwardOnly && (needs !== "layers" || model.layers?.defaultLayer !== undefined));

/** The first that works for a model. */
export function usualExplanation(model: Classifier): Explanation {
  const usual = explanations.find((entry) => canExplain(entry, model));
  if (!usual) throw new Error("an explanation by scores alone works for every model");
  return usual;
}

/** @throws MODEL_FORWARD_ONLY, PARAMETER_INVALID for a model without what the method looks at */
export function requireExplainable(entry: Explanation, model: Classifier): void {
  if (entry.needs !== "scores") requireGradients(model, entry.title);
  if (!canExplain(entry, model)) throw withoutGrid(entry);
}

/**
 * Attention on one class of [n,H,W,C] images.
 * @throws MODEL_FORWARD_ONLY; PARAMETER_INVALID for a layer that is not there, or a model without what the method looks at; LABEL_RANGE
 */
export async function explainImages(
  model: Classifier,
  images: Float32Array,
  method: Choice,
  ctx: RunContext,
  { classIndex, first = 0, superpixels: given }: ExplainOptions = {},
): Promise<Explanations> {
  const [height, width, channels] = model.inputShape;
  const pixels = height * width;
  const n = images.length / (pixels * channels);
  const { entry, params } = bind("explanation", { ...method.params, kind: method.id });
  requireExplainable(entry, model);
  if (classIndex !== undefined && !(classIndex >= 0 && classIndex < model.classes))
    throw new BulwarkError("LABEL_RANGE", `There is no class ${classIndex}.`, `The model has the classes 0 to ${model.classes - 1}.`);
  const size = pixels * channels;
  const parts = await inParts(n, batchSizeFor(model, "gradient").most, model.evaluations, (start, end) =>
    explainPart(model, images.slice(start * size, end * size), { entry, params }, ctx, {
      classIndex,
      first: first + start,
      superpixels: given?.slice(start, end),
    }),
  );
  const maps = inOneRow(parts.map((part) => part.maps));
  const areas = inOneRow(parts.map((part) => part.areas));
  const grids = parts.flatMap((part) => part.grids);
  const superpixels = parts.flatMap((part) => part.superpixels);
  const area = (index: number): Float32Array => areas.slice(index * pixels, (index + 1) * pixels);
  return {
    layer: parts[0]?.layer ?? null,
    predictions: parts.flatMap((part) => part.predictions),
    scores: inOneRow(parts.map((part) => part.scores)),
    degenerate: parts.flatMap((part) => part.degenerate),
    map: (index) => maps.slice(index * pixels, (index + 1) * pixels),
    grid: (index) => grids[index] ?? null,
    superpixels: (index) => superpixels[index] ?? null,
    area,
    share: (index) => area(index).reduce((sum, value) => sum + value, 0) / pixels,
    overlap: (index, other) => iou(area(index), other.area(index)),
  };
}

/** Images that are explained at once. */
async function explainPart(
  model: Classifier,
  images: Float32Array,
  { entry, params }: Pick<Bound<Explanation>, "entry" | "params">,
  ctx: RunContext,
  { classIndex, first, superpixels: given }: { [K in keyof ExplainOptions]-?: ExplainOptions[K] | undefined } & { readonly first: number },
) {
  const scores = await probabilities(forImages(model, ctx.rng, first), images);
  const n = scores.length / model.classes;
  const predictions = Array.from({ length: n }, (_, i) => argmax(scores, i, model.classes));
  const x: Images = tf.tensor4d(images, [n, ...model.inputShape]);
  const classes = tf.tensor1d(
    predictions.map((prediction) => classIndex ?? prediction),
    "int32",
  );
  const stream = streamContext(ctx, (i) => ctx.rng.stream(`${entry.id}/${first + i}`));
  try {
    const {
      map,
      area,
      grid,
      layer,
      degenerate,
      superpixels = [],
    } = await entry.explain(forImages(model, ctx.rng, first, entry.id), x, classes, params, stream, given);
    const [maps, areas] = await Promise.all([map.data(), area.data()]);
    tf.dispose([map, area]);
    return {
      layer,
      predictions,
      scores,
      degenerate,
      superpixels,
      maps: Float32Array.from(maps),
      areas: Float32Array.from(areas),
      grids: Array.from({ length: n }, (_, i) => grid && gridOf(grid, i)),
    };
  } finally {
    x.dispose();
    classes.dispose();
  }
}

function gridOf({ shape, values }: LayerGrid, index: number): LayerGrid {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, values: values.slice(index * size, (index + 1) * size) };
}

const withoutGrid = ({ title }: Explanation): BulwarkError =>
  new BulwarkError(
    "PARAMETER_INVALID",
    `${title} reads a layer that has a grid, and the model shows none.`,
    "Choose a model with convolutions, or another explanation.",
  );
