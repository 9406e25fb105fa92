import type { Finding } from "../../shared/results.ts";
import { binomialTail, significance } from "../metrics/statistics.ts";
import { images } from "./words.ts";

/**
 * RB206: with the whole of [0,1] allowed, an attack must bring accuracy down to chance (1 of `classes`): it may paint any image.
 * @param survivors of `n` clean-correct images, those still classified correctly. Fires where chance explains them in under 5 % of cases.
 */
export function rb206(survivors: number, n: number, classes: number): Finding | null {
  if (n === 0 || binomialTail(survivors, n, 1 / classes) >= significance) return null;
  return {
    rule: "RB206",
    severity: "error",
    message: `Suspicious because ${survivors} of ${images(n)} withstand an attack that may change every pixel at will: gradients are probably masked.`,
    fix: "Attack with a margin loss, restarts or a gradient-free attack before trusting the robustness.",
  };
}
