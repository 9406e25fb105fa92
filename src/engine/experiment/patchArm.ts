import { BulwarkError } from "../../shared/errors.ts";
import { armPatchStem } from "../../shared/runs.ts";
import { byPlace, type NamedImages } from "../evaluation/source.ts";
import { exists } from "../io/files.ts";
import { type AttackPatch, attackPatch } from "../patches/attackPatch.ts";
import { loadPatch } from "../patches/load.ts";
import { makePatch } from "../patches/makePatch.ts";
import { find } from "../registry.ts";
import { hashOf } from "./document.ts";
import type { RunEnvironment } from "./environment.ts";
import type { OpenArm } from "./openArm.ts";
import type { ResolvedArm, ResolvedAttack } from "./resolve.ts";

export const patchPiece = (arm: ResolvedArm, attack: ResolvedAttack): string => `patch:${arm.name}:${attack.key}`;

/** A patch is trained against this arm, and not taken from a file or from the undefended arm. */
export const trainsPatch = (attack: ResolvedAttack, isSource: boolean): boolean =>
  find("attack", attack.id).prepare !== undefined &&
  (attack.params["patch"] ?? "") === "" &&
  (attack.params["mode"] !== "transfer" || isSource);

/**
 * The patch that an attack puts to an arm, null for an attack without one: that of a file; in mode `transfer` the one that was trained on the
 * undefended arm, which runs first; in mode `whitebox` one that is trained on the arm itself, through its defence. It is trained on
 * training images and put to test images.
 * @throws EXPERIMENT_INVALID where there is no undefended arm to take it from
 */
export async function patchFor(arm: ResolvedArm, open: OpenArm, attack: ResolvedAttack, env: RunEnvironment): Promise<AttackPatch | null> {
  const entry = find("attack", attack.id);
  if (!entry.prepare) return null;
  const source = env.undefended.arm;
  const isGiven = (attack.params["patch"] ?? "") !== "";
  const isNothing = attack.params["area"] === 0;
  if (!isGiven && !isNothing && !trainsPatch(attack, arm === source)) return transferred(source, open, attack, env);
  const piece = patchPiece(arm, attack);
  env.meter.begin(piece);
  const { images, isOnItsOwn } = trainingImages(env);
  const stem = armPatchStem(arm.name, attack.key);
  const { id, params } = attack;
  const { seed } = env.experiment;
  const { modelHash, classifier } = open;
  const data = [env.data.trainSha256, images.name, images.size];
  const job = {
    attack: { id, params },
    model: classifier,
    modelName: arm.name,
    modelHash,
    images,
    seed,
    seedName: attack.key,
    backend: env.engine.backend,
    directory: env.store.directory,
    stem,
    key: hashOf({ id, params, modelHash, defense: arm.defense, data, seed, seedName: attack.key }),
    onStep: ({ step }: { readonly step: number }) => env.meter.report(step, Number(params["steps"])),
  };
  const made = await makePatch(job, env.ctx);
  env.meter.finish(piece);
  return attackPatch(made, params, { stem, isOnItsOwn });
}

/** The patch of the undefended arm; that arm has been attacked already. */
async function transferred(source: ResolvedArm | null, open: OpenArm, attack: ResolvedAttack, env: RunEnvironment): Promise<AttackPatch> {
  if (source === null) throw noSource();
  const stem = armPatchStem(source.name, attack.key);
  const file = env.store.file(`${stem}.json`);
  if (!(await exists(file)))
    throw new BulwarkError(
      "RUN_INVALID",
      `There is no patch of the arm ${source.name}, which was left out of this evaluation.`,
      'Run the whole experiment, or set "mode": "whitebox" for the patch.',
    );
  const { patch, document } = await loadPatch(file, open.classifier.inputShape, { area: 0, target: null });
  const made = { patch, document, gradientEvaluations: 0 };
  return attackPatch(made, attack.params, { stem, isOnItsOwn: trainingImages(env).isOnItsOwn });
}

/** The run's training images; its test images where it has none, which finding RB210 tells. */
function trainingImages(env: RunEnvironment): { readonly images: NamedImages; readonly isOnItsOwn: boolean } {
  const { id } = env.experiment.dataset;
  if (env.data.trainSize === 0) return { images: byPlace(env.data.test, `the test images of ${id}`), isOnItsOwn: true };
  return { images: { ...env.data.split(0).train, name: `the training images of ${id}` }, isOnItsOwn: false };
}

const noSource = (): BulwarkError =>
  new BulwarkError(
    "EXPERIMENT_INVALID",
    "A patch of mode transfer is trained on an undefended arm, and the experiment has none.",
    'Add an arm without a defence to "compare", or set "mode": "whitebox" for the patch.',
  );

/** @throws EXPERIMENT_INVALID before anything is trained */
export function refuseWithoutSource(attacks: readonly ResolvedAttack[], hasUndefended: boolean): void {
  const isTransfer = (attack: ResolvedAttack): boolean =>
    find("attack", attack.id).prepare !== undefined && attack.params["mode"] === "transfer" && (attack.params["patch"] ?? "") === "";
  if (!hasUndefended && attacks.some(isTransfer)) throw noSource();
}
