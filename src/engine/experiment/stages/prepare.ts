import { BulwarkError } from "../../../shared/errors.ts";
import { attackSurface } from "../../classifier/surface.ts";
import { documented, type Preparation } from "../../define/index.ts";
import { type PreparedAttack, prepare, preparedAttack } from "../../evaluation/prepare.ts";
import { defensesOf, type ResolvedArm } from "../arms.ts";
import { memoryOf, preparationCost } from "../costs.ts";
import { hashOf } from "../document.ts";
import type { RunEnvironment } from "../environment.ts";
import { networkKey, type StaticSources } from "../networks.ts";
import type { PlanFacts, Stage } from "../piece.ts";
import type { ResolvedAttack } from "../resolve.ts";
import { checkPreparation } from "./checks.ts";
import { attacksOf, runsOn } from "./knowledge.ts";
import { needsNetwork } from "./train.ts";

/** What an attack prepares, and where it gets it from with its parameters; null for one that prepares nothing. */
function preparationOf({ entry, params }: ResolvedAttack) {
  const { preparation } = entry;
  return preparation ? { preparation, origin: preparation.origin(params) } : null;
}

/** The arm on which an attack prepares itself for this one; null where its parameters say it all. */
function preparedOn(arm: ResolvedArm, attack: ResolvedAttack, sources: StaticSources): ResolvedArm | null {
  const origin = preparationOf(attack)?.origin;
  if (origin === undefined || origin === "parameters") return null;
  return origin === "transfer" ? (sources.of(arm) ?? arm) : arm;
}

/** The parameters that decide what an attack prepares, in words that are equal where they are. */
const decidedBy = ({ id, entry, params }: ResolvedAttack): string => {
  const decisive = entry.preparation?.decisive?.(params);
  return decisive ? JSON.stringify([id, decisive]) : "";
};

/** The attack under whose name a preparation is kept: the first of those that share it. */
function holderOf(attack: ResolvedAttack, facts: PlanFacts): ResolvedAttack {
  const decided = decidedBy(attack);
  return (decided !== "" && attacksOf(facts).find((other) => decidedBy(other) === decided)) || attack;
}

const keyOf = (noun: string, arm: ResolvedArm, attack: ResolvedAttack): string => `prepare:${noun}:${arm.name}:${attack.key}`;

/** The piece in which an attack on an arm is prepared; none where nothing is, or its parameters say it all. */
export function needsPreparation(arm: ResolvedArm, attack: ResolvedAttack, facts: PlanFacts): string[] {
  const on = preparedOn(arm, attack, facts.sources);
  const { preparation } = attack.entry;
  return on && preparation && facts.hasModel(on) ? [keyOf(preparation.noun, on, holderOf(attack, facts))] : [];
}

/** What an attack makes once for many images: a patch, a substitute model. */
export const prepareStage: Stage = {
  kind: "prepare",
  pieces(arm, facts) {
    return attacksOf(facts).flatMap((attack) => {
      const { preparation } = attack.entry;
      if (!preparation || !runsOn(arm, attack, facts) || preparedOn(arm, attack, facts.sources) !== arm) return [];
      if (holderOf(attack, facts) !== attack) return [];
      return [
        {
          key: keyOf(preparation.noun, arm, attack),
          stage: "prepare" as const,
          phase: `Training a ${preparation.noun} against ${arm.name}`,
          arm: arm.name,
          attack: attack.key,
          needs: needsNetwork(arm, facts),
          cost: preparationCost(arm, preparation, attack.params, facts),
          network: networkKey(arm),
          memory: memoryOf(facts.inputShape, 16),
          device: "evaluate" as const,
          check: (env: RunEnvironment) => checkPreparation(arm, attack, env),
          async run(env: RunEnvironment) {
            const made = await makeOrLoad(arm, attack, preparation, env);
            preparation.dispose?.(made);
          },
        },
      ];
    });
  },
};

/** Prepares an attack on an arm, or takes from the run folder what was prepared in just this way. */
async function makeOrLoad(arm: ResolvedArm, attack: ResolvedAttack, preparation: Preparation, env: RunEnvironment): Promise<unknown> {
  const { classifier, modelHash } = await env.networks.open(arm);
  const { images } = env.data.preparation;
  const { id, params } = documented(attack);
  const { key: seedName } = holderOf(attack, env.facts);
  const { seed } = env.experiment;
  const data = [env.data.trainSha256, images.name, images.size];
  const job = {
    attack: { id, params },
    preparation,
    model: attackSurface(classifier, "adaptive").model,
    modelName: env.facts.layout.modelName(arm),
    modelHash,
    images,
    seed,
    seedName,
    backend: env.engine.backend,
    directory: env.store.directory,
    onSaved: (names: readonly string[]) => {
      for (const name of names) env.store.output(name);
    },
    stem: env.facts.layout.preparation(preparation.noun, arm, seedName),
    key: hashOf({ id, params: preparation.decisive?.(params) ?? params, modelHash, defense: defensesOf(arm), data, seed, seedName }),
    onStep: ({ done, total }: { readonly done: number; readonly total: number }) => env.meter.report(done, total),
  };
  return prepare(job, env.ctx);
}

/**
 * What an attack has prepared before it is run against an arm, null for an attack that prepares nothing. The caller disposes it.
 * @throws RUN_INVALID where the arm that it is taken from was left out of the run
 */
export async function preparedFor(arm: ResolvedArm, attack: ResolvedAttack, env: RunEnvironment): Promise<PreparedAttack | null> {
  const { preparation } = attack.entry;
  if (!preparation) return null;
  const { params } = documented(attack);
  const { isOnItsOwn } = env.data.preparation;
  const on = preparedOn(arm, attack, env.facts.sources);
  const stem = env.facts.layout.preparation(preparation.noun, on ?? arm, holderOf(attack, env.facts).key);
  if (on === null || on === arm) {
    const own = await makeOrLoad(arm, attack, preparation, env);
    return preparedAttack(preparation, own, params, { stem, isOnItsOwn });
  }
  const { classifier } = await env.networks.open(arm);
  const { inputShape, classes } = classifier;
  const transferred = await preparation.load(env.store.directory, stem, { inputShape, classes });
  if (transferred === null) throw leftOut(preparation.noun, on.name);
  return preparedAttack(preparation, transferred, params, { stem, isOnItsOwn, transferred: true });
}

const leftOut = (noun: string, arm: string): BulwarkError =>
  new BulwarkError(
    "RUN_INVALID",
    `There is no ${noun} of the arm ${arm}, which was left out of this evaluation.`,
    `Run the whole experiment, or set "mode": "whitebox" for the ${noun}.`,
  );
