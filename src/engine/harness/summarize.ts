import {
  type AttackSummary,
  type Choice,
  combinedDefense,
  type Finding,
  type ImageRecord,
  type NormSummary,
} from "../../shared/results.ts";
import { countedForBeta, defenseSuccess, isCleanCorrect, isCorrect, robustness, share, targetOf } from "../metrics/robustness.ts";
import { rb201 } from "../rules/rb201.ts";
import { rb202 } from "../rules/rb202.ts";
import { rb203 } from "../rules/rb203.ts";
import { rb208 } from "../rules/rb208.ts";
import { rb501 } from "../rules/rb501.ts";
import type { CountedOutcome, HarnessNotes } from "./types.ts";

export { compareFindings } from "./compare.ts";

export interface SummaryFacts {
  readonly attack: Choice;
  /** Those that the model was trained with, then those in front of it. */
  readonly defenses: readonly Choice[];
  readonly backend: string;
  readonly seed: number;
}

/** Mean and maximum over the images that were attacked with success; null where there is none. */
export function normSummary(successes: readonly ImageRecord[], norm: "linf" | "l2" | "l0"): NormSummary {
  if (successes.length === 0) return { mean: null, max: null };
  const values = successes.map((record) => record[norm]);
  return { mean: values.reduce((a, b) => a + b, 0) / values.length, max: values.reduce((a, b) => Math.max(a, b), 0) };
}

/**
 * Figures of one attack over all its batches. Accuracies count all n images, an image that was wrong already counts as wrong; success
 * rate and defence success β count the clean-correct ones (for a targeted attack: those not of the target class); δ = clean − attacked.
 */
export function summarizeAttack(outcomes: readonly CountedOutcome[], facts: SummaryFacts): AttackSummary {
  const records = outcomes.flatMap((outcome) => outcome.records);
  const n = records.length;
  const cleanCorrect = records.filter(isCleanCorrect);
  const correct = records.filter(isCorrect).length;
  const defenses = facts.defenses.filter(({ id }) => id !== "standard"); // plain training defends nothing
  const target = targetOf(facts.attack);
  const attackable = countedForBeta(records, target);
  const successes = records.filter((r) => r.success);
  const changed = successes.length > 0 ? successes : cleanCorrect;
  const seconds = total(outcomes, (o) => o.seconds);
  const gradientEvaluations = total(outcomes, (o) => o.gradientEvaluations);
  const notes = addNotes(outcomes.map((o) => o.notes));
  const findings: (Finding | null)[] = notes
    ? [rb201(notes), rb202(notes, gradientEvaluations, records), rb203(notes), rb208(notes, n), rb501(notes, successes.length)]
    : [];
  return {
    n,
    ...facts,
    defenses,
    defense: combinedDefense(defenses),
    clean: { accuracy: share(cleanCorrect.length, n), correct: cleanCorrect.length },
    attacked: { accuracy: share(correct, n), correct },
    successRate: share(attackable.filter((r) => r.success).length, attackable.length),
    ...(target === null ? {} : { targetRate: share(attackable.filter((r) => r.prediction === target).length, attackable.length) }),
    defenseSuccess: defenseSuccess(records, target),
    robustness: robustness(records),
    norms: { linf: normSummary(changed, "linf"), l2: normSummary(changed, "l2"), l0: normSummary(changed, "l0") },
    seconds,
    gradientEvaluations,
    forwardEvaluations: total(outcomes, (o) => o.forwardEvaluations),
    imagesPerSecond: seconds > 0 ? n / seconds : 0,
    findings: findings.filter((finding) => finding !== null).map((finding) => ({ ...finding, attack: facts.attack.id })),
  };
}

const total = (outcomes: readonly CountedOutcome[], of: (outcome: CountedOutcome) => number): number =>
  outcomes.reduce((sum, outcome) => sum + of(outcome), 0);

function addNotes([first, ...rest]: readonly HarnessNotes[]): HarnessNotes | undefined {
  if (!first) return undefined;
  return rest.reduce(
    (sum, notes) => ({
      outOfBall: sum.outOfBall + notes.outOfBall,
      notFinite: sum.notFinite + notes.notFinite,
      silentSuccess: sum.silentSuccess + notes.silentSuccess,
      lostAfter8Bit: sum.lostAfter8Bit + notes.lostAfter8Bit,
      skipped: sum.skipped + notes.skipped,
      usesGradients: sum.usesGradients,
    }),
    first,
  );
}
