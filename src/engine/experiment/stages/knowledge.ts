import { BulwarkError } from "../../../shared/errors.ts";
import { isUndefended, type ResolvedArm } from "../arms.ts";
import { type StaticSources, staticSources } from "../networks.ts";
import type { PlanFacts } from "../piece.ts";
import type { FurtherAttack, ResolvedAttack, ResolvedExperiment } from "../resolve.ts";

/** All attacks of a run: the experiment's own, then those that its analyses need. None where it only trains. */
export const attacksOf = ({ experiment, mode }: Pick<PlanFacts, "experiment" | "mode">): readonly (ResolvedAttack | FurtherAttack)[] =>
  mode === "train" ? [] : [...experiment.attacks, ...experiment.further];

export const isFurther = (attack: ResolvedAttack | FurtherAttack): attack is FurtherAttack => "images" in attack;

/** Test images that an attack is made on: all, or the first ones where an analysis wants no more. */
export const imagesOf = (attack: ResolvedAttack | FurtherAttack, n: number): number =>
  isFurther(attack) && attack.images > 0 ? Math.min(n, attack.images) : n;

const originOf = ({ entry, params }: ResolvedAttack) => entry.preparation?.origin(params) ?? "whitebox";

/** The attack knows the defence of an arm that it is run against; what was prepared elsewhere does not. */
export const isAdaptive = (attack: ResolvedAttack): boolean => originOf(attack) === "whitebox";

/** Which arms static images are made against; without a control arm where no attack makes any. */
export function sourcesOf({
  arms,
  attacks,
  further,
  control,
}: Pick<ResolvedExperiment, "arms" | "attacks" | "further" | "control">): StaticSources {
  const hasStatic = [...attacks, ...further].some((attack) => attack.knowledge !== "adaptive" && isAdaptive(attack));
  return staticSources(arms, typeof control === "string" ? control : control && hasStatic);
}

type Sources = Pick<PlanFacts, "sources" | "experiment" | "hasModel">;

const isSource = (arm: ResolvedArm, { sources, experiment }: Sources): boolean =>
  experiment.arms.some((other) => sources.of(other) === arm);

/** The attack is made on this arm. A static one is made on the arm's source alone; a control arm that no report shows is attacked by none. */
export const runsOn = (arm: ResolvedArm, attack: ResolvedAttack, facts: Sources): boolean =>
  arm.index < 0 ? isSource(arm, facts) : isMadeOn(arm, attack, facts);

const isMadeOn = (arm: ResolvedArm, attack: ResolvedAttack, facts: Sources): boolean =>
  attack.knowledge !== "static" || !isAdaptive(attack) || isUndefended(arm) || facts.sources.of(arm) === null || isSource(arm, facts);

/** The arm whose images this one is shown: where it is defended, or the control, and the attack is not static by itself. */
export function shownFrom(arm: ResolvedArm, attack: ResolvedAttack, { sources, hasModel }: Sources): ResolvedArm | null {
  if (arm.index < 0 || attack.knowledge === "adaptive" || !isAdaptive(attack)) return null;
  const source = isUndefended(arm) && arm !== sources.control ? null : sources.of(arm);
  return source && hasModel(source) ? source : null;
}

const noSource = (noun: string): BulwarkError =>
  new BulwarkError(
    "EXPERIMENT_INVALID",
    `A ${noun} of mode transfer is trained on an undefended arm, and the experiment has none.`,
    `Add an arm without a defence to "compare", or set "mode": "whitebox" for the ${noun}.`,
  );

/** @throws EXPERIMENT_INVALID, before anything is trained, for what is to be prepared on an undefended arm where there is none */
export function refuseWithoutSource(attacks: readonly ResolvedAttack[], hasUndefended: boolean): void {
  const transfer = hasUndefended ? undefined : attacks.find((attack) => originOf(attack) === "transfer");
  if (transfer?.entry.preparation) throw noSource(transfer.entry.preparation.noun);
}
