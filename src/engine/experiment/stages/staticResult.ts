import type { ImageRecord, StaticResult } from "../../../shared/results.ts";
import {
  countedForBeta,
  defenseSuccess,
  defenseSuccessOfFooled,
  isCleanCorrect,
  isCorrect,
  robustness,
  share,
} from "../../metrics/robustness.ts";

/**
 * Figures of images that were made on another arm, `source`.
 * @param undefended what the same attack did to the model that it was made against
 * @param target class that the attack aims at, whose images do not count in the rates
 */
export function staticResult(
  source: string,
  records: readonly ImageRecord[],
  undefended: readonly ImageRecord[],
  target: number | null,
): StaticResult {
  const n = records.length;
  const counted = countedForBeta(records, target);
  const clean = records.filter(isCleanCorrect).length;
  const correct = records.filter(isCorrect).length;
  return {
    source,
    n,
    clean: { accuracy: share(clean, n), correct: clean },
    attacked: { accuracy: share(correct, n), correct },
    successRate: share(counted.filter((record) => record.success).length, counted.length),
    defenseSuccess: defenseSuccess(records, target),
    defenseSuccessOfFooled: defenseSuccessOfFooled(records, undefended, target),
    robustness: robustness(records),
  };
}
