import type { Choice } from "./results.ts";
import type { DetectorUnit } from "./sampledUnits.ts";

/** A point of a ROC curve: share of the clean and of the adversarial images whose score reaches a threshold. */
export interface RocPoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
}
/** What a detector can catch where at most this share of the clean images may be flagged, ties together or not at all. */
export interface DetectionAtRate {
  readonly falsePositiveRate: number;
  readonly detected: number;
  /** Wilson, 95 %. */
  readonly interval: readonly [low: number, high: number];
}
/** How well scores tell adversarial images from clean ones. */
export interface DetectedArea {
  /** Adversarial images. */
  readonly n: number;
  /** Probability that an adversarial image scores higher than a clean one, ties a half (Mann-Whitney); null where there are none. */
  readonly auc: number | null;
  /** 95 % interval by DeLong; null where it cannot be told. */
  readonly interval: readonly [low: number, high: number] | null;
}
/** A detector against one attack on an arm. `n`: attacked versions of images that the arm classifies correctly. */
export interface DetectedAttack extends DetectedArea {
  /** Key of the attack. */
  readonly attack: string;
  /** The attack was made to evade the detector too; else it did not know of it. */
  readonly adaptive: boolean;
  /** Of these images, those alone that the arm misclassifies: what evades a detector and fools nobody does no harm. Absent in earlier reports. */
  readonly fooling?: DetectedArea;
  /** Share of the adversarial images above the threshold; null without a threshold. */
  readonly detected: number | null;
  /** At 1, 5 and 10 % of false alarms; absent in reports of earlier versions. */
  readonly atRates?: readonly DetectionAtRate[];
  /** Of the ROC curve, from (0,0) to (1,1): one for each of the detector's `thresholds`. */
  readonly points: readonly RocPoint[];
  readonly files: { readonly scores: string };
}
export interface DetectorResult extends Choice {
  readonly key: string;
  readonly label: string;
  /** Scores above it are called adversarial; taken on validation images, null where the data have none. */
  readonly threshold: number | null;
  /** Share of validation images that it may flag, and the share of clean test images that it does flag. */
  readonly falsePositiveRate: number;
  readonly flaggedClean: number | null;
  /** Validation images that the threshold was taken on: those that the arm classifies correctly and that are no test images. */
  readonly thresholdImages: number;
  // Reports of earlier versions lack the next four.
  /** Validation images that are test images too, and were left out. */
  readonly sharedImages?: number;
  /** Clean test images that count: those that the arm classifies correctly. */
  readonly cleanImages?: number;
  /** Which attacked images count: all of those, or the ones that the arm misclassifies. */
  readonly positives?: "all" | "successful";
  /** Descending: where a threshold may stand, as `points` have it. The last, null, lies below every score. */
  readonly thresholds?: readonly (number | null)[];
  /** Layers that it samples, over the clean test images; absent where it samples none, and in reports of earlier versions. */
  readonly units?: readonly DetectorUnit[];
  readonly results: readonly DetectedAttack[];
}
