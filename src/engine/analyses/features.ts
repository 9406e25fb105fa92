import { BulwarkError } from "../../shared/errors.ts";
import type { ImageRecord } from "../../shared/results.ts";
import { inOneRow } from "../backends/parts.ts";
import type { Classifier, LayerInfo } from "../classifier/classifier.ts";
import { layerNamed } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { AnalysisSubject } from "../define/analysis.ts";
import type { Random } from "../random.ts";
import { layersOf } from "../sampling/units.ts";
import { type Images, tf, valuesOf } from "../tf.ts";

export type Shown = Pick<ImageRecord, "index" | "label" | "prediction">;
export interface Distances {
  /** Squared Euclidean distances [n·n] of all features; null where they are too many to hold. */
  readonly squared: Float64Array | null;
  /** Numbers of one image. */
  readonly size: number;
}

/** Bytes of one layer's features that are held at once. */
const mostBytes = 1e9;
const batch = 50;

/** The two classes asked for, or two at random of those that have images. @throws PARAMETER_INVALID */
export function chosenClasses(
  { classNames }: Classifier,
  records: readonly ImageRecord[],
  asked: readonly number[],
  rng: Random,
): readonly [number, number] {
  const known = [...new Set(records.map(({ label }) => label))].sort((a, b) => a - b);
  const missing = asked.find((label) => !known.includes(label));
  if (missing !== undefined)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `tsne: no test image is of class ${missing}${classNames[missing] === undefined ? "" : ` (${classNames[missing]})`}.`,
      `There are images of ${known.slice(0, 20).join(", ")}.`,
    );
  const drawn = asked.length === 2 ? asked : Array.from(rng.stream("classes").permutation(known.length), (i) => known[i] as number);
  const [a, b] = [...drawn.slice(0, 2)].sort((x, y) => x - y);
  if (a === undefined || b === undefined)
    throw new BulwarkError("PARAMETER_INVALID", "tsne shows two classes, and the test images are of one.", 'Raise "test" of the dataset.');
  return [a, b];
}

/** Names of the layers asked for; else those of the paper: the first convolution and two hidden dense layers, each with its activation. */
export function layersShown(model: Classifier, asked: readonly string[]): string[] {
  const { all } = layersOf(model, "tsne", "a layers model");
  const unknown = asked.find((name) => !layerNamed(all, name));
  if (unknown !== undefined)
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `tsne: there is no layer "${unknown}".`,
      `There are ${all
        .filter(({ activation }) => activation !== null)
        .map(({ name }) => name)
        .join(", ")}.`,
    );
  if (asked.length > 0) return [...asked];
  const active = all.filter(({ activation }) => activation !== null && activation !== "softmax");
  const [first] = active.filter(({ spatial }) => spatial);
  const dense = active.filter(isVector).slice(0, 2);
  const shown = [...(first ? [first] : []), ...dense];
  if (dense.length === 0) shown.push(...all.filter(isVector).slice(0, 1));
  return [...new Set(shown.map(({ name }) => name))];
}
const isVector = ({ shape }: LayerInfo): boolean => shape.length === 2;

/** Distances between what a layer makes of the images that an attack left. */
export async function featureDistances(
  { model, images }: AnalysisSubject,
  attackKey: string,
  shown: readonly Shown[],
  layer: string,
  ctx: RunContext,
): Promise<Distances> {
  const source = images(attackKey);
  const { size, parts } = await featuresIn(model, layer, shown, async (index) => (await source.read(index, index + 1)).images, ctx);
  if (parts === null) return { squared: null, size };
  return { squared: await distancesOf(parts, shown.length), size };
}

async function featuresIn(
  model: Classifier,
  layer: string,
  shown: readonly Shown[],
  read: (index: number) => Promise<Float32Array>,
  ctx: RunContext,
): Promise<{ readonly size: number; readonly parts: Float32Array[] | null }> {
  const parts: Float32Array[] = [];
  let size = 0;
  for (let start = 0; start < shown.length; start += batch) {
    const some = shown.slice(start, start + batch);
    const pixels: Float32Array[] = [];
    for (const { index } of some) pixels.push(await read(index));
    const x: Images = tf.tensor4d(inOneRow(pixels), [some.length, ...model.inputShape]);
    const { logits, taken } = layersOf(forImages(model, ctx.rng, some[0]?.index ?? 0), "tsne").run(x, { take: [layer] });
    tf.dispose([x, logits]);
    const part = await valuesOf(taken.get(layer) as tf.Tensor);
    size = part.length / some.length;
    if (4 * size * shown.length > mostBytes) return { size, parts: null };
    parts.push(part);
    await ctx.checkpoint();
  }
  return { size, parts };
}

/** ‖a‖² + ‖b‖² − 2⟨a, b⟩ of features without their mean, which would cost digits; a rounding error below 0 is 0. */
async function distancesOf(parts: readonly Float32Array[], n: number): Promise<Float64Array> {
  const rows = inOneRow(parts);
  const gram = await valuesOf(
    tf.tidy(() => {
      const features = tf.tensor2d(rows, [n, rows.length / n]);
      const centred = tf.sub(features, tf.mean(features, 0, true));
      return tf.matMul(centred, centred, false, true);
    }),
  );
  const squared = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      if (i !== j) {
        const between = (gram[i * n + i] as number) + (gram[j * n + j] as number) - 2 * (gram[i * n + j] as number);
        squared[i * n + j] = Math.max(0, between);
      }
  return squared;
}
