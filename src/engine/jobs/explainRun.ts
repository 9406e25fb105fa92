import path from "node:path";
import type { AttentionResult, AttentionSide, Inspected, Pick } from "../../shared/cards.ts";
import { attentionBytes } from "../attention/colour.ts";
import { type Classifier, spatialLayers } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { Explanations } from "../define/index.ts";
import { explainImages, usualExplanation } from "../evaluation/explain.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePicture } from "../evaluation/write.ts";
import { writePng } from "../io/png.ts";
import type { Engine } from "../session/engine.ts";
import { fileOf, forImage, insideRun, readInspected } from "./inspected.ts";

/**
 * What the model looks at in a picture, and in what an attack has made of it: nothing is attacked again. Both images are explained for
 * the class that the model predicts for them, by the first explanation that works for the model where none is named.
 * @throws PARAMETER_INVALID, for a layer that is not there; IMAGE_INVALID, RUN_INVALID
 */
export async function explainRun(
  p: Inspected & { readonly explanation: Pick | null },
  engine: Engine,
  ctx: RunContext,
): Promise<AttentionResult> {
  const { model, ...images } = await readInspected(p, engine, ctx);
  const explanation = p.explanation ?? { id: usualExplanation(model).id, params: {} };
  const sides = images.adversarial ? 2 : 1;
  const explained = (pixels: Float32Array, side: number): Promise<Explanations> =>
    explainImages(forImage(model, ctx), pixels, explanation, partOf(ctx, side, sides));
  const before = await explained(images.clean, 0);
  const after = images.adversarial && (await explained(images.adversarial, 1));
  return insideRun(p, `explain ${path.basename(p.image)}`, async () => {
    const [clean, adversarial] = await Promise.all([
      writeSide(p, model, "clean", images.clean, before),
      images.adversarial && after ? writeSide(p, model, "adversarial", images.adversarial, after) : null,
    ]);
    const [a, b] = [clean.share, adversarial?.share ?? 0];
    const union = a + b - a * b;
    return {
      fitted: images.fitted,
      explanation,
      layer: before.layer,
      layers: spatialLayers(model),
      clean,
      adversarial,
      iou: after && before.overlap(0, after),
      randomIou: adversarial && union > 0 ? (a * b) / union : null, // two areas of these sizes placed independently
    };
  });
}

async function writeSide(
  p: Inspected,
  model: Classifier,
  name: "clean" | "adversarial",
  pixels: Float32Array,
  explained: Explanations,
): Promise<AttentionSide> {
  const [height, width] = model.inputShape;
  const [image, map, ids] = [fileOf(p, `${name}.png`), fileOf(p, `attention-${name}.png`), fileOf(p, `superpixels-${name}.png`)];
  const area = fileOf(p, `area-${name}.png`);
  await writePicture(path.join(p.run, image), pixels, 0, model.inputShape);
  await writePng(path.join(p.run, map), attentionBytes(explained.map(0)), height, width, 3);
  await writePng(path.join(p.run, area), numberBytes(explained.area(0)), height, width, 3);
  const [prediction] = classScores(explained.scores, model);
  if (!prediction) throw new Error("the model has no classes");
  const superpixels = explained.superpixels(0);
  if (superpixels) await writePng(path.join(p.run, ids), numberBytes(superpixels.segments), height, width, 3);
  return {
    image,
    map,
    prediction,
    share: explained.share(0),
    degenerate: explained.degenerate[0] ?? false,
    area,
    ...(superpixels ? { superpixels: { file: ids, weights: [...superpixels.coefficients] } } : {}),
  };
}

/** Numbers below 65,536 as colours: red + 256·green. */
function numberBytes(numbers: Int32Array | Float32Array): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 3);
  numbers.forEach((value, i) => {
    bytes.set([value % 256, value >> 8], i * 3);
  });
  return bytes;
}

/** The context of one of several parts that take about as long: progress is that of all of them. */
export const partOf = (ctx: RunContext, part: number, parts: number): RunContext => ({
  ...ctx,
  checkpoint: (progress) =>
    ctx.checkpoint(progress && { ...progress, done: part * progress.total + progress.done, total: parts * progress.total }),
});
