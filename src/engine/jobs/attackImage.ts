import path from "node:path";
import type { AppliedFit } from "../../shared/fit.ts";
import type { AttackImageParams, AttackImageResult, AttackImageUpdate, ClassScore, ImageState, MadeBy } from "../../shared/protocol.ts";
import { runFiles } from "../../shared/runs.ts";
import { verdictOf } from "../../shared/verdict.ts";
import { differenceBytes } from "../attention/colour.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { frontNotes } from "../classifier/defended.ts";
import { requireAccess, requirePreparation } from "../classifier/forwardOnly.ts";
import { sliceNotes } from "../classifier/slices.ts";
import { attackSurface } from "../classifier/surface.ts";
import { type RunContext, stoppedBy } from "../context.ts";
import { fileIdentity } from "../datasets/identity.ts";
import type { PictureLabel } from "../datasets/pictureLabel.ts";
import { type Attack, asks, type Bound, documented, labelOf } from "../define/index.ts";
import { argmax } from "../evaluation/clean.ts";
import { classScores, readPicture } from "../evaluation/picture.ts";
import { trueLabel, wordsOfClass } from "../evaluation/trueLabel.ts";
import { writeAdversarial, writePicture } from "../evaluation/write.ts";
import { probabilities } from "../harness/predict.ts";
import { attackBatch } from "../harness/runAttack.ts";
import { summarizeAttack } from "../harness/summarize.ts";
import type { BatchOutcome } from "../harness/types.ts";
import { decodeImage } from "../io/decode.ts";
import { readBytes } from "../io/files.ts";
import { writePng } from "../io/png.ts";
import { createRun, type RunStore, settle } from "../io/runStore.ts";
import { fromBytes } from "../pixels.ts";
import { bind } from "../registry.ts";
import { datasetDocument, writeDataset } from "../report/datasetFile.ts";
import { writeLedger } from "../report/ledgerFile.ts";
import { deviceFindings, watchingDevice } from "../session/deviceWarnings.ts";
import type { Engine } from "../session/engine.ts";
import { version } from "../session/version.ts";
import { TraceRecorder } from "./attackTrace.ts";
import { commandLine } from "./commandLine.ts";
import { forImage, inspectedModel } from "./inspected.ts";
import { headlineOf, scoreOf } from "./labelRun.ts";
import { modelHash, pictureText } from "./provenance.ts";

/** What one attack on one picture is made of. */
interface Task {
  readonly p: AttackImageParams;
  readonly attack: Bound<Attack>;
  readonly model: Classifier;
  readonly pixels: Float32Array;
  /** Null where nobody knows the label. */
  readonly truth: PictureLabel | null;
  /** The model's file, for the provenance. */
  readonly source: MadeBy["model"];
  readonly notes: readonly string[];
  readonly fit: AppliedFit | null;
  readonly engine: Engine;
  readonly store: RunStore;
  readonly update: (update: AttackImageUpdate) => void;
}

/**
 * Attacks one picture, through the defences that stand in front of the model: `original.png adversarial.png difference.png
 * adversarial.npz iterates.npz result.json` in a run folder, all at the model's own size. Updates stream while it goes on.
 * @throws MODEL_FORWARD_ONLY, IMAGE_INVALID, IMAGE_SIZE, LABEL_RANGE, PARAMETER_INVALID, UNKNOWN_ID, DEFENSE_INVALID, CANCELLED
 */
export async function attackImage(
  p: AttackImageParams,
  engine: Engine,
  ctx: RunContext,
  update: (update: AttackImageUpdate) => void,
): Promise<AttackImageResult> {
  const chosen = bind("attack", { ...p.attack.params, kind: p.attack.id });
  const params = chosen.entry.preparation?.madeOn?.(chosen.params, "whitebox") ?? chosen.params; // it is made on the model in front of it
  const attack = { ...chosen, params };
  const defenses = p.defenses ?? [];
  const model = await inspectedModel({ model: p.model, defenses }, engine, ctx);
  requireAccess(attack.entry, params, model);
  requirePreparation(attack.entry, params, model);
  const picture = await readPicture(p.image, model, p.fit);
  const { label: truth, notes: doubts } = await trueLabel(p.image, p.label, model);
  const { pixels, fit } = picture;
  const source = {
    file: nameOf(p.model),
    sha256: await modelHash(await engine.model(p.model), p.model),
  };
  const notes = [...picture.notes, ...doubts, ...sliceNotes(model), ...frontNotes([model.front ?? []], model.inputShape)];
  const title = `${labelOf(attack)} on ${path.basename(p.image)}`;
  const store = await createRun({ workspace: p.directory, directory: p.directory, kind: "attack", title });
  return settle(
    store,
    () =>
      watchingDevice(store.append, () =>
        attackInto({ p, attack, model, pixels, truth, source, notes, fit, engine, store, update }, stoppedBy(store.lock.signal, ctx)),
      ),
    (event) => store.append(event),
  );
}

/** Of the folder that the model's file lies in: every file is called model.json. */
const nameOf = (model: string): string => path.basename(model.endsWith(".json") ? path.dirname(path.resolve(model)) : path.resolve(model));

