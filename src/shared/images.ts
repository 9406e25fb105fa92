import type { Choice } from "./results.ts";
import type { DetectorUnit } from "./sampledUnits.ts";
import type { LabelSource } from "./verdict.ts";

/** What was decided about the images; absent where there is nothing. */
interface AboutImages {
  readonly notes?: readonly string[];
  /** Files of the data set that were left out; names are relative to it. */
  readonly skipped?: readonly { readonly file: string; readonly reason: string }[];
}

interface Labelled {
  /** No image has a label, or not all have one: the model's own predictions stand for those that are missing. Absent where all have one. */
  readonly labels?: "predicted" | "partly";
}
interface LabelledImage {
  readonly index: number;
  /** Of an image that is a file of its own. */
  readonly file?: string;
  readonly label: number;
  /** Who says the label of a picture that was named and has one. */
  readonly labelSource?: LabelSource;
}

/** `predict --json`. */
export interface PredictDocument extends AboutImages, Labelled {
  readonly run: string;
  readonly n: number;
  readonly model: string;
  /** What the model is trained with and what stands in front of it. */
  readonly defenses: readonly Choice[];
  /** Share of the images whose label is predicted; null where labels are missing. */
  readonly accuracy: number | null;
  readonly images: readonly (LabelledImage & {
    readonly prediction: number;
    /** Of the predicted class. */
    readonly probability: number;
  })[];
  /** float32 `logits` [n,K], int32 `label`, `prediction` [n]; with a gradient float32 `gradient` [n,H,W,C]. */
  readonly files: { readonly predictions: string };
}

/** `defend --json`. */
export interface DefendDocument extends AboutImages {
  readonly run: string;
  readonly n: number;
  /** The defence, or the whole list as one. */
  readonly defense: Choice;
  readonly defenses: readonly Choice[];
  /** Time of the transformation of one image. */
  readonly milliseconds: { readonly mean: number; readonly p95: number };
  /** float32 `input`, `output` [n,H,W,C]; left out where the pictures differ in size. */
  readonly files: { readonly defended?: string; readonly images: string };
}

/** `detect --json`. */
export interface DetectDocument extends AboutImages, Labelled {
  readonly run: string;
  readonly n: number;
  readonly model: string;
  readonly detector: Choice;
  readonly units: readonly DetectorUnit[];
  readonly images: readonly (LabelledImage & {
    readonly cleanPrediction: number;
    /** Larger = more likely adversarial. */
    readonly score: number;
    /** Hard labels of the detector's passes, counted by class. */
    readonly votes: readonly number[];
  })[];
  /** float64 `score` [n], int32 `votes` [n,K]; of one that draws rows float64 `probabilities_0`, `probabilities_1` … [n, rows], by unit. */
  readonly files: { readonly detection: string };
}
