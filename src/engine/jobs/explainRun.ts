import path from "node:path";
import type { AttentionResult, AttentionSide, Inspected, Pick } from "../../shared/cards.ts";
import { attentionBytes } from "../attention/colour.ts";
import { type Classifier, spatialLayers } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { Explanations } from "../define/index.ts";
import { explainImages } from "../evaluation/explain.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePicture } from "../evaluation/write.ts";
import { writePng } from "../io/png.ts";
import type { Engine } from "../session/engine.ts";
import { fileOf, forImage, insideRun, readInspected } from "./inspected.ts";

/**
 * What the model looks at in a picture, and in what an attack has made of it: nothing is attacked again. Both images are explained for
 * the class that the model predicts for them.
 * @throws PARAMETER_INVALID, for a layer that is not there; IMAGE_INVALID, RUN_INVALID
 */
export async function explainRun(p: Inspected & { readonly explanation: Pick }, engine: Engine, ctx: RunContext): Promise<AttentionResult> {
  const { model, ...images } = await readInspected(p, engine, ctx);
  const before = await explainImages(forImage(model, ctx), images.clean, p.explanation, ctx);
  const after = images.adversarial && (await explainImages(forImage(model, ctx), images.adversarial, p.explanation, ctx));
  return insideRun(p, `explain ${path.basename(p.image)}`, async () => {
    const [clean, adversarial] = await Promise.all([
      writeSide(p, model, "clean", images.clean, before),
      images.adversarial && after ? writeSide(p, model, "adversarial", images.adversarial, after) : null,
    ]);
    const [a, b] = [clean.share, adversarial?.share ?? 0];
    const union = a + b - a * b;
    return {
      fitted: images.fitted,
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
  const [image, map] = [fileOf(p, `${name}.png`), fileOf(p, `attention-${name}.png`)];
  await writePicture(path.join(p.run, image), pixels, 0, model.inputShape);
  await writePng(path.join(p.run, map), attentionBytes(explained.map(0)), height, width, 3);
  const [prediction] = classScores(explained.scores, model);
  if (!prediction) throw new Error("the model has no classes");
  return { image, map, prediction, share: explained.share(0), degenerate: explained.degenerate[0] ?? false };
}
