import type { Choice } from "../../shared/results.ts";
import { iou } from "../attention/area.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import { resolveParams } from "../define/index.ts";
import { find } from "../registry.ts";
import { type Images, tf } from "../tf.ts";
import { argmax, probabilities } from "./clean.ts";

/** Attention maps of n images, read back from the backend. */
export interface Explanations {
  readonly layer: string;
  readonly predictions: readonly number[];
  /** [n·k] class probabilities. */
  readonly scores: Float32Array;
  readonly degenerate: readonly boolean[];
  /** Attention of one image [H·W] in [0,1]. */
  map(index: number): Float32Array;
  /** Attention area of one image [H·W], 0 or 1. */
  area(index: number): Float32Array;
  /** Share of the image that is inside the area. */
  share(index: number): number;
  /** IoU of this area with the same image's area in `other`; null when both are empty. */
  overlap(index: number, other: Explanations): number | null;
}

/** Attention on the class that the model predicts, for [n,H,W,C] images. @throws PARAMETER_INVALID, e.g. for a layer that is not there */
export async function explainImages(model: Classifier, images: Float32Array, method: Choice, ctx: RunContext): Promise<Explanations> {
  const [height, width, channels] = model.inputShape;
  const pixels = height * width;
  const n = images.length / (pixels * channels);
  const scores = await probabilities(model, images);
  const predictions = Array.from({ length: n }, (_, i) => argmax(scores, i, model.classes));
  const entry = find("explanation", method.id);
  const x = tf.tensor4d(images, [n, height, width, channels]) as Images;
  const classes = tf.tensor1d(predictions, "int32");
  try {
    const explained = await entry.explain(model, x, classes, resolveParams(entry.params, method.params, entry.id), ctx);
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
      area,
      share: (index) => area(index).reduce((sum, value) => sum + value, 0) / pixels,
      overlap: (index, other) => iou(area(index), other.area(index)),
    };
  } finally {
    x.dispose();
    classes.dispose();
  }
}
