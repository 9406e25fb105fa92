import type { Finding } from "../../shared/results.ts";
import type { RuleId } from "../../shared/rules.ts";
import { holm } from "../metrics/statistics.ts";
import type { ComparedAttack } from "./evidence.ts";
import { type Raised, toFinding, type Where } from "./rule.ts";

/** One comparison of paired results. */
export interface Comparison {
  /** The attack that the finding names. */
  readonly of: ComparedAttack;
  /** One-sided P of what was seen, or more, if both were equally strong; null for a fact that is no test. */
  readonly p: number | null;
  /** What to say when the difference is significant; null where something else than chance explains it. */
  readonly raised: Raised | null;
}

/** A rule that compares results on the same images. Every comparison that it makes counts, whether it finds something or not. */
export interface ComparingRule {
  readonly id: RuleId;
  compare(attacks: readonly ComparedAttack[]): readonly Comparison[];
}

/**
 * Findings of rules that compare. All comparisons of a run are one family: Holm's correction keeps the chance that a run in which all
 * attacks are equally strong raises any of them below 1 in 20. So it is called once a run, with every attack on every arm.
 * @param placeOf where in the experiment file an attack stands
 */
export function comparedFindings(
  rules: readonly ComparingRule[],
  attacks: readonly ComparedAttack[],
  placeOf: (attack: ComparedAttack) => Where["at"] = () => undefined,
): Finding[] {
  const made = rules.flatMap(({ id, compare }) => compare(attacks).map((comparison) => ({ id, ...comparison })));
  const tests = made.filter(({ p }) => p !== null);
  const significant = holm(tests.map(({ p }) => p as number));
  const isRaised = new Set([...tests.filter((_, i) => significant[i]), ...made.filter(({ p }) => p === null)]);
  return made.flatMap((comparison) => {
    const { id, of, raised } = comparison;
    if (!raised || !isRaised.has(comparison)) return [];
    return [toFinding(id, raised, { arm: of.arm, attack: of.id, attackKey: of.key, at: placeOf(of) })];
  });
}
