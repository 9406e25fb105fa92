import type { VolumizerOptions } from "../define/index.ts";
import { mutualInformation } from "../measures/mutualInformation.ts";

/** Ready-made settings, patch apart. */
export const presets = {
  /** As written in the paper. */
  paper: {
    measure: mutualInformation,
    measureParams: {},
    order: "asc",
    reference: "mostSalient",
    refScore: "true",
    onRemainder: "error",
  },
  /** "Paper-MI": mutual information sorted downwards from the slice of lowest entropy, as the authors' volumizer orders it. */
  paperMi: {
    measure: mutualInformation,
    measureParams: {},
    order: "desc",
    reference: "minEntropy",
    refScore: "true",
    onRemainder: "error",
  },
  /** As the authors' code does it: the same order, the reference's own score set to 0, partial patches dropped. */
  authorsCode: {
    measure: mutualInformation,
    measureParams: {},
    order: "desc",
    reference: "minEntropy",
    refScore: "zero",
    onRemainder: "drop",
  },
} as const satisfies Record<string, Omit<VolumizerOptions, "patch">>;
