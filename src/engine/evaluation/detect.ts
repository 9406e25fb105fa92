import { type DetectedArea, type DetectionAtRate, type RocPoint, wilson } from "../../shared/results.ts";
import type { DetectorUnit } from "../../shared/sampledUnits.ts";
import { unitsTogether } from "../../shared/sampledUnits.ts";
import { inParts } from "../backends/parts.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import { type RunContext, streamContext } from "../context.ts";
import type { Bound, Detection, DetectionUnit, Detector, EvaluationImages, ImageBatch } from "../define/index.ts";
import { partOfBatch } from "../harness/halving.ts";
import { probabilities } from "../harness/predict.ts";
import { delong } from "../metrics/delong.ts";
import { type Roc, roc } from "../metrics/roc.ts";
import { type Stop, sharesAbove } from "../metrics/thresholds.ts";
import { type Images, tf } from "../tf.ts";
import { batchesWithin, type Range } from "./batches.ts";
import { argmax } from "./clean.ts";
import { imageBatches } from "./imageBatches.ts";

/** A detector over n images, in their order. */
export interface Detected {
  /** [n], larger = more likely adversarial. */
  readonly scores: Float64Array;
  /** Hard labels of the detector's passes, counted by class [n·k]; of one that takes no votes the prediction counts once. */
  readonly votes: Int32Array;
  readonly labels: Int32Array;
  /** Of the model itself, without the detector. */
  readonly predictions: Int32Array;
  /** Forward passes an image. */
  readonly passes: number;
  /** Layers that the detector samples, in network order, with the mean share that they kept. */
  readonly units: readonly DetectorUnit[];
  /** Of each unit's rows [n·rows], where the detector tells them and they were asked for. */
  readonly probabilities: readonly Float64Array[];
}

