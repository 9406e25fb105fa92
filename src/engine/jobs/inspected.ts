import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import type { FittedPicture, Inspected, Pick } from "../../shared/cards.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { runFiles } from "../../shared/runs.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import { readPicture } from "../evaluation/picture.ts";
import { readNpz } from "../io/npz.ts";
import { createRun, settle } from "../io/runStore.ts";
import type { Engine } from "../session/engine.ts";
import { behindDefenses } from "../session/frontDefenses.ts";
import { iteratesFile } from "./attackTrace.ts";

/** The images that a card works on, [H,W,C] in [0,1]; `adversarial` is null where the picture was not attacked. */
export interface InspectedImages {
  readonly model: Classifier;
  readonly clean: Float32Array;
  readonly adversarial: Float32Array | null;
  /** What was done to the picture, where it was read for this; an attack has said it already. */
  readonly fitted: FittedPicture;
}

interface ModelBehind {
  readonly model: string;
  readonly defenses: readonly Pick[];
}
/** The model as it was attacked, with everything that stands in front of it. @throws what `behindDefenses` throws, and what opening a model throws */
export const inspectedModel = async (p: ModelBehind, engine: Engine, ctx: RunContext): Promise<Classifier> =>
  behindDefenses(await engine.model(p.model), p.defenses, ctx.rng);

/** The model for one computation on the image, which begins its draws anew: the same prediction wherever it is asked for. */
export const forImage = (model: Classifier, ctx: RunContext): Classifier => forImages(model, ctx.rng, 0);

/** The images of a run folder as float32, as the attack left them; the picture itself where it was not attacked. @throws RUN_INVALID */
export async function readInspected(p: Inspected, engine: Engine, ctx: RunContext): Promise<InspectedImages> {
  const model = await inspectedModel(p, engine, ctx);
  const file = path.join(p.run, runFiles.adversarial);
  if (!existsSync(file)) {
    const { pixels, notes, fit } = await readPicture(p.image, model, p.fit);
    return { model, clean: pixels, adversarial: null, fitted: { notes, fit } };
  }
  const { clean, adversarial } = await readAttacked(file);
  const size = model.inputShape.reduce((a, b) => a * b);
  if (clean?.length !== size || adversarial?.length !== size)
    throw new BulwarkError("RUN_INVALID", "The images of this run are not of the model's size.", "Attack the image again.");
  const shown = p.iteration === null ? adversarial : await readIterate(p.run, p.iteration, size);
  return { model, clean, adversarial: shown, fitted: { notes: [], fit: null } };
}

interface Attacked {
  readonly clean: Float32Array | undefined;
  readonly adversarial: Float32Array | undefined;
}
/** The last file read: a card requests the same one each time a slider moves. */
let last: { readonly key: string; readonly images: Attacked } | null = null;

/** The images of `adversarial.npz`, read again only when the file has changed. Callers share them and must not write to them. */
async function readAttacked(file: string): Promise<Attacked> {
  const { size, mtimeMs } = await stat(file);
  const key = JSON.stringify([file, size, mtimeMs]);
  if (last?.key === key) return last.images;
  const { clean, adversarial } = await readNpz(file, ["clean", "adversarial"]);
  const images = { clean: clean && Float32Array.from(clean.data), adversarial: adversarial && Float32Array.from(adversarial.data) };
  last = { key, images };
  return images;
}

/** The iterations of the attack that were kept, in their order, and the images [n,H,W,C] that they led to. */
export async function readIterates(run: string): Promise<{ readonly iterations: readonly number[]; readonly images: Float32Array }> {
  const { iteration, images } = await readNpz(path.join(run, iteratesFile), ["iteration", "images"]);
  if (!iteration || !images) return { iterations: [], images: new Float32Array() };
  return { iterations: Array.from(iteration.data, Number), images: Float32Array.from(images.data) };
}

async function readIterate(run: string, wanted: number, size: number): Promise<Float32Array> {
  const { iterations, images } = await readIterates(run);
  const at = iterations.indexOf(wanted);
  if (at < 0)
    throw new BulwarkError("RUN_INVALID", `The image of iteration ${wanted} was not kept.`, "Choose another iteration, or attack again.");
  return images.slice(at * size, (at + 1) * size);
}

/** Works inside the run folder, which becomes a run of kind "explain" when there is none yet. */
export async function insideRun<R extends object>(p: Inspected, title: string, work: () => Promise<R>): Promise<R> {
  if (existsSync(path.join(p.run, runFiles.state))) return work();
  const store = await createRun({ workspace: p.run, directory: p.run, kind: "explain", title });
  return settle(store, work, (event) => store.append(event));
}

/** Name of a file of this request, relative to the run folder. */
export const fileOf = (p: Inspected, name: string): string => (p.folder === "" ? name : `${p.folder}/${name}`);
