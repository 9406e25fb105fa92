import path from "node:path";
import type { Inspected, Pick, SequencePoint, SequenceResult } from "../../shared/cards.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { overlayBytes } from "../attention/colour.ts";
import type { RunContext } from "../context.ts";
import { explainImages } from "../evaluation/explain.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePng } from "../io/png.ts";
import type { Engine } from "../session/engine.ts";
import { partOf } from "./explainRun.ts";
import { fileOf, forImage, readInspected, readIterates } from "./inspected.ts";

/** Pictures of a sequence at most: the start of an attack and fifteen rounds (paper 2, Figure 2). */
const most = 16;

/**
 * Where the model looks along an attack: the maps of up to sixteen kept iterations, evenly spread, each for the class that is predicted
 * there, and how far their areas overlap with that of the clean image. Each is what `explainRun` gives for that iteration.
 * @throws PARAMETER_INVALID for a layer that is not there; RUN_INVALID where nobody attacked the picture
 */
export async function explainSequence(
  p: Inspected & { readonly explanation: Pick },
  engine: Engine,
  ctx: RunContext,
): Promise<SequenceResult> {
  const { model, clean, adversarial } = await readInspected({ ...p, iteration: null }, engine, ctx);
  if (!adversarial)
    throw new BulwarkError("RUN_INVALID", "This picture was not attacked.", "Attack it first: the sequence is that of the attack.");
  const { iterations, images } = await readIterates(p.run);
  const places = spread(iterations.length);
  const explained = (pixels: Float32Array, part: number) =>
    explainImages(forImage(model, ctx), pixels, p.explanation, partOf(ctx, part, places.length + 1));
  const before = await explained(clean, 0);
  const [height, width, channels] = model.inputShape;
  const points: SequencePoint[] = [];
  for (const [i, place] of places.entries()) {
    await ctx.checkpoint({ phase: "Attention along the attack", done: i + 1, total: places.length + 1 });
    const pixels = images.slice(place * clean.length, (place + 1) * clean.length);
    const after = await explained(pixels, i + 1);
    const iteration = iterations[place] ?? 0;
    const image = fileOf(p, `attention-${iteration}.png`);
    await writePng(path.join(p.run, image), overlayBytes(after.map(0), pixels, channels), height, width, 3);
    const [prediction] = classScores(after.scores, model);
    if (!prediction) throw new Error("the model has no classes");
    points.push({ iteration, image, prediction, iou: before.overlap(0, after) });
  }
  return { points };
}

/** Up to sixteen of 0 … n−1, evenly spread, the first and the last among them. */
function spread(n: number): number[] {
  const count = Math.min(n, most);
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : Math.round((i * (n - 1)) / (count - 1))));
}
