import type { FittedPicture, Pick } from "./cards.ts";
import type { ClassScore } from "./protocol.ts";
import type { DetectorUnit } from "./sampledUnits.ts";

/** A threshold that a person sets, or the one that flags at most this share of clean images. */
export type ThresholdChoice = { readonly value: number } | { readonly falsePositiveRate: number };

export interface DetectionParams {
  readonly detector: Pick;
  readonly iteration: number | null;
  /** How the scores are read: no request is made for another one. */
  readonly threshold: ThresholdChoice;
}
export interface ClassVotes {
  readonly index: number;
  readonly name: string;
  readonly votes: number;
}
export interface DetectedUnit extends DetectorUnit {
  /** Probabilities of its rows over the picture, from 0 to `DetectionResult.largest`; null of a detector that draws by none that stay. */
  readonly map: string | null;
}
/** Files are relative to the run folder. */
export interface DetectedSide {
  readonly image: string;
  /** Of the model itself, without the detector. */
  readonly prediction: ClassScore;
  /** Larger = more likely adversarial. */
  readonly score: number;
  /** Classes that passes gave, the most frequent first; null of a detector that is not randomised. */
  readonly votes: readonly ClassVotes[] | null;
  /** The model's own probabilities, the largest ones first. */
  readonly scores: readonly ClassScore[];
  /** Layers that the detector samples, in network order. */
  readonly units: readonly DetectedUnit[];
}
export interface DetectionResult {
  readonly fitted: FittedPicture;
  /** With all parameters. */
  readonly detector: Pick;
  /** Iteration of the attack that the second image is; null for its result. */
  readonly iteration: number | null;
  readonly classes: number;
  /** Forward passes an image. */
  readonly passes: number;
  readonly seconds: number;
  /** Of each unit, the largest probability of a row in either picture. */
  readonly largest: readonly number[];
  readonly clean: DetectedSide;
  readonly adversarial: DetectedSide | null;
}

export interface CalibrationParams {
  readonly detector: Pick;
  /** `kind:path` of labelled images; null where it is still to be chosen. */
  readonly data: string | null;
  /** At most so many images. */
  readonly images: number;
}
/** Scores of clean images, for a threshold. */
export interface CalibrationResult {
  /** With all parameters. */
  readonly detector: Pick;
  /** "the test images of mnist" */
  readonly name: string;
  /** Images that were looked at. */
  readonly n: number;
  /** Scores of those that the model classifies correctly, ascending. */
  readonly scores: readonly number[];
}
