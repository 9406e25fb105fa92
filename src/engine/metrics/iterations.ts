import type { ImageRecord } from "../../shared/results.ts";
import { isCleanCorrect } from "./robustness.ts";

/** What the record of an image says of the iterations of an attack on it. */
export type FollowedImage = Pick<ImageRecord, "index" | "label" | "cleanPrediction" | "prediction" | "success" | "iterations">;

/**
 * Images that are right within k iterations of an attack, from the records of one run of K ≥ k iterations: right when clean, and no iterate
 * from the start (0) to the k-th fooled the model. That is what a run of k iterations of the same step and the same start would count,
 * image for image, as the harness keeps the best iterate of each; a paper that takes the k-th iterate alone counts at least as many as
 * right. Iterations of restarts are counted one after the other: r·K of them are r attempts. 8-bit files are made of the last images alone,
 * so these are the float images, as in every accuracy under attack. Where the attacker sees other scores than the judge (averaged passes,
 * a randomised model), the iteration is the one in which it saw the model fooled.
 */
export const correctWithin = (records: readonly FollowedImage[], k: number): number =>
  records.filter((record) => isCleanCorrect(record) && !isFooledWithin(record, k)).length;

export const isFooledWithin = ({ success, iterations }: FollowedImage, k: number): boolean => success && iterations <= k;
