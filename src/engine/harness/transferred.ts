import type { ImageRecord } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import { to8Bit } from "../pixels.ts";
import type { Random } from "../random.ts";
import { type Predicted, predictWithConfidence } from "./predict.ts";
import { normsOf } from "./project.ts";

/** Adversarial images [b,H,W,C] that were made against another model. */
export interface TransferredBatch {
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
  /** Index, label and clean prediction of each image on the model that is scored now. */
  readonly before: readonly Pick<ImageRecord, "index" | "label" | "cleanPrediction">[];
  /** Class aimed at; null for any other than the label. */
  readonly target: number | null;
}

/**
 * What a model makes of images that were attacked without it. An image that it had wrong already is no success, and is shown as it was
 * made: nothing is searched here, so a success may be one of another model alone.
 */
export async function scoreTransferred(
  model: Classifier,
  { clean, adversarial, before, target }: TransferredBatch,
  rng: Random,
): Promise<ImageRecord[]> {
  const scored = (images: Float32Array): Promise<Predicted> => predictWithConfidence(forImages(model, rng, before[0]?.index ?? 0), images);
  const { classes: predictions, confidence } = await scored(adversarial);
  const { classes: rounded } = await scored(adversarial.map(to8Bit));
  const pixels = clean.length / Math.max(1, before.length);
  return before.map(({ index, label, cleanPrediction }, i): ImageRecord => {
    const prediction = predictions[i] ?? -1;
    const reached = (p: number | undefined): boolean => (target === null ? p !== label : p === target);
    const success = !reached(cleanPrediction) && reached(prediction);
    const of = (values: Float32Array): Float32Array => values.subarray(i * pixels, (i + 1) * pixels);
    return {
      index,
      label,
      cleanPrediction,
      prediction,
      confidence: confidence[i] ?? Number.NaN,
      success,
      successAfter8Bit: success && reached(rounded[i]),
      ...normsOf(of(adversarial), of(clean), model.inputShape[2]),
      iterations: 0,
    };
  });
}
