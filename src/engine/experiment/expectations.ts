import type { ArmReport, AttackSummary, Expectation } from "../../shared/results.ts";
import { attackKeys } from "../../shared/runs.ts";
import type { ResolvedExperiment } from "./resolve.ts";

type Expected = ResolvedExperiment["expect"][number];

/**
 * Holds the experiment's `expect` against the arms: the first arm unless one is named, and every attack unless one is. Where several
 * figures are meant the worst counts. A figure that is not there (no such attack, no image to count) is not met.
 */
export function checkExpectations(expect: readonly Expected[], arms: readonly ArmReport[]): Expectation[] {
  return expect.map((expected) => {
    const arm = expected.arm === undefined ? arms[0] : arms.find(({ name }) => name === expected.arm);
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

function figures(expected: Expected, arm: ArmReport): (number | null)[] {
  if (expected.metric === "clean.accuracy") return [arm.clean.accuracy];
  const keys = attackKeys(arm.attacks.map((summary) => summary.attack.id));
  const meant = arm.attacks.filter(
    (summary, i) => expected.attack === undefined || expected.attack === keys[i] || expected.attack === summary.attack.id,
  );
  return meant.map((summary) => figure(expected.metric, summary));
}

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