export interface DetectTask {
  readonly detector: Bound<Detector>;
  readonly model: Classifier;
  readonly images: EvaluationImages;
  /** Keep the probabilities of every image: a number for each place of each map. */
  readonly keepsProbabilities?: boolean;
  /** Images done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Scores of all images, or of a range of them, batch by batch. What is random follows from `ctx.rng`, the detector's id and the image's
 * index, so that an image gets the same score and votes alone, in any batch and after a resume.
 */
export async function detectImages(
  { detector, model, images, keepsProbabilities = false, onProgress }: DetectTask,
  ctx: RunContext,
  [from, to]: Range = [0, images.n],
): Promise<Detected> {
  const n = to - from;
  const k = model.classes;
  const scores = new Float64Array(n);
  const votes = new Int32Array(n * k);
  const [labels, predictions] = [new Int32Array(n), new Int32Array(n)];
  const units = unitTotals(n, keepsProbabilities);
  let passes = 0;
  const { size, most } = batchSizeFor(model, "forward");
  for await (const [[start, end], batch] of imageBatches(images, batchesWithin([from, to], size))) {
    const parts = await inParts(batch.n, most, model.evaluations, async (first, last) => ({
      at: start - from + first,
      found: await detectBatch(detector, model, partOfBatch(batch, first, last), start + first, ctx),
    }));
    labels.set(batch.labels, start - from);
    for (const { at, found } of parts) {
      scores.set(found.scores, at);
      votes.set(found.votes, at * k);
      predictions.set(found.predictions, at);
      passes = Math.max(passes, found.passes);
      units.add(found.units ?? [], at, found.predictions.length);
    }
    onProgress?.(end - from, n);
    await ctx.checkpoint();
  }
  return { scores, votes, labels, predictions, passes, ...units.read() };
}

/** Units of the images of a set, batch by batch. */
function unitTotals(n: number, keepsProbabilities: boolean) {
  const parts: { units: readonly DetectorUnit[]; images: number }[] = [];
  const probabilities: Float64Array[] = [];
  return {
    add(found: readonly DetectionUnit[], at: number, images: number): void {
      parts.push({ units: found.map(({ probabilities: _, ...unit }) => unit), images });
      if (!keepsProbabilities) return;
      found.forEach(({ rows, probabilities: batch }, u) => {
        if (!batch) return;
        const all = probabilities[u] ?? new Float64Array(n * rows);
        all.set(batch, at * rows);
        probabilities[u] = all;
      });
    },
    read: () => ({ units: unitsTogether(parts), probabilities }),
  };
}

async function detectBatch(
  { id, params, entry }: Bound<Detector>,
  model: Classifier,
  batch: ImageBatch,
  first: number,
  ctx: RunContext,
): Promise<Pick<Detected, "scores" | "votes" | "predictions" | "passes"> & Pick<Detection, "units">> {
  const k = model.classes;
  const classScores = await probabilities(forImages(model, ctx.rng, first), batch.images);
  const predictions = Int32Array.from({ length: batch.n }, (_, i) => argmax(classScores, i, k));
  const stream = streamContext(ctx, (i) => ctx.rng.stream(`${id}/${first + i}`));
  const x: Images = tf.tensor4d(batch.images, [batch.n, ...model.inputShape]);
  try {
    const found = await entry.score(forImages(model, ctx.rng, first, id), x, params, stream);
    const votes = found.votes ?? Int32Array.from({ length: batch.n * k }, (_, j) => Number(predictions[Math.floor(j / k)] === j % k));
    return { ...found, scores: Float64Array.from(found.scores), votes, predictions };
  } finally {
    x.dispose();
  }
}

/** @param curve of these scores, where it is known already */
export function areaOf(
  adversarial: ArrayLike<number>,
  clean: ArrayLike<number>,
  curve: Roc | null = roc(adversarial, clean),
): DetectedArea {
  return { n: adversarial.length, auc: curve?.auc ?? null, interval: curve && delong(adversarial, clean, curve.auc) };
}

/** How well scores tell adversarial images from clean ones. */
export interface Separation extends DetectedArea {
  /** Share of the adversarial images above the threshold. */
  readonly detected: number | null;
  /** What is detected at fixed rates of false alarms, by the curve of all scores; empty where there are none of one kind. */
  readonly atRates: readonly DetectionAtRate[];
  /** Of the curve, one for each stop; empty where there are none of one kind. */
  readonly points: readonly RocPoint[];
}

/** False-positive rates that detection is reported at. */
const reportedRates = [0.01, 0.05, 0.1];

/** @param threshold of `thresholdAt`; null where there is none @param stops of `thresholdStops` */
export function separation(
  adversarial: ArrayLike<number>,
  clean: ArrayLike<number>,
  { threshold, stops }: { readonly threshold: number | null; readonly stops: readonly Stop[] },
): Separation {
  const curve = roc(adversarial, clean);
  const flagged = threshold === null ? null : Array.from(adversarial).filter((score) => score > threshold).length;
  const [caught, alarms] = [sharesAbove(adversarial, stops), sharesAbove(clean, stops)];
  return {
    ...areaOf(adversarial, clean, curve),
    detected: flagged === null || adversarial.length === 0 ? null : flagged / adversarial.length,
    atRates: curve ? reportedRates.map((rate) => detectionAt(curve, rate, adversarial.length)) : [],
    points: curve ? stops.map((_, i) => ({ falsePositiveRate: alarms[i] as number, truePositiveRate: caught[i] as number })) : [],
  };
}

/** The largest share of n positives that can be flagged so that at most this share of the negatives is; Wilson's 95 % interval. */
function detectionAt({ points }: Roc, falsePositiveRate: number, n: number): DetectionAtRate {
  const detected = points.findLast((point) => point.falsePositiveRate <= falsePositiveRate + 1e-12)?.truePositiveRate ?? 0;
  return { falsePositiveRate, detected, interval: wilson(detected * n, n) as readonly [number, number] };
}
