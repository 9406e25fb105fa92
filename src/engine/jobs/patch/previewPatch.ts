import path from "node:path";
import type { PatchPreview, PatchTransforms, PreviewPatchParams, PreviewPatchResult } from "../../../shared/patch.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { checkNumbers, probabilityAt } from "../../classifier/probabilities.ts";
import type { RunContext } from "../../context.ts";
import { classScores } from "../../evaluation/picture.ts";
import { openImages } from "../../evaluation/source.ts";
import { writePicture } from "../../evaluation/write.ts";
import { PatchTally } from "../../patches/figures.ts";
import { randomPlacement, refuseTransforms } from "../../patches/placement.ts";
import type { Engine } from "../../session/engine.ts";
import { type Images, tf } from "../../tf.ts";
import { imageChoice, openPatch, pasteAt } from "./scene.ts";

const usual: PatchTransforms = { rotation: 22.5, scaleMin: 1, scaleMax: 1 };

/** Pastes a patch at random places of some images, `count` pictures in all: what it does under the transforms it was trained for. */
export async function previewPatch(p: PreviewPatchParams, engine: Engine, ctx: RunContext): Promise<PreviewPatchResult> {
  const model = await engine.model(p.model);
  const shape = model.inputShape;
  const { patch, document } = await openPatch(p.patch, model, p.sticker);
  const transforms = p.transforms ?? document?.transforms ?? usual;
  refuseTransforms(patch, shape, transforms);
  const images = await openImages(imageChoice(p.images, p.workspace), model, p.model, ctx);
  const directory = path.resolve(p.directory);
  const tally = new PatchTally(patch.target);
  const pictures: PatchPreview[] = [];
  try {
    for (let i = 0; i < p.count; i++) {
      const image = i % images.chosen.size;
      const batch = await images.chosen.read([image]);
      const placement = randomPlacement(patch, shape, transforms, ctx.rng.stream(`preview/${i}`));
      const pasted = pasteAt(batch.images, patch, placement, model);
      const logits = await logitsOf(model, pasted.pixels);
      const file = `preview-${i}.png`;
      await writePicture(path.join(directory, file), pasted.pixels, 0, shape);
      const label = batch.labels[0] ?? -1;
      tally.add(logits, label);
      pictures.push({ file, image, placement, ...verdict(logits, label, patch.target, model) });
      await ctx.checkpoint({ phase: "Preview", done: i + 1, total: p.count });
    }
  } finally {
    await images.close();
  }
  return { directory, pictures, figures: tally.figures };
}

function verdict(logits: Float32Array, label: number, target: number | null, model: Classifier) {
  const shown = Array.from(logits, (_, k) => probabilityAt(model, logits, 0, model.classes, k));
  const scores = classScores(shown, model);
  const named = scores.find(({ index }) => index === label);
  const [prediction] = scores;
  if (!prediction) throw new Error("the model has no classes");
  return {
    label: named ?? { index: label, name: String(label), probability: 0 },
    prediction,
    success: prediction.index !== label,
    targetReached: target === null ? null : prediction.index === target,
  };
}

/** Logits of images [n,H,W,C], one after the other. @throws MODEL_NAN when one is no number */
export async function logitsOf(model: Classifier, images: Float32Array): Promise<Float32Array> {
  const [height, width, channels] = model.inputShape;
  const n = images.length / (height * width * channels);
  const logits = tf.tidy(() => model.logits(tf.tensor4d(images, [n, height, width, channels]) as Images));
  try {
    return checkNumbers((await logits.data()) as Float32Array);
  } finally {
    logits.dispose();
  }
}