async function attackInto(task: Task, ctx: RunContext): Promise<AttackImageResult> {
  const { model, pixels, store, attack } = task;
  const shape = model.inputShape;
  const before = await probabilities(forImage(model, ctx), pixels);
  const label = task.truth?.index ?? argmax(before, 0, model.classes);
  const scoresBefore = classScores(before, model);
  await writePicture(store.file("original.png"), pixels, 0, shape);
  task.update({ kind: "clean", size: shape, image: "original.png", prediction: top(scoresBefore) });
  const trace = new TraceRecorder({ store, model, clean: pixels, label, update: task.update });
  const batch = { images: pixels, labels: Int32Array.of(label), n: 1 };
  const { model: surface, how } = attackSurface(model, "adaptive", { asked: asks(attack.entry, attack.params) });
  const what = { attack: attack.entry, params: attack.params, model, surface, seedName: attack.id };
  const outcome = await attackBatch({ ...what, batch, firstIndex: 0, trace: trace.point }, ctx);
  const difference = differenceBytes(pixels, outcome.adversarial, shape[2]);
  await writePng(store.file("difference.png"), difference.bytes, shape[0], shape[1], 3);
  const after = await probabilities(forImage(model, ctx), outcome.adversarial);
  await writePicture(store.file("adversarial.png"), outcome.adversarial, 0, shape);
  const readBack = await probabilities(forImage(model, ctx), await readPixels(store.file("adversarial.png")));
  const done = resultOf(task, outcome, {
    label,
    before: state("original.png", scoresBefore),
    after: state("adversarial.png", classScores(after, model)),
    inFile: top(classScores(readBack, model)),
    differenceMax: difference.max,
    trace: await trace.finish(outcome.records[0]?.target ?? null),
    how: model.bare ? how : null,
  });
  const result = {
    ...done,
    findings: [...(model.bare?.findings ?? model.findings), ...done.findings, ...(await deviceFindings(store.directory))],
  };
  await writePicture(store.file("adversarial.png"), outcome.adversarial, 0, shape, { text: pictureText(result) });
  await save(task, outcome, result);
  return result;
}

type Parts = Pick<AttackImageResult, "before" | "after" | "inFile" | "differenceMax" | "trace" | "how"> & { readonly label: number };

function resultOf(task: Task, outcome: BatchOutcome, parts: Parts): AttackImageResult {
  const { p, model, store, attack, engine } = task;
  const { label, ...rest } = parts;
  const [record] = outcome.records;
  if (!record) throw new Error("an attacked batch has no record");
  const { defenses } = model;
  const upperBound = attack.entry.upperBound?.(attack.params) ?? null;
  const { findings } = summarizeAttack([outcome], { attack, defenses, backend: engine.backend, seed: p.seed });
  const scored = (index: number): ClassScore => scoreOf(parts.before.scores, index, model.classNames);
  const target = record.target === undefined ? null : scored(record.target);
  const judged = { label: task.truth?.index ?? null, clean: parts.before.prediction.index, adversarial: parts.after.prediction.index };
  return {
    directory: store.directory,
    run: store.id,
    size: model.inputShape,
    label: scored(label),
    labelKnown: task.truth !== null,
    labelSource: task.truth?.source ?? null,
    target,
    verdict: verdictOf({ ...judged, target: target?.index ?? null }),
    ...rest,
    difference: "difference.png",
    norms: { linf: record.linf, l2: record.l2, l0: record.l0 },
    success: record.success,
    successAfter8Bit: record.successAfter8Bit,
    ...(record.repaired ? { repaired: true } : {}),
    iterations: record.iterations,
    seconds: outcome.seconds,
    attack: documented(attack),
    attackLabel: labelOf(attack),
    ...(upperBound === null ? {} : { upperBound }),
    defenses: p.defenses ?? [],
    findings,
    notes: task.notes,
    fit: task.fit,
    classNamesSource: model.classNamesSource ?? null,
    commandLine: commandLine(p, {
      attack: documented(attack),
      label: task.truth && wordsOfClass(task.truth.index, model),
      fit: task.fit?.rule ?? null,
      compute: engine.asked,
    }),
    made: { image: path.basename(p.image), model: task.source, seed: p.seed, software: `Bulwark ${version}` },
  };
}

async function save(task: Task, outcome: BatchOutcome, result: AttackImageResult): Promise<void> {
  const { store, model } = task;
  const { clean, adversarial, labels, predictions } = outcome;
  await writeAdversarial(store.file(runFiles.adversarial), {
    n: labels.length,
    inputShape: model.inputShape,
    clean: () => [clean],
    adversarial: () => [adversarial],
    label: labels,
    prediction: predictions,
  });
  await writeImageFiles(task, outcome, result);
  await store.writeJson(runFiles.result, result);
  await store.update({ headline: headlineOf(result) });
}

/** `dataset.json` and `ledger.npz`, as every run has them. */
async function writeImageFiles(
  { p, model, store, attack }: Task,
  outcome: BatchOutcome,
  { label, before }: AttackImageResult,
): Promise<void> {
  const image = { id: await fileIdentity(await readBytes(p.image), p.image), file: path.basename(p.image) };
  const { classNames } = model;
  const document = datasetDocument([image], { source: "pictures", split: null, labels: [label.index], classNames });
  await writeDataset(store.directory, document);
  const { index, probability } = before.prediction;
  const attacks = [{ attack: attack.id, images: outcome.records }];
  const clean = { clean: Int32Array.of(index), cleanConfidence: Float32Array.of(probability) };
  await writeLedger(store.directory, document.labels, [{ arm: "attacked", ...clean, attacks }]);
}

/** A picture file as the model takes it, whatever else it holds. */
async function readPixels(file: string): Promise<Float32Array> {
  return fromBytes((await decodeImage(await readBytes(file), path.basename(file))).data);
}

const top = (scores: readonly ClassScore[]): ClassScore => scores[0] ?? { index: 0, name: "0", probability: 0 };
const state = (image: string, scores: readonly ClassScore[]): ImageState => ({ image, prediction: top(scores), scores });
