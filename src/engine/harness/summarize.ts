import {
  type AttackSummary,
  type Choice,
  combinedDefense,
  type DistanceSummary,
  type ImageRecord,
  type Norm,
  type NormSummary,
} from "../../shared/results.ts";
import { quantile } from "../metrics/quantiles.ts";
import { aimedAt, countedForBeta, defenseSuccess, isCleanCorrect, isCorrect, robustness, share, targetOf } from "../metrics/robustness.ts";
import { attackRules } from "../rules/index.ts";
import { findingsOf, type Where } from "../rules/rule.ts";
import type { Step, Steps } from "../rules/step.ts";
import type { CountedOutcome, HarnessNotes } from "./types.ts";

export interface SummaryFacts {
  readonly attack: Choice;
  readonly key?: string;
  /** As its entry calls it. */
  readonly label?: string;
  /** Those that the model was trained with, then those in front of it. */
  readonly defenses: readonly Choice[];
  readonly backend: string;
  readonly seed: number;
}

/** What rules look at beside the outcomes. */
export interface JudgedFacts {
  /** What the findings are about; the attack's id is filled in. */
  readonly where?: Where;
  /** The same attack with what it prepared emptied of content. */
  readonly control?: readonly ImageRecord[] | undefined;
  /** What it prepared was trained on the images that it is judged on. */
  readonly isOnItsOwn?: boolean | undefined;
  /** Images whose label the attack's preparation asked for, where it asked for labels alone. */
  readonly queries?: number | undefined;
  /** The attack's step, for the remedy that changes it. */
  readonly step?: Step | undefined;
  readonly steps?: Steps | undefined;
  /** The norm of an attack that looks for the smallest change. */
  readonly minimizes?: Norm | undefined;
}

/** Distances of the images that were right and are not any more. */
export function distanceSummary(records: readonly ImageRecord[], norm: Norm): DistanceSummary {
  const right = records.filter(isCleanCorrect);
  const distances = right.filter(({ success }) => success).map((record) => record[norm]);
  const mean = distances.length === 0 ? null : distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  return { norm, found: distances.length, of: right.length, mean, median: quantile(distances, 0.5) };
}

/** Mean and maximum over these images; null where there is none. */
export function normSummary(images: readonly ImageRecord[], norm: Norm): NormSummary {
  if (images.length === 0) return { mean: null, max: null };
  const values = images.map((record) => record[norm]);
  return { mean: values.reduce((a, b) => a + b, 0) / values.length, max: values.reduce((a, b) => Math.max(a, b), 0) };
}

/**
 * Figures of one attack over all its batches. Accuracies count all n images, whether they were right before or not; success
 * rate and defence success β count the clean-correct ones (for a targeted attack: those not of the target class); δ = clean − attacked.
 */
export function summarizeAttack(outcomes: readonly CountedOutcome[], facts: SummaryFacts, judged: JudgedFacts = {}): AttackSummary {
  const records = outcomes.flatMap((outcome) => outcome.records);
  const n = records.length;
  const cleanCorrect = records.filter(isCleanCorrect);
  const correct = records.filter(isCorrect).length;
  const defenses = facts.defenses.filter(({ id }) => id !== "standard"); // plain training defends nothing
  const target = targetOf(facts.attack);
  const attackable = countedForBeta(records, target);
  const isAtTarget = (r: ImageRecord): boolean => r.prediction === (target ?? r.target);
  const successes = records.filter((r) => r.success);
  const changed = successes.length > 0 ? successes : cleanCorrect;
  const seconds = total(outcomes, (o) => o.seconds);
  const gradientEvaluations = total(outcomes, (o) => o.gradientEvaluations);
  const notes = addNotes(outcomes.map((o) => o.notes));
  const { where, ...more } = judged;
  const evidence = notes && { attack: facts.attack, notes, gradientEvaluations, records, ...more };
  return {
    n,
    ...facts,
    defenses,
    defense: combinedDefense(defenses),
    clean: { accuracy: share(cleanCorrect.length, n), correct: cleanCorrect.length },
    attacked: { accuracy: share(correct, n), correct },
    successRate: share(attackable.filter((r) => r.success).length, attackable.length),
    ...(aimedAt(facts.attack) === null ? {} : { targetRate: share(attackable.filter(isAtTarget).length, attackable.length) }),
    defenseSuccess: defenseSuccess(records, target),
    robustness: robustness(records),
    norms: { linf: normSummary(changed, "linf"), l2: normSummary(changed, "l2"), l0: normSummary(changed, "l0") },
    ...(judged.minimizes ? { distances: distanceSummary(records, judged.minimizes) } : {}),
    seconds,
    gradientEvaluations,
    forwardEvaluations: total(outcomes, (o) => o.forwardEvaluations),
    imagesPerSecond: seconds > 0 ? n / seconds : 0,
    findings: evidence ? findingsOf(attackRules, evidence, { attackKey: facts.attack.id, ...where, attack: facts.attack.id }) : [],
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
      zeroGradient: sum.zeroGradient + notes.zeroGradient,
      zeroMargin: sum.zeroMargin + notes.zeroMargin,
      usesGradients: sum.usesGradients,
    }),
    first,
  );
}
