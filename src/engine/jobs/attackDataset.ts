import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { RunEventBody } from "../../shared/events.ts";
import { percent } from "../../shared/format.ts";
import type { AttackDocument, AttackSummary, Choice, Finding, ImageRecord } from "../../shared/results.ts";
import { runFiles, slug } from "../../shared/runs.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { attackSurface } from "../classifier/surface.ts";
import { type RunContext, stoppedBy } from "../context.ts";
import { type Attack, type Bound, documented, labelOf, type Split } from "../define/index.ts";
import type { EvaluationImages } from "../evaluation/batches.ts";
import { checkShape } from "../evaluation/dataset.ts";
import { type Evaluated, evaluateAttack, recordsOf } from "../evaluation/evaluate.ts";
import { controlRecords, type PreparedAttack, prepare, preparedAttack, withPreparation } from "../evaluation/prepare.ts";
import { type OpenedImages, openImages } from "../evaluation/source.ts";
import { transferred } from "../evaluation/transfer.ts";
import { attackDocument, writeAdversarial, writePicture, writeThumbnails } from "../evaluation/write.ts";
import { hashOf } from "../experiment/document.ts";
import { summarizeAttack } from "../harness/summarize.ts";
import { createRun, type RunStore, readRunEvents, settle } from "../io/runStore.ts";
import { bind } from "../registry.ts";
import { comparedFindings } from "../rules/compare.ts";
import { armRules, pairRules } from "../rules/index.ts";
import { findingsOf } from "../rules/rule.ts";
import { deviceFindings, watchingDevice } from "../session/deviceWarnings.ts";
import type { Engine } from "../session/engine.ts";
import { behindDefenses } from "../session/frontDefenses.ts";
import { openModel } from "../session/openModel.ts";

export interface AttackDatasetParams {
  readonly model: string;
  /** Picture files; or else `dataset`, as `kind` or `kind:path`. */
  readonly images: readonly string[];
  readonly dataset: string | null;
  readonly split: Split;
  readonly limit: number | null;
  readonly attack: Choice;
  /** Put in front of the model, the first met first by an image. */
  readonly defenses: readonly Choice[];
  /** `static`: the images are made without the defence, then shown to the defended model. */
  readonly mode: "adaptive" | "static" | null;
  /** Undefended model that static images are made against; the model without `defenses` when left out. */
  readonly surrogate?: string | undefined;
  readonly seed: number;
  readonly workspace: string;
  readonly directory?: string | undefined;
  /** Replaces what lies in `directory`. */
  readonly force?: boolean | undefined;
}

/** One attack on a data set or some pictures: `result.json`, `adversarial.npz` and `images/` in a run folder. */
export async function attackDataset(
  p: AttackDatasetParams,
  engine: Engine,
  ctx: RunContext,
): Promise<{ readonly directory: string; readonly document: AttackDocument }> {
  const attack = bind("attack", { kind: p.attack.id, ...p.attack.params });
  const { model, source, sourceHash } = await openModels(p, engine, ctx);
  const choice = { files: p.images, dataset: p.dataset, split: p.split, limit: p.limit, workspace: p.workspace };
  const images = await openImages(choice, model, p.model, ctx);
  try {
    const title = `${attack.id} ${p.dataset ?? p.images.map((file) => path.basename(file)).join(" ")}`;
    const { workspace, directory, force, ...asked } = p;
    const request = { ...asked, attack: documented(attack), workspace, contract: engine.contract };
    const store = await createRun({ workspace, directory, kind: "attack", title, request, force });
    const own = stoppedBy(store.lock.signal, ctx);
    const tell = (event: RunEventBody): void => ctx.emit(store.append(event));
    return await settle(
      store,
      () => watchingDevice(tell, () => evaluateInto(store, { attack, model, source, sourceHash, images, p, engine }, own)),
      (event) => store.append(event),
    );
  } finally {
    await images.close();
  }
}

interface Evaluation {
  readonly attack: Bound<Attack>;
  readonly model: Classifier;
  /** What is attacked: the model itself, or the undefended one that static images are made against. */
  readonly source: Classifier;
  readonly sourceHash: string;
  readonly images: OpenedImages;
  readonly p: AttackDatasetParams;
  readonly engine: Engine;
}

async function evaluateInto(store: RunStore, e: Evaluation, ctx: RunContext): Promise<{ directory: string; document: AttackDocument }> {
  const { model, source, p, engine } = e;
  const { images } = e.images;
  const { backend, device } = engine;
  const arm = "attacked";
  store.append({ kind: "started", run: store.id, title: store.state.title, backend, device, arms: [arm] });
  const prepared = await prepareFor(store, e, ctx);
  const attack = prepared ? { ...e.attack, params: prepared.params } : e.attack;
  const onProgress = (done: number, total: number): void => report(ctx, done, total, attack.entry.title);
  const attacked = await evaluateAttack(
    {
      attack: { ...attack, key: attack.id },
      model: source,
      surface: attackSurface(source, "adaptive").model,
      images,
      prepared: prepared?.prepared,
      onProgress,
    },
    ctx,
  );
  const isStatic = model !== source;
  const target = attack.entry.target?.(attack.params) ?? null;
  const evaluated = isStatic ? await transferred(attacked, model, target, ctx) : attacked;
  const task = { attack: { ...attack, key: attack.id }, model, images };
  const control = prepared ? await controlRecords(prepared, task, ctx) : undefined;
  const facts = { attack: documented(attack), key: attack.id, label: labelOf(attack), defenses: model.defenses, backend, seed: p.seed };
  const bare = summarizeAttack(evaluated.outcomes, facts, { control, isOnItsOwn: prepared?.isOnItsOwn });
  const summarized = prepared ? withPreparation(bare, prepared, control) : bare;
  const failures = deviceFindings(await readRunEvents(store.directory));
  const summary = { ...summarized, ...knowledgeOf(e, summarized) };
  const records = recordsOf(evaluated);
  const whole = findingsOf(armRules, { departures: [], clean: records, unbounded: null }, {});
  const findings = [...summary.findings, ...(isStatic ? staticFindings(attack, records) : []), ...whole, ...failures];
  await writeAdversarial(store.file(runFiles.adversarial), evaluated, images.inputShape);
  await writeThumbnails(store, evaluated, images.inputShape, { arm, attack: attack.id });
  await writeNamed(store, evaluated, p.images, images.inputShape);
  const document = attackDocument(store.id, { ...summary, findings }, evaluated, runFiles.adversarial);
  await store.writeJson(runFiles.result, document);
  await store.update({ headline: `${attack.id}: ${percent(summary.clean.accuracy)} → ${percent(summary.attacked.accuracy)}` });
  store.append({ kind: "done", report: runFiles.result });
  prepared?.preparation.dispose?.(prepared.prepared);
  if (isStatic && source !== model.bare) source.dispose(); // the network behind a defence is the model's own
  model.dispose();
  return { directory: store.directory, document };
}

