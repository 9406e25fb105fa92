import type { ArmAttack } from "./attackArm.ts";
import type { ResolvedArm } from "./resolve.ts";

/** The arm that static attacks are made against, and what came of them: filled while that arm, the first to run, is attacked. */
export interface Undefended {
  readonly arm: ResolvedArm | null;
  readonly attacks: Map<string, ArmAttack>;
}

export const isUndefended = (arm: ResolvedArm): boolean => arm.defense.id === "standard";

export const undefendedOf = (arms: readonly ResolvedArm[]): Undefended => ({ arm: arms.find(isUndefended) ?? null, attacks: new Map() });

/** The undefended arm first: what is transferred must have been made. */
export const runningOrder = (arms: readonly ResolvedArm[], { arm }: Undefended): ResolvedArm[] =>
  arm === null ? [...arms] : [arm, ...arms.filter((other) => other !== arm)];
