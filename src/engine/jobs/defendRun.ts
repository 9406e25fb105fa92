import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { DefendedSide, DefenseMap, DefenseResult, Inspected, Pick } from "../../shared/cards.ts";
import type { ClassScore } from "../../shared/protocol.ts";
import { passedThrough } from "../classifier/checkDefenses.ts";
import type { Classifier, FrontDefense } from "../classifier/classifier.ts";
import { frontNotes } from "../classifier/defended.ts";
import type { RunContext } from "../context.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePicture } from "../evaluation/write.ts";
import { probabilities } from "../harness/predict.ts";
import { normsOf } from "../harness/project.ts";
import { writePng } from "../io/png.ts";
import { toBytes } from "../pixels.ts";
import type { Engine } from "../session/engine.ts";
import { behindCheckedLater } from "../session/frontDefenses.ts";
import { type Images, tf } from "../tf.ts";
import { fileOf, forImage, insideRun, readInspected } from "./inspected.ts";

/**
 * Puts defences in front of the model and shows the picture and what an attack has made of it as the network sees them then, with the
 * maps that the defences went by and the predictions without and with them. Nothing is attacked again: this is the static case, an
 * attack that does not know them. Output on these images is checked instead of a trial, so that the card keeps up with a slider.
 * @throws PARAMETER_INVALID, DEFENSE_INVALID, UNKNOWN_ID, IMAGE_INVALID, RUN_INVALID
 */
export async function defendRun(
  p: Inspected & { readonly chain: readonly Pick[] },
  engine: Engine,
  ctx: RunContext,
): Promise<DefenseResult> {
  const { model, clean, adversarial, fitted } = await readInspected(p, engine, ctx);
  const behind = behindCheckedLater(model, p.chain, ctx.rng);
  const pass = async (image: Float32Array): Promise<Passed> => {
    await ctx.checkpoint();
    return { image, ...(await through((forImage(behind, ctx).front ?? []).slice(0, p.chain.length), image, model.inputShape)) };
  };
  const passed = { clean: await pass(clean), adversarial: adversarial && (await pass(adversarial)) };
  const side = async (name: string, { image, output, maps }: Passed): Promise<DefendedSide> => {
    const transformed = fileOf(p, `${name}-defended.png`);
    const [height, width] = model.inputShape;
    const drawn = maps.map(
      async ({ values, ...map }): Promise<DefenseMap> => ({ ...map, file: await drawMap(p.run, values, [height, width]) }),
    );
    const picture = writePicture(path.join(p.run, transformed), output, 0, model.inputShape, { fast: true });
    const change = normsOf(output, image, model.inputShape[2]).linf;
    const [without, withDefenses] = [await unchanged(forImage(model, ctx), image), await top(forImage(model, ctx), output)];
    const [pictures] = await Promise.all([Promise.all(drawn), picture]); // encoded meanwhile
    return { transformed, maps: pictures, change, without, behind: withDefenses };
  };
  return insideRun(p, `defend ${path.basename(p.image)}`, async () => {
    const [cleanSide, other] = await Promise.all([
      side("clean", passed.clean),
      passed.adversarial && side("adversarial", passed.adversarial),
    ]);
    const notes = frontNotes([(behind.front ?? []).slice(0, p.chain.length)], model.inputShape);
    return { fitted: { ...fitted, notes: [...fitted.notes, ...notes] }, clean: cleanSide, adversarial: other };
  });
}

/** An image, the chain's output for it, and the maps that the defences went by. */
interface Passed {
  readonly image: Float32Array;
  readonly output: Float32Array;
  readonly maps: readonly MapValues[];
}
interface MapValues extends Omit<DefenseMap, "file"> {
  /** [H·W] in [0,1]. */
  readonly values: Float32Array;
}
/** The image [H,W,C] as it comes out of the chain, and the maps that each of its transformations went by. */
async function through(
  chain: readonly FrontDefense[],
  image: Float32Array,
  [height, width, channels]: Classifier["inputShape"],
): Promise<Omit<Passed, "image">> {
  const maps: MapValues[] = [];
  let [x, output] = [tf.tensor4d(image, [1, height, width, channels]) as Images, image];
  try {
    for (const defense of chain) {
      for (const [name, map] of Object.entries(defense.maps(x))) {
        maps.push({ name, defense: defense.title, values: Float32Array.from(await map.data()) });
        map.dispose();
      }
      ({ images: x, values: output } = await passedThrough(defense, x, "this image"));
    }
    return { output, maps };
  } finally {
    x.dispose();
  }
}

/**
 * Writes a map [H·W] once: the file is named after its content, so that a setting which leaves the map as it is costs neither a file nor
 * its way to the panel. @returns its path in the run folder
 */
async function drawMap(run: string, values: Float32Array, [height, width]: readonly [number, number]): Promise<string> {
  const bytes = toBytes(values);
  const file = `cards/maps/${createHash("sha256").update(`${height}×${width}`).update(bytes).digest("hex").slice(0, 16)}.png`;
  if (!existsSync(path.join(run, file))) await writePng(path.join(run, file), bytes, height, width, 1, { fast: true });
  return file;
}

/** Predictions without the chain by model and image, as a slider changes neither. A randomised model is a new object each time. */
const before = new WeakMap<Classifier, WeakMap<Float32Array, ClassScore>>();

async function unchanged(model: Classifier, image: Float32Array): Promise<ClassScore> {
  const known = before.get(model) ?? new WeakMap<Float32Array, ClassScore>();
  before.set(model, known);
  const score = known.get(image) ?? (await top(model, image));
  known.set(image, score);
  return score;
}

async function top(model: Classifier, image: Float32Array): Promise<ClassScore> {
  const [first] = classScores(await probabilities(model, image), model);
  if (!first) throw new Error("the model has no classes");
  return first;
}
