import path from "node:path";
import type { DefendedSide, DefenseResult, Inspected, Pick } from "../../shared/cards.ts";
import type { ClassScore } from "../../shared/protocol.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { defended } from "../classifier/defended.ts";
import type { RunContext } from "../context.ts";
import type { Bound, InferenceDefense } from "../define/index.ts";
import { probabilities } from "../evaluation/clean.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePicture } from "../evaluation/write.ts";
import { normsOf } from "../harness/project.ts";
import type { Engine } from "../session/engine.ts";
import { type Images, tf } from "../tf.ts";
import { fileOf, frontChain, insideRun, oneImage, readInspected } from "./inspected.ts";

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
  const chain = frontChain(p.chain);
  const { model, clean, adversarial } = await readInspected(p, engine, ctx);
  return insideRun(p, `defend ${path.basename(p.image)}`, async () => {
    const side = async (name: string, image: Float32Array): Promise<DefendedSide> => {
      await ctx.checkpoint();
      const transformed = await behind(model, chain, image, ctx);
      const files = { image: fileOf(p, `${name}.png`), transformed: fileOf(p, `${name}-defended.png`) };
      await writePicture(path.join(p.run, files.image), image, 0, model.inputShape);
      await writePicture(path.join(p.run, files.transformed), transformed, 0, model.inputShape);
      const change = normsOf(transformed, image, model.inputShape[2]).linf;
      return { ...files, change, without: await top(model, image), behind: await top(defended(model, chain, oneImage(ctx)), image) };
    };
    return { clean: await side("clean", clean), adversarial: adversarial && (await side("adversarial", adversarial)) };
  });
}

/** The image as it comes out of the chain, [H,W,C]. */
async function behind(
  model: Classifier,
  chain: readonly Bound<InferenceDefense>[],
  image: Float32Array,
  ctx: RunContext,
): Promise<Float32Array> {
  const [height, width, channels] = model.inputShape;
  const see = { model, ...oneImage(ctx) };
  const output = tf.tidy(() =>
    chain.reduce<Images>((x, { entry, params }) => entry.transform(x, params, see), tf.tensor4d(image, [1, height, width, channels])),
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
