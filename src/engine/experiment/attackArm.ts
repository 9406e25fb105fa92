import type { AttackDocument, AttackSummary, ImageRecord } from "../../shared/results.ts";
import { armAdversarialFile, armRecordsFile, slug } from "../../shared/runs.ts";
import { attackSurface } from "../classifier/surface.ts";
import { documented, labelOf } from "../define/index.ts";
import type { EvaluationImages } from "../evaluation/batches.ts";
import { evaluateAttack } from "../evaluation/evaluate.ts";
import { PartialBatches } from "../evaluation/partial.ts";
import { controlRecords, type PreparedAttack, withPreparation } from "../evaluation/prepare.ts";
import { attackDocument, writeAdversarial, writeThumbnails } from "../evaluation/write.ts";
import { summarizeAttack } from "../harness/summarize.ts";
import { exists, readText } from "../io/files.ts";
import { stepOf } from "../rules/step.ts";
import { defensesOf, type ResolvedArm } from "./arms.ts";
import { hashOf } from "./document.ts";
import type { RunEnvironment } from "./environment.ts";
import { tell, whereOf } from "./judge.ts";
import type { OpenArm } from "./openArm.ts";
import { prepareArm } from "./prepareArm.ts";
import type { FurtherAttack, ResolvedAttack } from "./resolve.ts";

/** A finished attack on an arm; its pictures are in `file`, relative to the run folder. */
export interface ArmAttack {
  readonly arm: string;
  readonly attack: ResolvedAttack;
  readonly document: AttackDocument;
  readonly summary: AttackSummary;
  readonly file: string;
  /** The same attack on the undefended arm, and its images as this arm classifies them; beside an adaptive attack alone. */
  readonly transferred?: { readonly undefended: readonly ImageRecord[]; readonly transferred: readonly ImageRecord[] };
}

export const attackPiece = (arm: ResolvedArm, attack: ResolvedAttack): string => `attack:${arm.name}:${attack.key}`;

/** One attack of the experiment on one arm: taken from the folder when it was finished there, gone on with when it was begun. */
export async function attackArm(
  arm: ResolvedArm,
  open: OpenArm,
  attack: ResolvedAttack | FurtherAttack,
  env: RunEnvironment,
): Promise<ArmAttack> {
  const { store, meter } = env;
  const piece = attackPiece(arm, attack);
  const records = armRecordsFile(arm.index, arm.name, attack.key);
  const file = armAdversarialFile(arm.index, arm.name, attack.key);
  if (store.state.completed.includes(piece) && (await exists(store.file(records)))) {
    const document = JSON.parse(await readText(store.file(records))) as AttackDocument;
    meter.finish(piece, true);
    return { arm: arm.name, attack, document, summary: summaryOf(document), file };
  }
  const prepared = await prepareArm(arm, open, attack, env);
  meter.begin(piece);
  const images = imagesOf(attack, env);
  const partial = new PartialBatches(store.file(partialFolder(arm, open, attack, prepared, env)));
  const bound = { ...attack, params: prepared?.params ?? attack.params };
  const task = { attack: bound, model: open.classifier, surface: attackSurface(open.classifier, "adaptive").model, images };
  const onProgress = (done: number, total: number): void => meter.report(done, total);
  const evaluated = await evaluateAttack({ ...task, prepared: prepared?.prepared, partial, onProgress }, env.ctx);
  const control = prepared ? await controlRecords(prepared, task, env.ctx) : undefined;
  const called = { attack: documented(bound), key: attack.key, label: labelOf(bound) };
  const made = { ...called, defenses: defensesOf(arm), backend: env.engine.backend, seed: env.experiment.seed };
  const judged = { where: whereOf(arm, attack.key, env), control, isOnItsOwn: prepared?.isOnItsOwn, step: stepOf(bound) };
  const summarized = summarizeAttack(evaluated.outcomes, made, judged);
  const summary = prepared ? withPreparation(summarized, prepared, control) : summarized;
  const document = attackDocument(store.id, summary, evaluated, file);
  await writeAdversarial(store.file(file), evaluated, images.inputShape);
  if (!isFurther(attack) && arm.index >= 0)
    await writeThumbnails(store, evaluated, images.inputShape, { arm: arm.name, attack: attack.key });
  await store.writeJson(records, document);
  await store.complete(piece);
  await partial.remove();
  prepared?.preparation.dispose?.(prepared.prepared);
  meter.finish(piece);
  announce(arm, attack, summary, env);
  return { arm: arm.name, attack, document, summary, file };
}

export const isFurther = (attack: ResolvedAttack | FurtherAttack): attack is FurtherAttack => "images" in attack;

/** All test images, or the first ones where an analysis wants no more. */
export function imagesOf(attack: ResolvedAttack | FurtherAttack, env: RunEnvironment): EvaluationImages {
  const { test } = env.data;
  return isFurther(attack) && attack.images > 0 ? { ...test, n: Math.min(test.n, attack.images) } : test;
}

/** Batches are only good for the same weights, attack and images. */
function partialFolder(
  arm: ResolvedArm,
  open: OpenArm,
  attack: ResolvedAttack,
  prepared: PreparedAttack | null,
  env: RunEnvironment,
): string {
  const key = hashOf({
    model: open.modelHash,
    attack: documented(attack),
    front: defensesOf(arm),
    prepared: prepared?.hash,
    test: env.data.test.n,
    data: env.data.sha256,
    seed: env.experiment.seed,
  });
  return `partial/${slug(arm.name)}-${slug(attack.key)}-${key.slice(0, 12)}`;
}

function announce(arm: ResolvedArm, attack: ResolvedAttack | FurtherAttack, summary: AttackSummary, env: RunEnvironment): void {
  env.emit({
    kind: "attacked",
    arm: arm.name,
    attack: attack.key,
    cleanAccuracy: summary.clean.accuracy,
    attackedAccuracy: summary.attacked.accuracy,
    successRate: summary.successRate,
    seconds: summary.seconds,
  });
  if (isFurther(attack)) return; // the points of a curve are not judged one by one
  if (arm.index < 0) return; // nor an arm that no report shows
  tell(summary.findings, env);
}

function summaryOf(document: AttackDocument): AttackSummary {
  const { run: _run, images: _images, files: _files, ...summary } = document;
  return summary;
}
