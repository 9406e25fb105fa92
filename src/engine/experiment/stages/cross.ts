import type { CrossedAttack } from "../../define/analysis.ts";
import type { ResolvedArm } from "../arms.ts";
import type { RunEnvironment } from "../environment.ts";
import type { Piece, PlanFacts } from "../piece.ts";
import type { ResolvedAnalysis, ResolvedAttack } from "../resolve.ts";
import { attacksOf, runsOn, shownFrom } from "./knowledge.ts";
import { transferPieces, transferRecords } from "./transfer.ts";

/** An attack with the arm that its images were made on and another one that they are shown to. */
interface Crossing {
  readonly attack: ResolvedAttack;
  readonly madeOn: ResolvedArm;
  readonly shownTo: ResolvedArm;
}

const attacksNamed = (keys: readonly string[], facts: PlanFacts): ResolvedAttack[] =>
  attacksOf(facts).filter(({ key }) => keys.includes(key));

/** Every pair of different arms of the report, for each of the attacks; all that one arm is shown comes together, as its network is open then. */
function crossings(attacks: readonly ResolvedAttack[], facts: PlanFacts): Crossing[] {
  const arms = facts.experiment.arms.filter(facts.hasModel);
  return arms.flatMap((shownTo) =>
    attacks.flatMap((attack) =>
      arms.filter((arm) => arm !== shownTo && runsOn(arm, attack, facts)).map((madeOn) => ({ attack, madeOn, shownTo })),
    ),
  );
}

const crossedAttacks = (facts: PlanFacts): ResolvedAttack[] =>
  attacksNamed(
    facts.experiment.analyses.flatMap(({ entry, further }) => (entry.isCrossed ? further : [])),
    facts,
  );

/**
 * Each arm shown what the attacks left on every other one, where an analysis asks for it. Images made without a defence are shown to it by
 * the transfer stage already.
 */
export const crossPieces = (facts: PlanFacts): Piece[] =>
  crossings(crossedAttacks(facts), facts)
    .filter(({ attack, madeOn, shownTo }) => shownFrom(shownTo, attack, facts) !== madeOn)
    .flatMap(({ attack, madeOn, shownTo }) => transferPieces(shownTo, madeOn, attack, facts));

const recordsOf = (attacks: readonly ResolvedAttack[], env: RunEnvironment): Promise<CrossedAttack[]> =>
  Promise.all(
    crossings(attacks, env.facts).map(async ({ attack, madeOn, shownTo }) => {
      const records = (await transferRecords(shownTo, madeOn, attack, env)) ?? [];
      return { key: attack.key, madeOn: madeOn.name, shownTo: shownTo.name, records };
    }),
  );

/** What came of the crossings that one analysis asked for. */
export const crossedRecords = ({ further }: ResolvedAnalysis, env: RunEnvironment): Promise<CrossedAttack[]> =>
  recordsOf(attacksNamed(further, env.facts), env);

/** Those of all analyses. */
export const allCrossed = (env: RunEnvironment): Promise<CrossedAttack[]> => recordsOf(crossedAttacks(env.facts), env);
