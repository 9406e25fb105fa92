import path from "node:path";
import type { DefendedSide, DefenseResult, Inspected, Pick } from "../../shared/cards.ts";
import type { ClassScore } from "../../shared/protocol.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePicture } from "../evaluation/write.ts";
import { probabilities } from "../harness/predict.ts";
import { normsOf } from "../harness/project.ts";
import type { Engine } from "../session/engine.ts";
import { behindDefenses } from "../session/frontDefenses.ts";
import { type Images, tf } from "../tf.ts";
import { fileOf, forImage, insideRun, readInspected } from "./inspected.ts";

/**
 * Puts defences in front of the model and shows the picture and what an attack has made of it as the network sees them then, with the
 * predictions without and with the defences. Nothing is attacked again: this is the static case, an attack that does not know them.
 * @throws PARAMETER_INVALID, DEFENSE_INVALID, UNKNOWN_ID, IMAGE_INVALID, RUN_INVALID
 */
export async function defendRun(
  p: Inspected & { readonly chain: readonly Pick[] },
  engine: Engine,
  ctx: RunContext,
): Promise<DefenseResult> {
  const { model, clean, adversarial, fitted } = await readInspected(p, engine, ctx);
  const behind = await behindDefenses(model, p.chain, ctx.rng);
  return insideRun(p, `defend ${path.basename(p.image)}`, async () => {
    const side = async (name: string, image: Float32Array): Promise<DefendedSide> => {
      await ctx.checkpoint();
      const transformed = await through(forImage(behind, ctx), p.chain.length, image);
      const files = { image: fileOf(p, `${name}.png`), transformed: fileOf(p, `${name}-defended.png`) };
      await writePicture(path.join(p.run, files.image), image, 0, model.inputShape);
      await writePicture(path.join(p.run, files.transformed), transformed, 0, model.inputShape);
      const change = normsOf(transformed, image, model.inputShape[2]).linf;
      return { ...files, change, without: await top(forImage(model, ctx), image), behind: await top(forImage(behind, ctx), image) };
    };
    return { fitted, clean: await side("clean", clean), adversarial: adversarial && (await side("adversarial", adversarial)) };
  });
}

/** The image [H,W,C] as it comes out of the first `count` of the transformations in front. */
async function through(model: Classifier, count: number, image: Float32Array): Promise<Float32Array> {
  const [height, width, channels] = model.inputShape;
  const chain = (model.front ?? []).slice(0, count);
  const output = tf.tidy(() =>
    chain.reduce<Images>((x, defense) => defense.transform(x), tf.tensor4d(image, [1, height, width, channels]) as Images),
  );
  try {
    return Float32Array.from(await output.data());
  } finally {
    output.dispose();
  }
}

async function top(model: Classifier, image: Float32Array): Promise<ClassScore> {
  const [first] = classScores(await probabilities(model, image), model);
  if (!first) throw new Error("the model has no classes");
  return first;
}
