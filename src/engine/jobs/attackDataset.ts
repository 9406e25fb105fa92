import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { RunEventBody } from "../../shared/events.ts";
import type { AttackDocument, AttackSummary, Choice } from "../../shared/results.ts";
import { runFiles, slug } from "../../shared/runs.ts";
import type { Classifier } from "../classifier.ts";
import type { RunContext } from "../context.ts";
import { fitToModel, locateDataset, parseDataset } from "../datasets/resolve.ts";
import { type Dataset, resolveParams, type Split } from "../define.ts";
import { summarizeAttack } from "../harness/summarize.ts";
import { createRun, type RunStore, readRunEvents, settle } from "../io/runStore.ts";
import { find } from "../registry.ts";
import { deviceFindings, watchingDevice } from "./deviceWarnings.ts";
import type { Engine } from "./engine.ts";
import { type EvaluationImages, inMemory } from "./evaluation/batches.ts";
import { argmax, probabilities } from "./evaluation/clean.ts";
import { firstImages } from "./evaluation/dataset.ts";
import { type Evaluated, evaluateAttack } from "./evaluation/evaluate.ts";
import { attackDocument, writeAdversarial, writePicture, writeThumbnails } from "./evaluation/write.ts";
import { checkShape } from "./experiment/openArm.ts";
import { openModel } from "./openModel.ts";
import { readPicture } from "./pictureInput.ts";

export interface AttackDatasetParams {
  readonly model: string;
  /** Picture files; or else `dataset`, as `kind` or `kind:path`. */
  readonly images: readonly string[];
  readonly dataset: string | null;
  readonly split: Split;
  readonly limit: number | null;
  readonly attack: Choice;
  readonly defense: Choice | null;
  readonly seed: number;
  readonly workspace: string;
  readonly directory?: string | undefined;
}

/** One attack on a data set or some pictures: `result.json`, `adversarial.npz` and `images/` in a run folder. */
export async function attackDataset(
  p: AttackDatasetParams,
  engine: Engine,
  ctx: RunContext,
): Promise<{ readonly directory: string; readonly document: AttackDocument }> {
  const attack = { id: p.attack.id, params: resolveParams(find("attack", p.attack.id).params, p.attack.params, p.attack.id) };
  const source = await openSource(p, ctx);
  try {
    const model = defended((await openModel(p.model)).classifier, p.defense, ctx);
    const images = await source.images(model);
    const title = `${attack.id} ${p.dataset ?? p.images.map((file) => path.basename(file)).join(" ")}`;
    const store = await createRun({ workspace: p.workspace, directory: p.directory, kind: "attack", title });
    const tell = (event: RunEventBody): void => ctx.emit(store.append(event));
    return await settle(
      store,
      () => watchingDevice(tell, () => evaluateInto(store, { attack, model, images, p, engine }, ctx)),
      (event) => store.append(event),
    );
  } finally {
    await source.close();
  }
}

interface Evaluation {
  readonly attack: Choice;
  readonly model: Classifier;
  readonly images: EvaluationImages;
  readonly p: AttackDatasetParams;
  readonly engine: Engine;
}

async function evaluateInto(store: RunStore, e: Evaluation, ctx: RunContext): Promise<{ directory: string; document: AttackDocument }> {
  const { attack, model, images, p, engine } = e;
  const { backend, device } = engine;
  const arm = "attacked";
  store.append({ kind: "started", run: store.id, title: store.state.title, backend, device, arms: [arm] });
  const evaluated = await evaluateAttack(
    {
      attack: { ...attack, key: attack.id },
      model,
      images,
      onProgress: (done, total) => report(ctx, done, total, find("attack", attack.id).title),
    },
    ctx,
  );
  const summarized: AttackSummary = summarizeAttack(evaluated.outcomes, {
    attack,
    defense: model.defense,
    backend,
    seed: p.seed,
  });
  const failures = deviceFindings(await readRunEvents(store.directory));
  const summary = { ...summarized, findings: [...summarized.findings, ...failures] };
  await writeAdversarial(store.file(runFiles.adversarial), evaluated, images.inputShape);
  await writeThumbnails(store, evaluated, images.inputShape, { arm, attack: attack.id });
  await writeNamed(store, evaluated, p.images, images.inputShape);
  const document = attackDocument(store.id, summary, evaluated, runFiles.adversarial);
  await store.writeJson(runFiles.result, document);
  const percent = (value: number | null): string => (value === null ? "–" : `${(100 * value).toFixed(1)} %`);
  await store.update({ headline: `${attack.id}: ${percent(summary.clean.accuracy)} → ${percent(summary.attacked.accuracy)}` });
  store.append({ kind: "done", report: runFiles.result });
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

async function openSource(p: AttackDatasetParams, ctx: RunContext) {
  if (p.dataset === null) {
    if (p.images.length === 0)
      throw new BulwarkError("USAGE", "There is nothing to attack.", "Name pictures with --image or a data set with --dataset.");
    return { images: (model: Classifier) => pictures(p.images, model), close: async () => undefined };
  }
  const { kind, path: given } = parseDataset(p.dataset);
  const entry = find("dataset", kind);
  const where = { path: await locateDataset(kind, given, p.workspace) };
  let dataset: Dataset | undefined;
  return {
    images: async (model: Classifier): Promise<EvaluationImages> => {
      const fitted = fitToModel(entry.params, where, model.inputShape, model.contract.input.resize);
      dataset = await entry.load(resolveParams(entry.params, fitted, kind), ctx);
      checkShape(model, dataset.inputShape, p.model);
      return firstImages(dataset, p.split, p.limit);
    },
    close: async () => dataset?.close(),
  };
}

/** Nobody says what the pictures show, so the model's own prediction counts as the truth. */
async function pictures(files: readonly string[], model: Classifier): Promise<EvaluationImages> {
  const [height, width, channels] = model.inputShape;
  const size = height * width * channels;
  const images = new Float32Array(files.length * size);
  for (const [i, file] of files.entries()) images.set((await readPicture(file, model)).pixels, i * size);
  const scores = await probabilities(model, images);
  const labels = Int32Array.from(files, (_, i) => argmax(scores, i, model.classes));
  return inMemory({ images, labels, n: files.length }, model.inputShape);
}

function defended(model: Classifier, defense: Choice | null, ctx: RunContext): Classifier {
  if (defense === null) return model;
  const entry = find("defense", defense.id);
  if (entry.kind !== "inference")
    throw new BulwarkError(
      "USAGE",
      `${defense.id} is a way to train, not one to put in front of a model.`,
      "Train with it: `bulwark train`.",
    );
  return entry.wrap(model, resolveParams(entry.params, defense.params, defense.id), ctx);
}

function report(ctx: RunContext, done: number, total: number, title: string): void {
  ctx.emit({ kind: "progress", phase: title, done, total, etaSeconds: null, overall: done / total });
}
