import { BulwarkError } from "../../shared/errors.ts";
import { attackNames, type Expectable, type Expected, expectationFault } from "../../shared/expect.ts";
import type { ArmReport, AttackSummary, Expectation } from "../../shared/results.ts";
import { attackKeys } from "../../shared/runs.ts";

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
    return { ...expected, value: worst, met };
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
  const numbered = attackKeys(arm.attacks.map((summary) => summary.attack.id));
  const keys = arm.attacks.map((summary, i) => summary.key ?? (numbered[i] as string));
  const names = attackNames(arm.attacks.map(({ attack }, i) => ({ id: attack.id, key: keys[i] as string })));
  const isMeant = (key: string): boolean => expected.attack === undefined || expected.attack === (names.get(key) ?? key);
  if (metric === "detector.auc") return areas(expected, arm, isMeant);
  return arm.attacks.filter((_, i) => isMeant(keys[i] as string)).map((summary) => figure(metric, summary));
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
