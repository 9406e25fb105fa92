import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { percent } from "../../../shared/format.ts";
import type { TrainPatchParams, TrainPatchResult, TrainPatchUpdate } from "../../../shared/patch.ts";
import { runFiles } from "../../../shared/runs.ts";
import { requireGradients } from "../../classifier/forwardOnly.ts";
import { type RunContext, stoppedBy } from "../../context.ts";
import { type PreparationStep, resolveParams } from "../../define/index.ts";
import { prepare } from "../../evaluation/prepare.ts";
import { openImages } from "../../evaluation/source.ts";
import { hashOf } from "../../experiment/document.ts";
import { createRun, type RunStore, settle } from "../../io/runStore.ts";
import { readDocument } from "../../patches/load.ts";
import { type PatchSettings, type PreparedPatch, patchPreparation, startOf } from "../../patches/preparation.ts";
import { writePatchPicture } from "../../patches/save.ts";
import { find } from "../../registry.ts";
import type { Engine } from "../../session/engine.ts";
import { type OpenedModel, openModel } from "../../session/openModel.ts";
import { imageChoice, targetName } from "./scene.ts";

const attackId = "adversarialPatch";
const keptPictures = 20;
const updateEvery = 100; // ms

/** Trains a patch into a run folder of kind "patch": `patch.png`, `patch.json`, `steps/`. Updates stream while it goes on. */
export async function trainPatch(
  p: TrainPatchParams,
  engine: Engine,
  ctx: RunContext,
  update: (update: TrainPatchUpdate) => void,
): Promise<TrainPatchResult> {
  const settings = resolveParams(find("attack", attackId).params, p.settings, attackId) as unknown as PatchSettings;
  const params: PatchSettings = { ...settings, mode: "whitebox", patch: "" };
  if (params.area === 0)
    throw new BulwarkError("PARAMETER_INVALID", "A patch of area 0 has nothing to train.", "Choose a share of the image above 0.");
  const opened = await openModel(p.model);
  try {
    requireGradients(opened.classifier, "Training a patch");
    const title = `patch ${path.basename(p.model)}`;
    const request = { training: attackId }; // one that was stopped goes on in its folder, with other settings too
    const store = await createRun({ workspace: p.workspace, directory: p.directory, kind: "patch", title, request });
    const own = stoppedBy(store.lock.signal, ctx);
    const work = (): Promise<TrainPatchResult> => trainInto({ p, params, opened, engine, store, update }, own);
    return await settle(store, work, (event) => store.append(event));
  } finally {
    opened.classifier.dispose();
  }
}

interface Task {
  readonly p: TrainPatchParams;
  readonly params: PatchSettings;
  readonly opened: OpenedModel;
  readonly engine: Engine;
  readonly store: RunStore;
  readonly update: (update: TrainPatchUpdate) => void;
}

async function trainInto({ p, params, opened, engine, store, update }: Task, ctx: RunContext): Promise<TrainPatchResult> {
  const model = opened.classifier;
  const images = await openImages(imageChoice(p.images, p.workspace), model, p.model, ctx);
  try {
    const { seed } = p;
    const { chosen } = images;
    const { steps } = params;
    const first = startOf(params, model);
    const size = [first.height, first.width] as const;
    update({ kind: "started", steps, size, imageSize: model.inputShape, images: chosen.size, target: targetName(first, model) });
    const attack = { id: attackId, params: { ...params } };
    const source = { model, modelName: path.basename(p.model), modelHash: opened.sha256, images: chosen };
    const names = { seed, seedName: attackId, backend: engine.backend, directory: store.directory, stem: "patch" };
    const key = hashOf({ params, model: opened.sha256, images: p.images, size: chosen.size, seed });
    const onStep = watcher(store, steps, update, ctx.clock);
    await prepare({ attack, preparation: patchPreparation, ...source, ...names, key, onStep }, ctx);
    const document = await readDocument(store.file(runFiles.patchDocument));
    if (!document) throw new Error("a trained patch is described");
    const rate = document.training.figures.successRate;
    await store.update({ headline: rate === null ? null : `fools ${percent(rate)}` });
    return { directory: store.directory, run: store.id, image: runFiles.patch, document: runFiles.patchDocument, patch: document };
  } finally {
    await images.close();
  }
}

/** Tells steps, at most ten a second, and writes about twenty pictures on the way. */
function watcher(store: RunStore, steps: number, update: (update: TrainPatchUpdate) => void, clock: () => number) {
  const every = Math.ceil(steps / keptPictures);
  let last = Number.NEGATIVE_INFINITY;
  return async ({ prepared: { patch, step: point } }: PreparationStep<PreparedPatch>): Promise<void> => {
    if (!point) return;
    const isKept = patch.pixels.length > 0 && (point.step === 1 || point.step % every === 0);
    if (!isKept && clock() - last < updateEvery) return;
    last = clock();
    const picture = isKept ? `steps/${point.step}.png` : null;
    if (picture) await writePatchPicture(store.file(picture), patch);
    update({ kind: "step", steps, point, picture });
  };
}
