import { percent } from "../../shared/format.ts";
import type { ClassScore } from "../../shared/protocol.ts";
import { runFiles } from "../../shared/runs.ts";
import { attentionBytes, overlayBytes } from "../attention/colour.ts";
import type { RunContext } from "../context.ts";
import type { Superpixels } from "../define/index.ts";
import { explainImages, requireExplainable } from "../evaluation/explain.ts";
import { classScores, readPicture } from "../evaluation/picture.ts";
import { type NpyArray, writeNpz } from "../io/npz.ts";
import { writePng } from "../io/png.ts";
import { createRun, settle } from "../io/runStore.ts";
import { find } from "../registry.ts";
import type { Engine } from "../session/engine.ts";

export interface ExplainImageParams {
  readonly image: string;
  readonly model: string;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly directory: string;
  /** Replaces what lies in `directory`. */
  readonly force?: boolean;
}
export interface ExplainImageResult {
  readonly directory: string;
  readonly prediction: ClassScore;
  readonly layer: string | null;
  /** PNG of the map over the image, and of the map alone. */
  readonly overlay: string;
  readonly map: string;
  /** Arrays of the map. */
  readonly values: string;
  /** Share of the image inside the attention area. */
  readonly area: number;
  readonly degenerate: boolean;
  /** What changed the pixels of the picture; absent where there is nothing. */
  readonly notes?: readonly string[];
}

/**
 * What the model looks at in one picture: `attention.png`, `overlay.png`, `map.npz` and `result.json` in a run folder. `map.npz` holds float32
 * `map` [H,W] of the picture's size and, of a method that looks at a layer, `grid` [h,w] of that layer's ([Z,h,w] of a volumized network), both
 * normalised. Of a method that has superpixels, `lime.npz` holds what its weights follow from.
 */
export async function explainImage(p: ExplainImageParams, engine: Engine, ctx: RunContext): Promise<ExplainImageResult> {
  const model = await engine.model(p.model);
  const method = find("explanation", p.method);
  requireExplainable(method, model);
  const { pixels, notes } = await readPicture(p.image, model);
  const { directory, force, ...request } = p;
  const store = await createRun({ workspace: directory, directory, kind: "explain", title: `${method.title} ${p.image}`, request, force });
  const work = async (): Promise<ExplainImageResult> => {
    const explained = await explainImages(model, pixels, { id: p.method, params: p.params }, ctx);
    const [height, width, channels] = model.inputShape;
    const map = explained.map(0);
    await writePng(store.file("attention.png"), attentionBytes(map), height, width, 3);
    const grid = explained.grid(0);
    await writeNpz(store.file(runFiles.map), {
      map: { data: map, shape: [height, width] },
      ...(grid ? { grid: { data: grid.values, shape: [...grid.shape] } } : {}),
    });
    await writePng(store.file("overlay.png"), overlayBytes(map, pixels, channels), height, width, 3);
    const superpixels = explained.superpixels(0);
    if (superpixels) await writeNpz(store.file(runFiles.superpixels), superpixelArrays(superpixels, pixels, model.inputShape));
    const [prediction] = classScores(explained.scores, model);
    if (!prediction) throw new Error("the model has no classes");
    const result: ExplainImageResult = {
      directory: store.directory,
      prediction,
      layer: explained.layer,
      overlay: "overlay.png",
      map: "attention.png",
      values: superpixels ? runFiles.superpixels : runFiles.map,
      area: explained.share(0),
      degenerate: explained.degenerate[0] ?? false,
      ...(notes.length > 0 ? { notes } : {}),
    };
    await store.writeJson(runFiles.result, result);
    await store.update({ headline: `${prediction.name} ${percent(prediction.probability)}` });
    return result;
  };
  return settle(store, work, (event) => store.append(event));
}

/** int32 `segments` [H,W], float32 `image` [H,W,C], uint8 `masks` [n,S], float64 `probability` [n], `weight` [n], `coefficients` [S], `intercept` [1]. */
function superpixelArrays(one: Superpixels, image: Float32Array, shape: readonly [number, number, number]): Record<string, NpyArray> {
  const [n, count] = [one.probability.length, one.coefficients.length];
  return {
    segments: { data: one.segments, shape: shape.slice(0, 2) },
    image: { data: image, shape: [...shape] },
    masks: { data: one.masks, shape: [n, count] },
    probability: { data: one.probability, shape: [n] },
    weight: { data: one.weight, shape: [n] },
    coefficients: { data: one.coefficients, shape: [count] },
    intercept: { data: Float64Array.of(one.intercept), shape: [1] },
  };
}
