import path from "node:path";
import type { Inspected, Pick } from "../../shared/cards.ts";
import type { ClassVotes, DetectedSide, DetectionResult } from "../../shared/detectionCards.ts";
import type { DetectorUnit } from "../../shared/sampledUnits.ts";
import { attentionBytes } from "../attention/colour.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { scoresNotNumbers } from "../classifier/probabilities.ts";
import type { RunContext } from "../context.ts";
import { type Bound, type Detector, documented } from "../define/index.ts";
import { inMemory } from "../evaluation/batches.ts";
import { type Detected, detectImages } from "../evaluation/detect.ts";
import { classScores } from "../evaluation/picture.ts";
import { writePicture } from "../evaluation/write.ts";
import { probabilities } from "../harness/predict.ts";
import { writePng } from "../io/png.ts";
import { bind } from "../registry.ts";
import type { Engine } from "../session/engine.ts";
import { type Images, tf } from "../tf.ts";
import { partOf } from "./explainRun.ts";
import { fileOf, forImage, insideRun, readInspected } from "./inspected.ts";

/** How many classes the result lists with their probability, the likeliest first. */
const mostScores = 10;

/**
 * What a detector says of a picture, and of what an attack has made of it: scores, votes, and where it samples. Nothing is attacked again:
 * the attack did not know the detector. Scores and votes are those of `bulwark detect` on the same image and seed.
 * @throws UNKNOWN_ID, PARAMETER_INVALID, MODEL_UNSUPPORTED, MODEL_FORWARD_ONLY, MODEL_NAN, IMAGE_INVALID, RUN_INVALID
 */
export async function detectRun(p: Inspected & { readonly detector: Pick }, engine: Engine, ctx: RunContext): Promise<DetectionResult> {
  const { model, clean, adversarial, fitted } = await readInspected(p, engine, ctx);
  const detector = bind("detector", { ...p.detector.params, kind: p.detector.id });
  const begun = ctx.clock();
  const before = await measured(detector, model, clean, partOf(ctx, 0, adversarial ? 2 : 1));
  const after = adversarial && (await measured(detector, model, adversarial, partOf(ctx, 1, 2)));
  const seconds = (ctx.clock() - begun) / 1000;
  const largest = before.found.units.map((_, u) =>
    Math.max(...[before, after].map((side) => side?.found.probabilities[u]?.reduce((a, b) => Math.max(a, b), 0) ?? 0)),
  );
  return insideRun(p, `detect ${path.basename(p.image)}`, async () => {
    const side = (name: string, one: Measured): Promise<DetectedSide> =>
      written(p, { model, name, largest, votes: votesOf(detector, model, one) }, one);
    return {
      fitted,
      detector: documented(detector),
      iteration: p.iteration,
      classes: model.classes,
      passes: before.found.passes,
      seconds,
      largest,
      clean: await side("clean", before),
      adversarial: after && (await side("adversarial", after)),
    };
  });
}

interface Measured {
  readonly image: Float32Array;
  readonly found: Detected;
  /** [k] */
  readonly scores: Float32Array;
}
async function measured(detector: Bound<Detector>, model: Classifier, image: Float32Array, ctx: RunContext): Promise<Measured> {
  const images = inMemory({ images: image, labels: new Int32Array(1), n: 1 }, model.inputShape);
  const found = await detectImages({ detector, model, images, keepsProbabilities: true }, ctx);
  if (found.scores.some(Number.isNaN)) throw scoresNotNumbers();
  return { image, found, scores: await probabilities(forImage(model, ctx), image) };
}

function votesOf({ entry }: Bound<Detector>, { classNames }: Classifier, { found: { votes } }: Measured): ClassVotes[] | null {
  if (!entry.randomised) return null;
  const all = Array.from(votes, (count, index) => ({ index, name: classNames[index] ?? String(index), votes: count }));
  return all.filter((one) => one.votes > 0).sort((a, b) => b.votes - a.votes);
}

interface Told {
  readonly model: Classifier;
  readonly name: string;
  readonly largest: readonly number[];
  readonly votes: ClassVotes[] | null;
}
async function written(p: Inspected, { model, name, largest, votes }: Told, { image, found, scores }: Measured): Promise<DetectedSide> {
  const [height, width] = model.inputShape;
  const picture = fileOf(p, `${name}.png`);
  await writePicture(path.join(p.run, picture), image, 0, model.inputShape);
  const maps = found.units.map(async (unit, u) => {
    const map = await overPicture(model, image, unit, { values: found.probabilities[u], end: largest[u] ?? 0 });
    if (!map) return null;
    const file = fileOf(p, `probabilities-${name}-${u}.png`);
    await writePng(path.join(p.run, file), attentionBytes(map), height, width, 3);
    return file;
  });
  const files = await Promise.all(maps);
  const ordered = classScores(scores, model);
  const [prediction] = ordered;
  if (!prediction) throw new Error("the model has no classes");
  const units = found.units.map((unit, u) => ({ ...unit, map: files[u] ?? null }));
  return { image: picture, prediction, score: found.scores[0] as number, votes, scores: ordered.slice(0, mostScores), units };
}

/**
 * Values of a unit's rows, divided by `end`, at the picture's resolution [H·W]; slices of a volumized network where they lie in the picture.
 * Null without values, and for a layer whose grid is not the picture's or takes any size.
 */
async function overPicture(
  model: Classifier,
  image: Float32Array,
  { layer, rows }: DetectorUnit,
  { values, end }: { readonly values: Float64Array | undefined; readonly end: number },
): Promise<Float32Array | null> {
  const { layers } = model;
  const info = layers?.all.find(({ name }) => name === layer);
  const [height = null, width = null] = info?.spatial ? info.shape.slice(-3, -1) : [];
  if (!values || !layers || height === null || width === null) return null;
  const shares = Float32Array.from(values, (value) => (end > 0 ? value / end : 0));
  const map = tf.tidy(() => {
    const x = tf.tensor4d(image, [1, ...model.inputShape]) as Images;
    return layers.toImage(tf.tensor3d(shares, [rows / (height * width), height, width]), x);
  });
  try {
    return Float32Array.from(await map.data());
  } finally {
    map.dispose();
  }
}
