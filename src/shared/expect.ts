import type { Experiment } from "./experiment.ts";
import { nearest, suggestion } from "./nearest.ts";

export type Expected = NonNullable<Experiment["expect"]>[number];

/** What an expectation may speak of. */
export interface Expectable {
  /** Null where some are named after their defences, which the engine alone can do. */
  readonly arms: readonly string[] | null;
  readonly attacks: readonly { readonly id: string; readonly key: string }[];
  /** Ids. */
  readonly detectors: readonly string[];
}
export interface ExpectationFault {
  /** The key that is wrong; "metric" where one is missing. */
  readonly key: "metric" | "arm" | "attack" | "detector" | "min" | "max";
  /** Goes on where "expect[0] (robustness)" begins. */
  readonly message: string;
  readonly fix: string;
  /** The name that was probably meant. */
  readonly meant: string | undefined;
}

/** Figures of an arm as a whole: naming an attack with them says nothing. */
const ofTheArm = new Set(["clean.accuracy", "worst.accuracy"]);

/** What expectations call attacks, by key: the id, or "pgd-1", "pgd-2" … where several are of one kind. */
export function attackNames(attacks: Expectable["attacks"]): Map<string, string> {
  const several = (id: string): boolean => attacks.filter((other) => other.id === id).length > 1;
  return new Map(attacks.map(({ id, key }) => [key, several(id) && key === id ? `${id}-1` : key]));
}

/**
 * Why an expectation could be met, or missed, by accident: it has no bound, or one that every result meets, or speaks of an arm, attack or detector that the experiment does not
 * have or that could be one of two. Null where it is sound; the schema checks the metric.
 */
export function expectationFault(expected: Expected, { arms, attacks, detectors }: Expectable): ExpectationFault | null {
  const { metric, arm, attack, detector, min, max } = expected;
  if (min === undefined && max === undefined) return fault("metric", "has neither min nor max", 'Add "min", "max" or both.');
  if (min !== undefined && max !== undefined && min > max)
    return fault("min", `can never be met: min ${min} is above max ${max}`, "Exchange the two.");
  if (arm !== undefined && arms !== null && !arms.includes(arm)) return unknown("arm", arm, arms);
  if (metric !== "clean.accuracy" && attacks.length === 0)
    return fault("metric", "needs an attack", 'Add one to "attacks", or remove the expectation.');
  if (metric === "detector.auc" && detectors.length === 0)
    return fault("metric", "needs a detector", 'Add one to "detectors", or remove the expectation.');
  if (detector !== undefined && metric !== "detector.auc")
    return fault("detector", "names a detector", 'Remove "detector": only detector.auc belongs to one.');
  if (detector !== undefined && !detectors.includes(detector)) return unknown("detector", detector, detectors);
  return (attack === undefined ? null : attackFault(metric, attack, attacks)) ?? emptyBound(expected);
}

/**
 * A bound that every result meets says nothing. One that no result meets is let through: it can only fail, and the exit code says that it did.
 */
function emptyBound({ metric, min, max }: Expected): ExpectationFault | null {
  const [low, high] = metric === "robustness" ? [-1, 1] : [0, 1];
  const lies = `${metric} lies between ${low} and ${high}`;
  if (min !== undefined && min <= low)
    return fault("min", `has min ${min}, which every result meets`, `Write a "min" above ${low}, or remove it: ${lies}.`);
  if (max !== undefined && max >= high)
    return fault("max", `has max ${max}, which every result meets`, `Write a "max" below ${high}, or remove it: ${lies}.`);
  return null;
}

function attackFault(metric: string, attack: string, attacks: Expectable["attacks"]): ExpectationFault | null {
  if (ofTheArm.has(metric)) return fault("attack", `names the attack "${attack}"`, `Remove "attack": ${metric} belongs to no single one.`);
  const names = attackNames(attacks);
  const same = attacks.filter(({ id }) => id === attack).map(({ key }) => `"${names.get(key)}"`);
  if (same.length > 1)
    return fault(
      "attack",
      `names the attack "${attack}", of which there are ${same.length}`,
      `Write ${same.join(" or ")}: they are numbered as they stand in "attacks".`,
    );
  return [...names.values()].includes(attack) ? null : unknown("attack", attack, [...names.values()]);
}

const fault = (key: ExpectationFault["key"], message: string, fix: string, meant?: string): ExpectationFault => ({
  key,
  message,
  fix,
  meant,
});
const unknown = (key: "arm" | "attack" | "detector", name: string, known: readonly string[]): ExpectationFault =>
  fault(
    key,
    `names the ${key} "${name}", which the experiment does not have`,
    suggestion(name, known, `It has the ${key}s`),
    nearest(name, known),
  );