/** Pictures that were named are written under their own names. */
async function writeNamed(store: RunStore, e: Evaluated, files: readonly string[], shape: EvaluationImages["inputShape"]): Promise<void> {
  for (const [index, file] of files.entries()) {
    const stem = slug(path.basename(file, path.extname(file)));
    await writePicture(store.file(`${runFiles.images}/${index}-${stem}-adversarial.png`), e.adversarial, index, shape);
  }
}

/**
 * What an attack prepares, made on the model that is attacked (for static images the undefended one), from images that it is not judged
 * on where the data set has such.
 */
async function prepareFor(store: RunStore, e: Evaluation, ctx: RunContext): Promise<PreparedAttack | null> {
  const { model, source, images, p, engine } = e;
  const { id } = e.attack;
  const { preparation } = e.attack.entry;
  if (!preparation) return null;
  const params = preparation.madeOn?.(e.attack.params, source === model ? "whitebox" : "transfer") ?? e.attack.params;
  const attack = documented({ ...e.attack, params });
  const training = images.training ?? images.chosen;
  const { seed } = p;
  const stem = preparation.noun;
  const job = {
    attack,
    preparation,
    model: source,
    modelName: path.basename(p.surrogate ?? p.model),
    modelHash: e.sourceHash,
    images: training,
    seed,
    key: hashOf({ attack, model: e.sourceHash, defenses: source.defenses, images: training.name, size: training.size, seed }),
    seedName: id,
    backend: engine.backend,
    directory: store.directory,
    stem,
    onStep: ({ done, total }: { readonly done: number; readonly total: number }) => report(ctx, done, total, `Training the ${stem}`),
  };
  const prepared = await prepare(job, ctx);
  return preparedAttack(preparation, prepared, params, { stem, isOnItsOwn: images.training === null });
}

/** What the attack knew of the model's defences. */
function knowledgeOf({ model, source, p }: Evaluation, { defenses }: AttackSummary): Partial<AttackSummary> {
  if (source !== model)
    return { mode: "static", how: p.surrogate === undefined ? attackSurface(model, "static").how : `the model ${p.surrogate}` };
  return defenses?.length ? { mode: "adaptive", how: attackSurface(model, "adaptive").how } : {};
}

/** A static attack is never the last word on a defence: a finding says so. */
function staticFindings({ id, entry, params }: Bound<Attack>, records: readonly ImageRecord[]): Finding[] {
  const named = { arm: "", id, key: id, name: id, iterative: entry.iterative, ball: null, target: entry.target?.(params) ?? null };
  return comparedFindings(pairRules, [{ ...named, records, knowledge: "static" }]).map(({ arm: _arm, ...finding }) => finding);
}

interface Opened {
  readonly model: Classifier;
  readonly source: Classifier;
  readonly sourceHash: string;
}

/** @throws USAGE where there is no defence to know of or to leave out. */
async function openModels(p: AttackDatasetParams, engine: Engine, ctx: RunContext): Promise<Opened> {
  const { classifier, sha256 } = await openModel(p.model, { contract: engine.contract });
  const model = await behindDefenses(classifier, p.defenses, ctx.rng);
  const own = { model, source: model, sourceHash: sha256 };
  if (p.mode === null) return own;
  const carried = model.defenses.filter(({ id }) => id !== "standard").at(-1);
  if (!carried)
    throw new BulwarkError("USAGE", `${p.model} has no defence.`, "Leave out --static and --adaptive, or put one in front with --defense.");
  if (p.mode === "adaptive") return own;
  if (p.surrogate === undefined && p.defenses.length === 0)
    throw new BulwarkError(
      "USAGE",
      `The defence ${carried.id} is trained into ${p.model}: it cannot be left out.`,
      "Name an undefended model that the images are made against with --surrogate.",
    );
  if (p.surrogate === undefined) return { model, source: classifier, sourceHash: sha256 };
  const other = await openModel(p.surrogate);
  checkShape(other.classifier, model.inputShape, p.surrogate);
  if (other.classifier.classes !== model.classes)
    throw new BulwarkError(
      "MODEL_INVALID",
      `${p.surrogate} has ${other.classifier.classes} classes, ${p.model} has ${model.classes}.`,
      "Name a model of the same classes.",
    );
  return { model, source: other.classifier, sourceHash: other.sha256 };
}

function report(ctx: RunContext, done: number, total: number, title: string): void {
  ctx.emit({ kind: "progress", phase: title, done, total, etaSeconds: null, overall: done / total });
}
