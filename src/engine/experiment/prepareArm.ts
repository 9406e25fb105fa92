import { BulwarkError } from "../../shared/errors.ts";
import { armPreparationStem } from "../../shared/runs.ts";
import { documented, type Preparation } from "../define/index.ts";
import { type PreparedAttack, prepare, preparedAttack } from "../evaluation/prepare.ts";
import { byPlace, type NamedImages } from "../evaluation/source.ts";
import { defensesOf, type ResolvedArm } from "./arms.ts";
import { hashOf } from "./document.ts";
import type { RunEnvironment } from "./environment.ts";
import type { OpenArm } from "./openArm.ts";
import type { ResolvedAttack } from "./resolve.ts";

/** What an attack prepares, and where it gets it from with its parameters; null for one that prepares nothing. */
function preparationOf({ entry, params }: ResolvedAttack) {
  const { preparation } = entry;
  return preparation ? { preparation, origin: preparation.origin(params) } : null;
}

/** The piece of a run in which the attack prepares itself against this arm; null where it needs none here. */
export function preparePiece(arm: ResolvedArm, attack: ResolvedAttack, isSource: boolean) {
  const found = preparationOf(attack);
  if (!found || found.origin === "parameters" || (found.origin === "transfer" && !isSource)) return null;
  const { noun, cost } = found.preparation;
  return { key: `${noun}:${arm.name}:${attack.key}`, phase: `Training a ${noun} against ${arm.name}`, cost: cost(attack.params) };
}

/** The attack knows the defence of an arm that it is run against; what was prepared elsewhere does not. */
export const isAdaptive = (attack: ResolvedAttack): boolean => (preparationOf(attack)?.origin ?? "whitebox") === "whitebox";

/**
 * What an attack has prepared before it is run against an arm, null for an attack that prepares nothing: from its parameters, from the
 * undefended arm, which runs first, or made on the arm itself, through its defence. It is made from training images and judged on test
 * images.
 * @throws EXPERIMENT_INVALID where there is no undefended arm to take it from
 */
export async function prepareArm(
  arm: ResolvedArm,
  open: OpenArm,
  attack: ResolvedAttack,
  env: RunEnvironment,
): Promise<PreparedAttack | null> {
  const found = preparationOf(attack);
  if (!found) return null;
  const { preparation, origin } = found;
  const source = env.sources.of(arm);
  if (origin === "transfer" && source !== null) return transferred(preparation, source, open, attack, env);
  const piece = preparePiece(arm, attack, source === null);
  if (piece) env.meter.begin(piece.key);
  const { images, isOnItsOwn } = trainingImages(env);
  const stem = armPreparationStem(preparation.noun, arm.name, attack.key);
  const { id, params } = documented(attack);
  const { seed } = env.experiment;
  const { modelHash, classifier } = open;
  const data = [env.data.trainSha256, images.name, images.size];
  const job = {
    attack: { id, params },
    preparation,
    model: classifier,
    modelName: arm.name,
    modelHash,
    images,
    seed,
    seedName: attack.key,
    backend: env.engine.backend,
    directory: env.store.directory,
    stem,
    key: hashOf({ id, params, modelHash, defense: defensesOf(arm), data, seed, seedName: attack.key }),
    onStep: ({ done, total }: { readonly done: number; readonly total: number }) => env.meter.report(done, total),
  };
  const prepared = await prepare(job, env.ctx);
  if (piece) env.meter.finish(piece.key);
  return preparedAttack(preparation, prepared, params, { stem, isOnItsOwn });
}

/** What the undefended arm prepared; that arm has been attacked already. */
async function transferred(
  preparation: Preparation,
  source: ResolvedArm,
  { classifier }: OpenArm,
  attack: ResolvedAttack,
  env: RunEnvironment,
): Promise<PreparedAttack> {
  const { noun } = preparation;
  const stem = armPreparationStem(noun, source.name, attack.key);
  const { inputShape, classes } = classifier;
  const prepared = await preparation.load(env.store.directory, stem, { inputShape, classes });
  if (prepared === null)
    throw new BulwarkError(
      "RUN_INVALID",
      `There is no ${noun} of the arm ${source.name}, which was left out of this evaluation.`,
      `Run the whole experiment, or set "mode": "whitebox" for the ${noun}.`,
    );
  return preparedAttack(preparation, prepared, attack.params, { stem, isOnItsOwn: trainingImages(env).isOnItsOwn, transferred: true });
}

/** The run's training images; its test images where it has none, which finding RB210 tells. */
function trainingImages(env: RunEnvironment): { readonly images: NamedImages; readonly isOnItsOwn: boolean } {
  const { id } = env.experiment.dataset;
  if (env.data.trainSize === 0) return { images: byPlace(env.data.test, `the test images of ${id}`), isOnItsOwn: true };
  return { images: { ...env.data.split(0).train, name: `the training images of ${id}` }, isOnItsOwn: false };
}

const noSource = (noun: string): BulwarkError =>
  new BulwarkError(
    "EXPERIMENT_INVALID",
    `A ${noun} of mode transfer is trained on an undefended arm, and the experiment has none.`,
    `Add an arm without a defence to "compare", or set "mode": "whitebox" for the ${noun}.`,
  );

/** @throws EXPERIMENT_INVALID before anything is trained */
export function refuseWithoutSource(attacks: readonly ResolvedAttack[], hasUndefended: boolean): void {
  if (hasUndefended) return;
  const transfer = attacks.map(preparationOf).find((found) => found?.origin === "transfer");
  if (transfer) throw noSource(transfer.preparation.noun);
}
