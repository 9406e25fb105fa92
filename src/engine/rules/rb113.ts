import { percent } from "../../shared/format.ts";
import { fisherP } from "../metrics/statistics.ts";
import type { ArmEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/** Chance of a false alarm: the test is made at every run. */
const level = 0.001;

/**
 * The model is right less often than when its contract was probed on the same data: the contract, the labels or the pictures are not what
 * they were. Fisher's exact test, one-sided.
 */
export const rb113: Rule<ArmEvidence> = {
  id: "RB113",
  check({ probed, clean }) {
    if (!probed || clean.length === 0) return null;
    const correct = clean.filter(({ label, cleanPrediction }) => label === cleanPrediction).length;
    if (fisherP(correct, clean.length, probed.hits, probed.n) >= level) return null;
    return {
      message: `The model is right on ${correct} of ${images(clean.length)} (${percent(correct / clean.length)}); when its input contract was probed on these data it was on ${probed.hits} of ${probed.n} (${percent(probed.hits / probed.n)}).`,
      fix: "Check what changed since: the model, its input contract, the labels or the pictures; then run `bulwark probe` again.",
    };
  },
};
