import type { Chosen } from "../../shared/experiment.ts";
import type { ExperimentFacts } from "../define/analysis.ts";
import { documented, followedIterations } from "../define/index.ts";
import { bind, find } from "../registry.ts";
import { defenseOf, defensesOf, type ResolvedArm } from "./arms.ts";
import { canonical } from "./document.ts";
import type { FurtherAttack, ResolvedAnalysis, ResolvedAttack, ResolvedDetector } from "./resolve.ts";

/** The parts of an experiment that analyses look at. */
interface Parts {
  readonly dataset: string;
  readonly arms: readonly ResolvedArm[];
  readonly attacks: readonly ResolvedAttack[];
  readonly detectors: readonly ResolvedDetector[];
}

export const factsOf = ({ dataset, arms, attacks, detectors }: Parts): ExperimentFacts => ({
  dataset,
  arms: arms.map((arm) => ({
    name: arm.name,
    defense: defenseOf(arm),
    defenses: defensesOf(arm),
    model: "file" in arm.model ? "file" : arm.model.id,
  })),
  attacks: attacks.map((attack) => ({
    ...documented(attack),
    key: attack.key,
    iterations: followedIterations(attack.entry, attack.params),
    minimizes: attack.entry.minimizes !== undefined,
  })),
  detectors: detectors.map(({ id }) => id),
  attackParams: (id) => find("attack", id).params,
  attackTitle: (id) => find("attack", id).title,
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
  const analyses = chosen.map((one): ResolvedAnalysis => {
    const analysis = bind("analysis", one);
    const { entry, params } = analysis;
    entry.check?.(params, facts);
    const keys = (entry.attacks?.(params, facts) ?? []).map((wanted) => {
      const bound = bind("attack", { ...wanted.params, kind: wanted.id });
      const same = (own: ResolvedAttack): boolean => canonical(documented(own)) === canonical(documented(bound));
      const { key, images, wrongOnly } = wanted;
      const own = images === 0 && !wrongOnly ? parts.attacks.find(same) : undefined;
      // What one arm has wrong another may have right, so such images are not shown to any other.
      if (!own) further.set(key, { ...bound, key, images, ...(wrongOnly ? { knowledge: "adaptive", wrongOnly } : { knowledge: "both" }) });
      return own?.key ?? key;
    });
    return { ...analysis, further: keys };
  });
  return { analyses, further: [...further.values()] };
}
