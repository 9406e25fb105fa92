/** One image after an attack, as far as success depends on it. */
export interface Verdict {
  readonly label: number;
  readonly prediction: number;
  /** Probability of the prediction. */
  readonly confidence: number;
  /** Target class; null for an untargeted attack. */
  readonly target: number | null;
}
/** What counts as a success. Decided by the harness alone, for iterates, results and transferred images alike. */
export interface Criterion {
  readonly name: string;
  /** The attack wants the target class; else it wants away from the label, also where it has a target. */
  readonly isTargeted: boolean;
  reached(verdict: Verdict): boolean;
}

/** Any class but the label. */
export const misclassified: Criterion = {
  name: "misclassified",
  isTargeted: false,
  reached: ({ prediction, label }) => prediction !== label,
};
/** The target class. */
export const targetReached: Criterion = {
  name: "target class",
  isTargeted: true,
  reached: ({ prediction, target }) => prediction === target,
};
