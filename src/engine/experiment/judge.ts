import path from "node:path";
import type { Finding, Radius } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { parseDataset } from "../datasets/resolve.ts";
import type { CrossedAttack } from "../define/analysis.ts";
import { labelOf } from "../define/index.ts";
import { comparedFindings } from "../rules/compare.ts";
import type { ArmEvidence, ComparedAttack } from "../rules/evidence.ts";
import { curveRules, pairRules } from "../rules/index.ts";
import type { Where } from "../rules/rule.ts";
import { isUndefended, type ResolvedArm } from "./arms.ts";
import type { RunEnvironment } from "./environment.ts";
import type { ResolvedAttack, ResolvedExperiment } from "./resolve.ts";
import type { MergedAttack } from "./stages/merge.ts";

/** Arm, and attack where there is one, with the place in the experiment file that names them. An analysis' own attacks have no place. */
export function whereOf(
  arm: Pick<ResolvedArm, "name" | "index">,
  key: string | null,
  env: Pick<RunEnvironment, "experiment" | "source">,
): Where {
  const attack = env.experiment.attacks.findIndex((one) => one.key === key);
  const ofArm = arm.index === 0 ? "/model" : `/compare/${arm.index - 1}`;
  const at = { file: env.source, pointer: key === null ? ofArm : `/attacks/${attack}` };
  return { arm: arm.name, ...(key === null ? {} : { attackKey: key }), ...(key !== null && attack < 0 ? {} : { at }) };
}

/** Radius of an attack; null where that follows from what it prepares, such as a patch, or where it looks for the smallest change. */
export function ballOf({ entry, params }: ResolvedAttack, { data }: Pick<RunEnvironment, "data">): Radius | null {
  if (entry.minimizes) return null;
  const { norm, radius, window } = entry.ball(params, { inputShape: data.inputShape });
  return entry.preparation && window !== undefined ? null : { norm, radius };
}

/** A finished attack as the rules that compare see it. */
export function compared(
  arm: ResolvedArm,
  attack: ResolvedAttack,
  { summary, records, transferred }: MergedAttack,
  crossed: readonly CrossedAttack[],
  env: RunEnvironment,
): ComparedAttack {
  const { entry } = attack;
  return {
    arm: arm.name,
    id: attack.id,
    key: attack.key,
    name: labelOf(attack),
    iterative: entry.iterative,
    access: entry.access,
    ball: ballOf(attack, env),
    minimizes: entry.minimizes ?? null,
    target: entry.target?.(attack.params) ?? null,
    records,
    knowledge: isUndefended(arm) ? null : summary.mode === "static" ? "static" : "adaptive",
    static: transferred,
    crossed: crossed.filter(({ key, shownTo }) => key === attack.key && shownTo === arm.name),
  };
}

/**
 * Findings of all comparisons of a run, told and returned.
 * @param further those that analyses asked for: the points of a curve
 */
export function comparisons(attacks: readonly ComparedAttack[], further: readonly ComparedAttack[], env: RunEnvironment): Finding[] {
  const places = new Map(env.experiment.arms.map((arm) => [arm.name, arm]));
  const placeOf = ({ arm, key }: ComparedAttack): Where["at"] => {
    const resolved = places.get(arm);
    return resolved && whereOf(resolved, key, env).at;
  };
  return tell([...comparedFindings(pairRules, attacks, placeOf), ...comparedFindings(curveRules, [...attacks, ...further], placeOf)], env);
}

/** Findings go into the run's events as soon as they are there. */
export function tell(findings: readonly Finding[], env: Pick<RunEnvironment, "emit">): Finding[] {
  for (const finding of findings) env.emit({ kind: "finding", finding });
  return [...findings];
}

/** What the contract's probe measured, where it was on the data of this run and nothing stands in front of the model since. */
export function probedOf(
  { contract: { probe }, front }: Pick<Classifier, "contract" | "front">,
  { dataset: { id, params } }: Pick<ResolvedExperiment, "dataset">,
): ArmEvidence["probed"] {
  if (!probe || front || probe.split !== "test") return null;
  const { kind, path: where } = parseDataset(probe.dataset);
  const here = typeof params["path"] === "string" ? params["path"] : "";
  const isThere = where === undefined || here === path.resolve(where) || here.endsWith(path.sep + path.normalize(where));
  return kind === id && isThere ? { n: probe.n, hits: probe.hits } : null;
}
