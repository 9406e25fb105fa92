import type { Choice } from "../../shared/results.ts";
import type { ExperimentFacts } from "../define/analysis.ts";

/** The experiment's attack of that key or id with its settings, or the one of the registry with its defaults. @throws UNKNOWN_ID */
export function attackNamed(name: string, facts: ExperimentFacts): Choice & { readonly key: string } {
  const own = facts.attacks.find(({ key, id }) => key === name || id === name);
  if (own) return own;
  facts.attackParams(name); // UNKNOWN_ID when there is none
  return { id: name, params: {}, key: name };
}
