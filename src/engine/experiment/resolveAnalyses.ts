import type { Chosen } from "../../shared/experiment.ts";
import type { ExperimentFacts } from "../define/analysis.ts";
import { resolveParams } from "../define/index.ts";
import { find } from "../registry.ts";
import { canonical } from "./document.ts";
import type { FurtherAttack, ResolvedAnalysis, ResolvedArm, ResolvedAttack } from "./resolve.ts";

/** The parts of an experiment that analyses look at. */
interface Parts {
  readonly dataset: string;
  readonly arms: readonly ResolvedArm[];
  readonly attacks: readonly ResolvedAttack[];
}

export const factsOf = ({ dataset, arms, attacks }: Parts): ExperimentFacts => ({
  dataset,
  arms: arms.map(({ name, defense, model }) => ({ name, defense, model: "file" in model ? "file" : model.id })),
  attacks,
  attackParams: (id) => find("attack", id).params,
});

/**
 * The experiment's analyses and the attacks that they need beside its own. An attack that is wanted twice, or that the experiment makes
 * anyway, is made once.
 * @throws UNKNOWN_ID, PARAMETER_INVALID, EXPERIMENT_INVALID
 */
export function resolveAnalyses(
  chosen: readonly Chosen[],
  parts: Parts,
): { readonly analyses: ResolvedAnalysis[]; readonly further: FurtherAttack[] } {
  const facts = factsOf(parts);
  const further = new Map<string, FurtherAttack>();
  const analyses = chosen.map(({ kind, ...given }): ResolvedAnalysis => {
    const entry = find("analysis", kind);
    const params = resolveParams(entry.params, given, kind);
    entry.check?.(params, facts);
    const keys = (entry.attacks?.(params, facts) ?? []).map((wanted) => {
      const attack = { ...wanted, params: resolveParams(find("attack", wanted.id).params, wanted.params, wanted.id) };
      const same = (one: ResolvedAttack): boolean => one.id === attack.id && canonical(one.params) === canonical(attack.params);
      const own = attack.images === 0 ? parts.attacks.find(same) : undefined;
      if (!own) further.set(attack.key, attack);
      return own?.key ?? attack.key;
    });
    return { id: kind, params, further: keys };
  });
  return { analyses, further: [...further.values()] };
}
