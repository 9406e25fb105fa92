import { count } from "./format.ts";

/** How far the check of a model is: reading its weights, or computing scores with them. */
export interface ModelCheckUpdate {
  readonly stage: "weights" | "scores";
  /** Of this stage, 0…1. */
  readonly share: number;
}

/** What a look at all weights and the scores of a model found. */
export interface ModelCheck {
  /**
   * Largest difference of a score from ONNX Runtime's, relative to the largest score of the picture. Null where nothing was compared, as for
   * formats that ONNX Runtime does not run.
   */
  readonly difference: number | null;
  /** Weights that were looked at: all of the model's. */
  readonly weights: number;
  /** Of rules about a model, what only its weights show. */
  readonly warnings?: readonly string[];
  /** What came to light beyond what the file itself says. */
  readonly notes: readonly string[];
}

/** The check in one sentence. */
export function checkText({ difference, weights }: ModelCheck): string {
  if (difference === null && weights === 0) return "Checked: the scores of a grey picture are numbers."; // ONNX Runtime itself gives them
  if (difference === null) return `Checked: all ${count(weights)} weights and the scores of a grey picture are numbers.`;
  return `Checked against ONNX Runtime: ${apart(difference)}.`;
}

/** "2e-6 apart": a fraction of the largest score, with one digit. */
const apart = (difference: number): string =>
  difference === 0 ? "the same scores" : `${Number(difference.toPrecision(1)).toExponential()} apart`;
