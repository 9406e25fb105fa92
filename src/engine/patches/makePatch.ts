import path from "node:path";
import type { PatchDocument, PatchStep } from "../../shared/patch.ts";
import type { Choice } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { NamedImages } from "../evaluation/source.ts";
import { exists, readText } from "../io/files.ts";
import { find } from "../registry.ts";
import { loadPatchCheckpoint, removePatchCheckpoint, savePatchCheckpoint } from "./checkpoint.ts";
import { loadPatch } from "./load.ts";
import { greyPatch, type Patch } from "./patch.ts";
import { savePatch } from "./save.ts";

export interface PatchJob {
  readonly attack: Choice;
  readonly model: Classifier;
  readonly modelName: string;
  readonly modelHash: string | null;
  readonly images: NamedImages;
  readonly seed: number;
  /** Name of the random stream. */
  readonly seedName: string;
  readonly backend: string;
  /** `<stem>.png` and `<stem>.json` are written there. */
  readonly directory: string;
  readonly stem: string;
  /** Hash of all that decides the patch: one that is there already is taken as it is. */
  readonly key: string;
  readonly onStep?: (point: PatchStep, patch: Patch) => void | Promise<void>;
}
export interface MadePatch {
  readonly patch: Patch;
  /** Null for a sticker, and for a patch of area 0, which has no file. */
  readonly document: PatchDocument | null;
  /** Images through a backward pass while it was trained for this run; 0 for a patch from elsewhere. */
  readonly gradientEvaluations: number;
}

const historyPoints = 50;
const checkpoints = 20;

/**
 * The patch of an attack: read from the file that its parameters name, taken from the folder when it was finished there, trained
 * otherwise. A training that was interrupted goes on at its last checkpoint and ends with the same patch.
 * @throws what training and loading throw, DISK_FULL
 */
export async function makePatch(job: PatchJob, ctx: RunContext): Promise<MadePatch> {
  const { params, id } = job.attack;
  const shape = job.model.inputShape;
  const given = String(params["patch"] ?? "");
  if (given !== "") {
    const { patch, document } = await loadPatch(given, shape, { area: Number(params["area"]), target: targetOf(params["target"]) });
    return { patch, document, gradientEvaluations: 0 };
  }
  if (Number(params["area"]) === 0) return { patch: greyPatch("square", 0, shape, null), document: null, gradientEvaluations: 0 };
  const file = path.join(job.directory, `${job.stem}.json`);
  const gradientEvaluations = Number(params["steps"]) * Number(params["batchSize"]);
  if ((await keyIn(file)) === job.key) {
    const { patch, document } = await loadPatch(file, shape, { area: 0, target: null });
    return { patch, document, gradientEvaluations };
  }
  const trained = await train(job, ctx);
  const { area, rotation, scaleMin, scaleMax } = params as { area: number; rotation: number; scaleMin: number; scaleMax: number };
  const document = await savePatch(job.directory, job.stem, trained.patch, shape, {
    classNames: job.model.classNames,
    area,
    transforms: { rotation, scaleMin, scaleMax },
    training: {
      key: job.key,
      params: { kind: id, ...params },
      seed: job.seed,
      backend: job.backend,
      images: job.images.name,
      imageCount: job.images.size,
      model: { name: job.modelName, sha256: job.modelHash },
      steps: Number(params["steps"]),
      ...trained.facts,
    },
  });
  await removePatchCheckpoint(checkpointOf(job));
  return { patch: trained.patch, document, gradientEvaluations };
}

const targetOf = (target: unknown): number | null => (typeof target === "number" && target >= 0 ? target : null);
const checkpointOf = (job: PatchJob): string => path.join(job.directory, "checkpoints", `${job.stem}-${job.key.slice(0, 12)}.json`);

async function train(job: PatchJob, ctx: RunContext) {
  const { model, images, attack } = job;
  const entry = find("attack", attack.id);
  if (!entry.prepare) throw new Error(`${attack.id} trains no patch`);
  const file = checkpointOf(job);
  const saved = await loadPatchCheckpoint(file);
  const started = ctx.clock() - 1000 * (saved?.seconds ?? 0);
  const seconds = (): number => (ctx.clock() - started) / 1000;
  const history: PatchStep[] = [...(saved?.history ?? [])];
  const steps = Number(attack.params["steps"]);
  const [pointEvery, saveEvery] = [Math.ceil(steps / historyPoints), Math.ceil(steps / checkpoints)];
  const { patch, figures, before } = await entry.prepare(model, images, attack.params, {
    ...ctx,
    rng: ctx.rng.stream(`${job.seedName}/patch`),
    ...(saved ? { resume: saved.progress } : {}),
    async onStep(point, now, progress) {
      if (point.step % pointEvery === 0 || point.step === 1 || point.step === steps) history.push(point);
      if (point.step % saveEvery === 0) await savePatchCheckpoint(file, { progress, seconds: seconds(), history });
      await job.onStep?.(point, now);
    },
  });
  if (!figures || !before) throw new Error("a trained patch has figures");
  return { patch, facts: { seconds: seconds(), history, figures, before } };
}

/** The key of the patch described in `file`; null where there is none that is whole. */
async function keyIn(file: string): Promise<string | null> {
  if (!(await exists(file))) return null;
  try {
    return (JSON.parse(await readText(file)) as PatchDocument).training.key ?? null;
  } catch {
    return null;
  }
}
