import { BulwarkError } from "../../shared/errors.ts";
import { attackNames, type Expectable, type Expected, expectationFault } from "../../shared/expect.ts";
import { keysOf } from "../../shared/ledger.ts";
import { type ArmReport, type AttackSummary, type Expectation, isStaticOnly } from "../../shared/results.ts";

/** Refuses expectations that could be met by accident. @throws EXPERIMENT_INVALID */
export function refuseAccidents(expect: readonly Expected[], known: Expectable): void {
  for (const [i, expected] of expect.entries()) {
    const fault = expectationFault(expected, known);
    if (fault) throw new BulwarkError("EXPERIMENT_INVALID", `expect[${i}] (${expected.metric}) ${fault.message}.`, fault.fix);
  }
}

/**
 * Holds the experiment's `expect` against the arms: the experiment's own arm unless one is named, and every attack unless one is. Where several
 * figures are meant the worst counts. A figure that is not there (an arm that was left out, no image to count) is not met.
 * @param first name of the experiment's own arm
 */
export function checkExpectations(expect: readonly Expected[], arms: readonly ArmReport[], first: string): Expectation[] {
  return expect.map((expected) => {
    const arm = arms.find(({ name }) => name === (expected.arm ?? first));
    const values = arm ? figures(expected, arm) : [];
    const known = values.filter((value): value is number => value !== null);
    const worst = known.length === 0 || known.length < values.length ? null : pickWorst(expected, known);
    const met =
      worst !== null && worst >= (expected.min ?? Number.NEGATIVE_INFINITY) && worst <= (expected.max ?? Number.POSITIVE_INFINITY);
    return { ...expected, value: worst, met, ...(arm && isStaticOnly(attacksOf(expected, arm)) ? { knowledge: "static" as const } : {}) };
  });
}

/** With only an upper bound the largest figure is the worst, else the smallest; with both, the one furthest outside. */
function pickWorst({ min, max }: Expected, values: readonly number[]): number {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (max === undefined) return low;
  return min === undefined || high > max ? high : low;
}

function figures(expected: Expected, arm: ArmReport): readonly (number | null)[] {
  const { metric } = expected;
  if (metric === "clean.accuracy") return [arm.clean.accuracy];
  if (metric === "worst.accuracy") return [arm.worst?.accuracy ?? null];
  if (metric === "detector.auc") return areas(expected, arm, isMeant(expected, arm));
  return attacksOf(expected, arm).map((summary) => figure(metric, summary));
}

/** Attacks whose figures an expectation is held against; none where it speaks of clean images or of a detector. */
function attacksOf(expected: Expected, arm: ArmReport): readonly AttackSummary[] {
  if (expected.metric === "clean.accuracy" || expected.metric === "detector.auc") return [];
  const isOne = isMeant(expected, arm);
  const keys = keysOf(arm);
  return arm.attacks.filter((_, i) => isOne(keys[i] as string));
}

/** Whether an expectation speaks of the attack of this key. */
function isMeant(expected: Expected, arm: ArmReport): (key: string) => boolean {
  const keys = keysOf(arm);
  const names = attackNames(arm.attacks.map(({ attack }, i) => ({ id: attack.id, key: keys[i] as string })));
  return (key) => expected.attack === undefined || expected.attack === (names.get(key) ?? key);
}

/** Areas under the ROC curves of the arm's detectors. */
const areas = ({ detector }: Expected, { detectors }: ArmReport, isMeant: (attack: string) => boolean): (number | null)[] =>
  detectors
    .filter(({ id }) => detector === undefined || id === detector)
    .flatMap(({ results }) => results)
    .filter(({ attack }) => isMeant(attack))
    .map(({ auc }) => auc);

function figure(metric: string, summary: AttackSummary): number | null {
  switch (metric) {
    case "attacked.accuracy":
      return summary.attacked.accuracy;
    case "successRate":
      return summary.successRate;
    case "defenseSuccess":
      return summary.defenseSuccess;
    case "robustness":
      return summary.robustness;
    default:
      return null;
  }
}
