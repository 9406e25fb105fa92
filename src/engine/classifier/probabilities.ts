import { BulwarkError } from "../../shared/errors.ts";
import { type Logits, tf } from "../tf.ts";
import type { Classifier } from "./classifier.ts";

/** Whether classes exclude each other: what turns a model's logits into the probabilities that are shown. */
export type Scale = Pick<Classifier, "isMultiLabel">;

/** Of logits [b,k]: the softmax; the sigmoid of each where the classes do not exclude each other. Attacks follow the logits. */
export const probabilitiesOf = ({ isMultiLabel }: Scale, logits: Logits): Logits =>
  isMultiLabel ? tf.sigmoid(logits) : tf.softmax(logits);

/** The probability of class c of the k scores that begin at `start`, in float64: exp(z_c) / Σ_j exp(z_j), or 1 / (1 + exp(−z_c)). */
export function probabilityAt({ isMultiLabel }: Scale, scores: ArrayLike<number>, start: number, k: number, c: number): number {
  const score = scores[start + c] as number;
  if (isMultiLabel) return 1 / (1 + Math.exp(-score));
  let top = score;
  for (let j = 0; j < k; j++) top = Math.max(top, scores[start + j] as number);
  let sum = 0;
  for (let j = 0; j < k; j++) sum += Math.exp((scores[start + j] as number) - top);
  return Math.exp(score - top) / sum;
}

/** @throws MODEL_NAN when one of the values that were made of scores is NaN or infinite: so were the scores */
export function checkNumbers<T extends ArrayLike<number>>(values: T): T {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) throw scoresNotNumbers();
  return values;
}

export const scoresNotNumbers = (): BulwarkError =>
  new BulwarkError("MODEL_NAN", "The model's scores are not numbers.", "Check its weights and its input contract.");

/** Index of the largest score of each of n images; the first of equals. @throws MODEL_NAN when a score is no number. */
export function largestScores(scores: ArrayLike<number>, n: number, classes: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => {
    let best = 0;
    for (let k = 0; k < classes; k++) {
      const score = scores[i * classes + k] as number;
      if (Number.isNaN(score) || score === Number.POSITIVE_INFINITY) throw scoresNotNumbers();
      if (score > (scores[i * classes + best] as number)) best = k;
    }
    return best;
  });
}
