import { createHash } from "node:crypto";
import path from "node:path";
import type { PatchFigures, PatchStep, PatchTransforms } from "../../shared/patch.ts";
import type { ModelFacts, Preparation, PrepareContext, Provenance } from "../define/index.ts";
import { exists } from "../io/files.ts";
import { loadPatchCheckpoint, savePatchCheckpoint } from "./checkpoint.ts";
import { loadPatch, readDocument } from "./load.ts";
import { greyPatch, type Patch } from "./patch.ts";
import { refuseTransforms } from "./placement.ts";
import { rgbaOf, savePatch } from "./save.ts";
import { judgedPasses, refuseTarget, trainPatch } from "./train.ts";

/** Parameters of an attack with a patch, as far as the patch depends on them. */
export interface PatchSettings extends PatchTransforms {
  /** Share of the image, 0 for none. */
  readonly area: number;
  readonly shape: Patch["shape"];
  /** −1 for any other class than the label. */
  readonly target: number;
  readonly mode: "transfer" | "whitebox";
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  /** File of a patch or a sticker; "" to train one. */
  readonly patch: string;
}

/** How a patch was trained. */
interface PatchCourse {
  readonly seconds: number;
  readonly history: readonly PatchStep[];
  readonly bestStep: number;
  readonly figures: PatchFigures;
  readonly before: PatchFigures;
}
export interface PreparedPatch {
  readonly patch: Patch;
  /** Images through a backward pass in its training; 0 for a sticker. */
  readonly gradientEvaluations: number;
  /** Absent for a patch from a file, and while it is trained. */
  readonly course?: PatchCourse;
  /** The step that it comes from, while it is trained. */
  readonly step?: PatchStep;
}

const historyPoints = 50;
const checkpoints = 20;

const targetOf = ({ target }: PatchSettings): number | null => (target < 0 ? null : target);
export const transformsOf = ({ rotation, scaleMin, scaleMax }: PatchTransforms): PatchTransforms => ({ rotation, scaleMin, scaleMax });

/** The patch that training begins with. @throws PARAMETER_INVALID for one that does not fit the image, LABEL_RANGE */
export function startOf(p: PatchSettings, { inputShape, classes }: ModelFacts): Patch {
  const patch = greyPatch(p.shape, p.area, inputShape, targetOf(p));
  refuseTransforms(patch, inputShape, transformsOf(p));
  refuseTarget(patch.target, classes);
  return patch;
}

const originOf = (p: PatchSettings): "parameters" | "transfer" | "whitebox" => (p.patch !== "" || p.area === 0 ? "parameters" : p.mode);
const evaluationsOf = ({ steps, batchSize }: { readonly steps: number; readonly batchSize: number }): number => steps * batchSize;

/**
 * An adversarial patch: read from the file that the parameters name, or trained. `<stem>.png` and `<stem>.json`. A training that was
 * interrupted goes on at its last checkpoint and ends with the same patch.
 */
export const patchPreparation: Preparation<PreparedPatch> = {
  noun: "patch",
  origin: (params) => originOf(settings(params)),
  madeOn: (params, mode) => ({ ...params, mode }),
  evaluations(params) {
    const p = settings(params);
    return originOf(p) === "parameters" ? { forward: 0, gradient: 0 } : { forward: judgedPasses(p), gradient: evaluationsOf(p) };
  },
  async make(model, images, params, ctx) {
    const p = settings(params);
    if (p.patch !== "") {
      const { patch } = await loadPatch(p.patch, model.inputShape, { area: p.area, target: targetOf(p) });
      return { patch, gradientEvaluations: 0 };
    }
    if (p.area === 0) return { patch: greyPatch("square", 0, model.inputShape, targetOf(p)), gradientEvaluations: 0 };
    const patch = startOf(p, model);
    const { steps, batchSize, learningRate } = p;
    return trained({ model, images, patch, transforms: transformsOf(p), steps, batchSize, learningRate }, ctx);
  },
  save: (prepared, folder, stem, about) => save(prepared, folder, stem, about),
  async load(folder, stem, { inputShape }, key) {
    const file = path.join(folder, `${stem}.json`);
    const document = (await exists(file)) ? await readDocument(file) : null;
    if (!document || (key !== undefined && document.training.key !== key)) return null;
    const { patch } = await loadPatch(file, inputShape, { area: 0, target: null });
    return { patch, gradientEvaluations: evaluationsOf(settings(document.training.params)) };
  },
  facts: ({ patch, gradientEvaluations }) => ({
    hash: createHash("sha256").update(rgbaOf(patch)).digest("hex"),
    gradientEvaluations,
    queries: 0,
  }),
  params: ({ patch }, params) => ({ ...params, target: patch.target ?? -1 }),
  summary({ patch }, params, stem) {
    const { patch: file } = settings(params);
    if (file !== "") return { patch: path.resolve(file) };
    return patch.pixels.length === 0 ? {} : { patch: `${stem}.png` };
  },
  control: ({ patch }) => ({ patch: { ...patch, pixels: new Float32Array(patch.pixels.length).fill(0.5) }, gradientEvaluations: 0 }),
};

/** The parameters of the attacks that have a patch: their schemas hold these names and types. */
const settings = (params: Readonly<Record<string, unknown>>): PatchSettings => params as unknown as PatchSettings;

async function trained(
  o: Omit<Parameters<typeof trainPatch>[0], "resume" | "onStep">,
  ctx: PrepareContext<PreparedPatch>,
): Promise<PreparedPatch> {
  const found = ctx.resumeFile === undefined ? null : await loadPatchCheckpoint(ctx.resumeFile);
  if (found === "damaged") ctx.emit({ kind: "warning", message: "The checkpoint of the patch is damaged; its training starts over." });
  const saved = found === "damaged" ? null : found;
  const started = ctx.clock() - 1000 * (saved?.seconds ?? 0);
  const seconds = (): number => (ctx.clock() - started) / 1000;
  const history: PatchStep[] = [...(saved?.history ?? [])];
  const { steps } = o;
  const [pointEvery, saveEvery] = [Math.ceil(steps / historyPoints), Math.ceil(steps / checkpoints)];
  const { patch, bestStep, figures, before } = await trainPatch(
    {
      ...o,
      ...(saved ? { resume: saved.progress } : {}),
      async onStep(step, now, progress) {
        if (step.step % pointEvery === 0 || step.step === 1 || step.step === steps) history.push(step);
        if (ctx.resumeFile !== undefined && step.step % saveEvery === 0)
          await savePatchCheckpoint(ctx.resumeFile, { progress, seconds: seconds(), history });
        await ctx.onStep?.({ done: step.step, total: steps, prepared: { patch: now, gradientEvaluations: evaluationsOf(o), step } });
      },
    },
    ctx,
  );
  return { patch, gradientEvaluations: evaluationsOf(o), course: { seconds: seconds(), history, bestStep, figures, before } };
}

async function save({ patch, course }: PreparedPatch, folder: string, stem: string, about: Provenance): Promise<readonly string[]> {
  if (!course) throw new Error("only a patch that was trained here is saved");
  const { attack, key, seed, backend, images, imageCount, model } = about;
  const p = settings(attack.params);
  await savePatch(folder, stem, patch, model.inputShape, {
    classNames: model.classNames,
    area: p.area,
    transforms: transformsOf(p),
    training: {
      key,
      params: { kind: attack.id, ...attack.params },
      seed,
      backend,
      images,
      imageCount,
      model: { name: model.name, sha256: model.sha256 },
      steps: p.steps,
      ...course,
    },
  });
  return [`${stem}.png`, `${stem}.json`];
}
