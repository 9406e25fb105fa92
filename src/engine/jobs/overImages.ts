import path from "node:path";
import type { RunEventBody } from "../../shared/events.ts";
import type { Choice } from "../../shared/results.ts";
import { type RunKind, runFiles } from "../../shared/runs.ts";
import type { LabelSource } from "../../shared/verdict.ts";
import { batchSizeFor, batchText, roomOf, shortageText } from "../classifier/batchSizes.ts";
import type { BatchSizes, Classifier } from "../classifier/classifier.ts";
import { frontNotes } from "../classifier/defended.ts";
import { demandOf } from "../classifier/demand.ts";
import { type RunContext, stoppedBy } from "../context.ts";
import type { SkippedFile, Split } from "../define/index.ts";
import { type ImageChoice, type OpenedImages, openImages } from "../evaluation/source.ts";
import type { LabelChoice } from "../evaluation/trueLabel.ts";
import { createRun, type RunStore, settle } from "../io/runStore.ts";
import { datasetDocument, identitiesOf, originOf, writeDataset } from "../report/datasetFile.ts";
import { watchingDevice } from "../session/deviceWarnings.ts";
import type { Engine } from "../session/engine.ts";
import { behindDefenses } from "../session/frontDefenses.ts";

/** Images, and where what becomes of them is written. */
export interface ImagesRequest {
  /** Picture files; or else `dataset`, as `kind` or `kind:path`. */
  readonly images: readonly string[];
  readonly dataset: string | null;
  readonly split: Split;
  readonly limit: number | null;
  /** What the pictures show, where the job asks for it. */
  readonly label?: LabelChoice;
  readonly defenses: readonly Choice[];
  readonly seed: number;
  readonly workspace: string;
  readonly directory?: string | undefined;
  /** Replaces what lies in `directory`. */
  readonly force?: boolean | undefined;
}
export type ModelRequest = ImagesRequest & { readonly model: string };

/** A run that is at work: its folder, and its context, which stops when the run is cancelled. */
export interface Working {
  readonly store: RunStore;
  readonly ctx: RunContext;
  progress(done: number, total: number): void;
}
export interface RunTask<D> {
  readonly kind: RunKind;
  /** What is done to the images, in a word or two: "Predicting". */
  readonly phase: string;
  /** The model that looks at the images, and what for. */
  readonly batches?: { readonly model: Classifier; readonly need: keyof BatchSizes };
  /** What was asked for beside the request itself. */
  readonly asked?: unknown;
  /** Of the model: its log-probabilities have to stand in for its logits, say. */
  readonly warnings?: readonly string[];
  /** Of the images. */
  readonly notes?: readonly string[];
  /** Files of the data set that were left out. */
  readonly skipped?: readonly SkippedFile[];
  work(run: Working): Promise<{ readonly document: D; readonly headline: string }>;
}

/** A run folder with `result.json` made of images. @throws RUN_EXISTS, RUN_LOCKED, and what the work throws */
export async function runOverImages<D>(
  p: ImagesRequest,
  task: RunTask<D>,
  engine: Engine,
  ctx: RunContext,
): Promise<{ readonly directory: string; readonly document: D }> {
  const { workspace, directory, force, ...request } = p;
  const { kind, phase, asked } = task;
  const title = `${kind} ${p.dataset ?? p.images.map((file) => path.basename(file)).join(" ")}`;
  const store = await createRun({
    workspace,
    directory,
    kind,
    title,
    request: { ...request, asked, workspace, contract: engine.contract },
    force,
  });
  const run: Working = {
    store,
    ctx: stoppedBy(store.lock.signal, ctx),
    progress: (done, total) => ctx.emit({ kind: "progress", phase, done, total, etaSeconds: null, overall: done / total }),
  };
  const work = async () => {
    const { backend, device } = engine;
    store.append({ kind: "started", run: store.id, title, backend, device, arms: [] });
    for (const message of task.warnings ?? []) ctx.emit(store.append({ kind: "warning", message }));
    for (const message of task.notes ?? []) ctx.emit(store.append({ kind: "note", message }));
    if (task.batches) sayBatches(task.batches, (event) => ctx.emit(store.append(event)));
    const { document: found, headline } = await task.work(run);
    const [notes, skipped] = [task.notes ?? [], task.skipped ?? []];
    const document = { ...found, ...(notes.length > 0 ? { notes } : {}), ...(skipped.length > 0 ? { skipped } : {}) };
    await store.writeJson(runFiles.result, document);
    await store.update({ headline });
    store.append({ kind: "done", report: runFiles.result });
    return { directory: store.directory, document };
  };
  return settle(
    store,
    () => watchingDevice((event) => ctx.emit(store.append(event)), work),
    (event) => store.append(event),
  );
}

/** How many images are computed together, and what to do where even one is too many. */
function sayBatches({ model, need }: NonNullable<RunTask<unknown>["batches"]>, tell: (event: RunEventBody) => void): void {
  const [room, demand] = [roomOf(model), demandOf(model)];
  const { size } = batchSizeFor(model, need);
  tell({ kind: "batch", arm: "", forward: size, gradient: size, message: batchText({ [need]: size }, demand, room) });
  const shortage = shortageText(demand, room);
  if (shortage) tell({ kind: "warning", message: shortage });
}

/** `dataset.json`: which images a run is about. @returns name of each image that is a file, and who says its label. @throws DISK_FULL, NOT_WRITABLE */
export async function writeIdentities(
  { store }: Working,
  p: ModelRequest,
  { opened, labels, model }: { readonly opened: OpenedImages; readonly labels: Int32Array; readonly model: Classifier },
): Promise<{ readonly file?: string; readonly labelSource?: LabelSource }[]> {
  const identities = await identitiesOf(opened.images, 0, opened.images.n);
  const { notes, skipped } = opened;
  const document = datasetDocument(identities, { ...originOf(p), labels: [...labels], classNames: model.classNames, notes, skipped });
  await writeDataset(store.directory, document);
  return identities.map(({ file }, place) => {
    const labelSource = opened.labelSources?.[place];
    return { ...(file === undefined ? {} : { file }), ...(labelSource ? { labelSource } : {}) };
  });
}

/** The model that was named behind its defences, and the images as it takes them, open while `work` goes on. @throws what opening throws */
export async function withModel<R>(
  p: ModelRequest & Pick<ImageChoice, "unmatched">,
  engine: Engine,
  ctx: RunContext,
  work: (model: Classifier, images: OpenedImages) => Promise<R>,
): Promise<R> {
  const model = await behindDefenses(await engine.model(p.model), p.defenses, ctx.rng);
  const { images: files, dataset, split, limit, workspace, label, unmatched } = p;
  const images = await openImages({ files, dataset, split, limit, workspace, label, unmatched }, model, p.model, ctx);
  try {
    return await work(model, { ...images, notes: [...images.notes, ...frontNotes([model.front ?? []], model.inputShape)] });
  } finally {
    await images.close();
  }
}
