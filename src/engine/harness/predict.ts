import { BulwarkError } from "../../shared/errors.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { checkNumbers, largestScores, probabilitiesOf, probabilityAt } from "../classifier/probabilities.ts";
import type { ImageBatch } from "../define/index.ts";
import { to8Bit } from "../pixels.ts";
import { type Logits, tf } from "../tf.ts";

/** Predicted classes of b images, and the probability of each. */
export interface Predicted {
  readonly classes: Int32Array;
  readonly confidence: Float32Array;
}

/** Predicted classes of images [b,H,W,C], as `predictWithConfidence` has them. */
export const predict = async (model: Classifier, images: Float32Array): Promise<Int32Array> =>
  (await predictWithConfidence(model, images)).classes;

/** Logits [b,k] of images [b,H,W,C]; the caller disposes. */
function logitsOf(model: Classifier, images: Float32Array): Logits {
  const [height, width, channels] = model.inputShape;
  const n = images.length / (height * width * channels);
  return tf.tidy(() => model.logits(tf.tensor4d(images, [n, height, width, channels])));
}

/**
 * What the model says of images [b,H,W,C]; the pass is not counted, as it is the harness's own. Ties go to the lower class.
 * @throws MODEL_NAN when a score is no number.
 */
export async function predictWithConfidence(model: Classifier, images: Float32Array): Promise<Predicted> {
  const counted = model.evaluations.forward;
  const logits = logitsOf(model, images);
  model.evaluations.forward = counted;
  const scores = await logits.data();
  const [n, k] = logits.shape;
  logits.dispose();
  const classes = largestScores(scores, n, k);
  return { classes, confidence: Float32Array.from(classes, (best, i) => probabilityAt(model, scores, i * k, k, best)) };
}

/** What a model says of images. */
export interface Classified {
  readonly predictions: Int32Array;
  /** [n·k] */
  readonly probabilities: Float32Array;
}

/** Predicted classes and their probabilities of images [n,H,W,C], in one pass. @throws MODEL_NAN when a score is no number */
export async function classify(model: Classifier, images: Float32Array): Promise<Classified> {
  const logits = logitsOf(model, images);
  try {
    // The scores are read first: the pass through the network is then the same compiled graph here as in `predictWithConfidence`.
    const predictions = largestScores(await logits.data(), ...logits.shape);
    const shares = probabilitiesOf(model, logits);
    const probabilities = Float32Array.from(await shares.data());
    shares.dispose();
    return { predictions, probabilities: checkNumbers(probabilities) };
  } finally {
    logits.dispose();
  }
}

/** Class probabilities [n·k] of [n,H,W,C] images. @throws MODEL_NAN when a score is no number */
export const probabilities = async (model: Classifier, images: Float32Array): Promise<Float32Array> =>
  (await classify(model, images)).probabilities;

/** Scores of the images after rounding to 8 bits. Rounding can only undo a success, so without any the scores stay what they are. */
export const scoredIn8Bits = async (
  images: Float32Array,
  scored: Predicted,
  successes: readonly boolean[],
  score: (images: Float32Array) => Promise<Predicted>,
): Promise<Predicted> => (successes.includes(true) ? score(images.map(to8Bit)) : scored);

/** @throws IMAGE_INVALID or LABEL_RANGE where a batch cannot be attacked. */
export function checkImages(batch: ImageBatch, model: Classifier): void {
  const [height, width, channels] = model.inputShape;
  if (batch.images.length !== batch.n * height * width * channels) {
    const wanted = `${batch.n} images of ${height}×${width}×${channels}`;
    throw new BulwarkError("IMAGE_SIZE", `The images are not ${wanted}, which the model wants.`, "Resize them, or choose another model.");
  }
  // Rounding in a decoder may leave a value a hair outside.
  if (batch.images.some((v) => !(v >= -1e-6 && v <= 1 + 1e-6))) {
    throw new BulwarkError("IMAGE_INVALID", "An image holds a value outside [0,1] or one that is no number.", "Scale the pixels to [0,1].");
  }
  const wrong = batch.labels.find((label) => label < 0 || label >= model.classes);
  if (wrong !== undefined) {
    throw new BulwarkError("LABEL_RANGE", `The label ${wrong} is none of the model's ${model.classes} classes.`, "Check the labels.");
  }
}
