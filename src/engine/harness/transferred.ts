import type { ImageRecord } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import type { Criterion } from "../define/index.ts";
import type { Random } from "../random.ts";
import { aimOf, Judge } from "./criterion.ts";
import { type Predicted, predictWithConfidence, scoredIn8Bits } from "./predict.ts";
import { normsOf } from "./project.ts";

/** Adversarial images [b,H,W,C] that were made against another model. */
export interface TransferredBatch {
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
  /** Index, label and clean prediction of each image on the model that is scored now. Either all have a target or none has. */
  readonly before: readonly TransferredImage[];
  /** What counts as a success; follows from the targets when left out. */
  readonly criterion?: Criterion | undefined;
}

export type TransferredImage = Pick<ImageRecord, "index" | "label" | "cleanPrediction" | "target">;

/**
 * What a model makes of images that were attacked without it. An image that it had wrong already is no success, and is shown as it was
 * made: nothing is searched here, so a success may be one of another model alone.
 */
export async function scoreTransferred(
  model: Classifier,
  { clean, adversarial, before, criterion }: TransferredBatch,
  rng: Random,
): Promise<ImageRecord[]> {
  const score = (images: Float32Array): Promise<Predicted> => predictWithConfidence(forImages(model, rng, before[0]?.index ?? 0), images);
  const scored = await score(adversarial);
  const judge = new Judge(
    aimOf(targetsAmong(before), criterion),
    before.map(({ label }) => label),
  );
  const unattacked = { classes: Int32Array.from(before, (one) => one.cleanPrediction), confidence: new Float32Array(before.length) };
  const pixels = clean.length / Math.max(1, before.length);
  const successes = before.map((_, i) => !judge.isSettled(unattacked, i) && judge.reached(scored, i));
  const rounded = await scoredIn8Bits(adversarial, scored, successes, score);
  return before.map(({ index, label, cleanPrediction, target }, i): ImageRecord => {
    const success = successes[i] === true;
    const of = (values: Float32Array): Float32Array => values.subarray(i * pixels, (i + 1) * pixels);
    return {
      index,
      label,
      cleanPrediction,
      prediction: scored.classes[i] ?? -1,
      confidence: scored.confidence[i] ?? Number.NaN,
      success,
      successAfter8Bit: success && judge.reached(rounded, i),
      ...normsOf(of(adversarial), of(clean), model.inputShape[2]),
      iterations: 0,
      ...(target === undefined ? {} : { target }),
    };
  });
}

function targetsAmong(images: readonly TransferredImage[]): readonly number[] | null {
  const targets = images.flatMap(({ target = [] }) => target);
  return targets.length === 0 ? null : targets;
}
