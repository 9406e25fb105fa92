import path from "node:path";
import type { AttentionResult, AttentionSide, Inspected, Pick } from "../../shared/cards.ts";
import { iou } from "../attention/area.ts";
import { attentionBytes } from "../attention/colour.ts";
import type { RunContext } from "../context.ts";
import { type Explanations, explainImages } from "../evaluation/explain.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePicture } from "../evaluation/write.ts";
import { writePng } from "../io/png.ts";
import type { Engine } from "../session/engine.ts";
import { fileOf, type InspectedImages, insideRun, readInspected } from "./inspected.ts";

/**
 * What the model looks at in a picture, and in what an attack has made of it: nothing is attacked again. Both images are explained for
 * the class that the model predicts for them.
 * @throws PARAMETER_INVALID, for a layer that is not there; IMAGE_INVALID, RUN_INVALID
 */
export async function explainRun(p: Inspected & { readonly explanation: Pick }, engine: Engine, ctx: RunContext): Promise<AttentionResult> {
  const images = await readInspected(p, engine, ctx);
  const all = [images.clean, ...(images.adversarial ? [images.adversarial] : [])];
  const explained = await explainImages(images.model, joined(all), p.explanation, ctx);
  return insideRun(p, `explain ${path.basename(p.image)}`, async () => {
    const [clean, adversarial] = await Promise.all(
      (["clean", "adversarial"] as const).slice(0, all.length).map((name, index) => writeSide(p, images, explained, name, index)),
    );
    if (!clean) throw new Error("nothing was explained");
    const [a, b] = [clean.share, adversarial?.share ?? 0];
    const union = a + b - a * b;
    return {
      layer: explained.layer,
      layers: images.model.featureSource?.layers ?? [],
      clean,
      adversarial: adversarial ?? null,
      iou: adversarial ? iou(explained.area(0), explained.area(1)) : null,
      randomIou: adversarial && union > 0 ? (a * b) / union : null, // two areas of these sizes placed independently
    };
  });
}

function joined(images: readonly Float32Array[]): Float32Array {
  const size = images[0]?.length ?? 0;
  const all = new Float32Array(size * images.length);
  for (const [i, image] of images.entries()) all.set(image, i * size);
  return all;
}

async function writeSide(
  p: Inspected,
  { model, clean, adversarial }: InspectedImages,
  explained: Explanations,
  name: "clean" | "adversarial",
  index: number,
): Promise<AttentionSide> {
  const [height, width] = model.inputShape;
  const [image, map] = [fileOf(p, `${name}.png`), fileOf(p, `attention-${name}.png`)];
  await writePicture(path.join(p.run, image), (index === 0 ? clean : adversarial) ?? clean, 0, model.inputShape);
  await writePng(path.join(p.run, map), attentionBytes(explained.map(index)), height, width, 3);
  const [prediction] = classScores(explained.scores, model, index);
  if (!prediction) throw new Error("the model has no classes");
  return { image, map, prediction, share: explained.share(index), degenerate: explained.degenerate[index] ?? false };
}
