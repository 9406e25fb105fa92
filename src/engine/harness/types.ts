import type { ImageRecord } from "../../shared/results.ts";

/** What the harness saw while it ran an attack: counts of images, material of the rules RB2xx. */
export interface HarnessNotes {
  /** Proposals that had to be brought back into the ball or into [0,1] (moved by more than 1e-6). */
  readonly outOfBall: number;
  /** Proposals with a value that is no number; those pixels were set back to the clean image. */
  readonly notFinite: number;
  /** Images where an iterate was adversarial and the attack returned something that was not; the harness kept the iterate. */
  readonly silentSuccess: number;
  /** Successes that are gone after rounding to 8 bits. */
  readonly lostAfter8Bit: number;
  /** Images misclassified before the attack: returned unchanged. */
  readonly skipped: number;
  /** Images that the attack could not break and that gave it nothing to follow: the first gradient of its loss is exactly zero. */
  readonly zeroGradient: number;
  /** Those of them where the margin's gradient at the clean image is exactly zero as well. */
  readonly zeroMargin: number;
  /** The attack declares that it uses gradients. */
  readonly usesGradients: boolean;
}

/** One attacked batch of b images. */
export interface BatchOutcome {
  /** [b,H,W,C], float32 in [0,1]. */
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
  readonly labels: Int32Array;
  readonly cleanPredictions: Int32Array;
  readonly predictions: Int32Array;
  readonly records: readonly ImageRecord[];
  /** Images through a backward, a forward pass by the attack itself; the harness's own passes are not counted. */
  readonly gradientEvaluations: number;
  readonly forwardEvaluations: number;
  readonly seconds: number;
  readonly notes: HarnessNotes;
}

/** The part of an outcome that summaries need: images may be on disk already. */
export type CountedOutcome = Pick<BatchOutcome, "records" | "gradientEvaluations" | "forwardEvaluations" | "seconds" | "notes">;

/** One iteration as a panel shows it: class probabilities [b*k] and images [b*H*W*C]. `total` is null when it is not known. */
export interface AttackTracePoint {
  readonly iteration: number;
  readonly total: number | null;
  readonly probabilities: Float32Array;
  readonly images: Float32Array;
}
