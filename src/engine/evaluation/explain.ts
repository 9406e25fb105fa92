import { BulwarkError } from "../../shared/errors.ts";
import type { Choice } from "../../shared/results.ts";
import { iou } from "../attention/area.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import { type RunContext, streamContext } from "../context.ts";
import type { Explanation, Explanations, LayerGrid } from "../define/index.ts";
import { probabilities } from "../harness/predict.ts";
import { bind } from "../registry.ts";
import { type Images, tf } from "../tf.ts";
import { argmax } from "./clean.ts";

export interface ExplainOptions {
  /** The class whose evidence is shown; the predicted one of each image when left out. */
  readonly classIndex?: number | undefined;
  /** Index of the first image in the data set: random numbers are named by index. */
  readonly first?: number;
}

/** The model has what the method looks at. */
export const canExplain = ({ needs }: Explanation, model: Classifier): boolean =>
  needs !== "layers" || model.layers?.defaultLayer !== undefined;

/**
 * Attention on one class of [n,H,W,C] images.
 * @throws PARAMETER_INVALID for a layer that is not there, or a model without what the method looks at; LABEL_RANGE
 */
export async function explainImages(
  model: Classifier,
  images: Float32Array,
  method: Choice,
  ctx: RunContext,
  { classIndex, first = 0 }: ExplainOptions = {},
): Promise<Explanations> {
  const [height, width, channels] = model.inputShape;
  const pixels = height * width;
  const n = images.length / (pixels * channels);
  const { entry, params } = bind("explanation", { kind: method.id, ...method.params });
  if (!canExplain(entry, model)) throw withoutGrid(entry);
  if (classIndex !== undefined && !(classIndex >= 0 && classIndex < model.classes))
    throw new BulwarkError("LABEL_RANGE", `There is no class ${classIndex}.`, `The model has the classes 0 to ${model.classes - 1}.`);
  const scores = await probabilities(forImages(model, ctx.rng, first), images);
  const predictions = Array.from({ length: n }, (_, i) => argmax(scores, i, model.classes));
  const x = tf.tensor4d(images, [n, height, width, channels]) as Images;
  const classes = tf.tensor1d(
    predictions.map((prediction) => classIndex ?? prediction),
    "int32",
  );
  const stream = streamContext(ctx, (i) => ctx.rng.stream(`${entry.id}/${first + i}`));
  try {
    const explained = await entry.explain(forImages(model, ctx.rng, first, entry.id), x, classes, params, stream);
    const [maps, areas] = await Promise.all([explained.map.data(), explained.area.data()]);
    explained.map.dispose();
    explained.area.dispose();
    const slice = (all: ArrayLike<number>, index: number): Float32Array =>
      Float32Array.from({ length: pixels }, (_, i) => all[index * pixels + i] as number);
    const area = (index: number): Float32Array => slice(areas, index);
    return {
      layer: explained.layer,
      predictions,
      scores,
      degenerate: explained.degenerate,
      map: (index) => slice(maps, index),
      grid: (index) => explained.grid && gridOf(explained.grid, index),
      area,
      share: (index) => area(index).reduce((sum, value) => sum + value, 0) / pixels,
      overlap: (index, other) => iou(area(index), other.area(index)),
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
