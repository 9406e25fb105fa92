import { BulwarkError } from "../../../../shared/errors.ts";
import type { Choice } from "../../../../shared/results.ts";
import { groupBy } from "../../groupBy.ts";

/** Which part of paper 0's ablation an arm is: I has volumizer and curriculum, I-Vol the volumizer alone, I-CL the curriculum alone. */
export type Role = "undefended" | "I" | "I-Vol" | "I-CL" | "neither";

/** The role of a defence; null for one that is not of paper 0. */
export function roleOf({ id, params }: Choice): Role | null {
  if (id === "standard") return "undefended";
  if (id !== "volumizedCurriculum") return null;
  const [volumizer, curriculum] = [params["volumizer"] !== false, params["curriculum"] !== false];
  if (volumizer) return curriculum ? "I" : "I-Vol";
  return curriculum ? "I-CL" : "neither";
}

/** What the arms of an ablation differ in; `microBatch` is the curriculum's batch for an arm without it. */
export const switches = ["volumizer", "curriculum", "microBatch"];

/** Two defences that differ in the switches of the ablation alone. */
export const isHalfOf = (a: Choice, b: Choice): boolean => but(a.params, switches) === but(b.params, switches);

/** Parameters but those named, for finding arms or attacks that differ in these alone. */
const but = (params: Choice["params"], names: readonly string[]): string =>
  JSON.stringify(
    Object.entries(params)
      .filter(([name]) => !names.includes(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** The largest group of items of one id that differ in `names` alone; the first of equals. Of arms: the volumized ones, by their defence. */
export function variants<A>(
  items: readonly A[],
  choiceOf: (item: A) => Choice,
  names: readonly string[],
  id = "volumizedCurriculum",
): readonly A[] {
  const alike = items.filter((item) => choiceOf(item).id === id);
  const groups = groupBy(alike, (item) => but(choiceOf(item).params, names));
  return [...groups.values()].reduce<readonly A[]>((best, group) => (group.length > best.length ? group : best), []);
}

export const needsArms = (analysis: string, what: string, fix: string): BulwarkError =>
  new BulwarkError("EXPERIMENT_INVALID", `${analysis} needs ${what}.`, fix);
