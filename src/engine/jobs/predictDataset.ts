import { percent, plural } from "../../shared/format.ts";
import type { PredictDocument } from "../../shared/images.ts";
import { runFiles } from "../../shared/runs.ts";
import { inOneRow, inParts } from "../backends/parts.ts";
import { batchSizeFor } from "../classifier/batchSizes.ts";
import { type Classifier, inputGradient } from "../classifier/classifier.ts";
import { requireGradients } from "../classifier/forwardOnly.ts";
import { largestScores, probabilityAt } from "../classifier/probabilities.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import type { EvaluationImages, ImageBatch } from "../define/index.ts";
import { batchesOf } from "../evaluation/batches.ts";
import { imageBatches } from "../evaluation/imageBatches.ts";
import { missingLabels } from "../evaluation/source.ts";
import { partOfBatch } from "../harness/halving.ts";
import { checkImages } from "../harness/predict.ts";
import { type NpyStream, writeNpz } from "../io/npz.ts";
import { crossEntropy } from "../losses/crossEntropy.ts";
import { findingLine } from "../rules/rule.ts";
import type { Engine } from "../session/engine.ts";
import { type Images, tf, valuesOf } from "../tf.ts";
import { type ModelRequest, runOverImages, type Working, withModel, writeIdentities } from "./overImages.ts";

/**
 * Logits of a model for a data set or pictures, and the gradient of the loss at each image where that is asked for: `predictions.npz` and
 * `result.json`. Batch by batch: neither images nor gradients are held as a whole.
 * @throws what opening model and images throws; LABEL_RANGE, IMAGE_INVALID, MODEL_NAN
 */
export const predictDataset = (
  p: ModelRequest & { readonly gradient: boolean },
  engine: Engine,
  ctx: RunContext,
): Promise<{ readonly directory: string; readonly document: PredictDocument }> =>
  withModel({ ...p, unmatched: p.gradient ? "nameFlag" : "leaveOut" }, engine, ctx, (model, opened) => {
    if (p.gradient) requireGradients(model, "--gradient");
    const { images } = opened;
    const work = async (run: Working) => {
      const found = new Predictions(model, images.n);
      const pass = predictAll(model, images, found, p.gradient, run);
      const stream: NpyStream = { type: "float32", shape: [images.n, ...images.inputShape], chunks: () => pass };
      const arrays = () => ({
        logits: { data: found.logits, shape: [images.n, model.classes] },
        label: { data: found.labels, shape: [images.n] },
        prediction: { data: found.predictions, shape: [images.n] },
      });
      if (!p.gradient) for await (const _ of pass);
      // The gradient comes first: while its batches are written, the rest is filled in.
      const gradient = p.gradient ? { gradient: stream } : {};
      await writeNpz(run.store.file(runFiles.predictions), { ...gradient, ...arrays() });
      const about = await writeIdentities(run, p, { opened, labels: found.labels, model });
      const document = documentOf(run.store.id, p, model, { found, about, missing: missingLabels(opened.labelSources) });
      return { document, headline: document.labels ? plural(images.n, "image") : `${percent(document.accuracy)} correct` };
    };
    const warnings = model.findings.map(findingLine);
    const { notes, skipped } = opened;
    return runOverImages(
      p,
      {
        kind: "predict",
        phase: "Predicting",
        asked: { gradient: p.gradient },
        batches: { model, need: p.gradient ? "gradient" : "forward" },
        warnings,
        notes,
        skipped,
        work,
      },
      engine,
      ctx,
    );
  });

/** Filled in batch by batch. */
class Predictions {
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly predictions: Int32Array;
  /** Of the predicted class. */
  readonly probabilities: Float64Array;

  readonly #model: Classifier;

  constructor(model: Classifier, n: number) {
    this.#model = model;
    this.logits = new Float32Array(n * model.classes);
    this.labels = new Int32Array(n);
    this.predictions = new Int32Array(n);
    this.probabilities = new Float64Array(n);
  }

  add(start: number, labels: Int32Array, logits: Float32Array, classes: number): void {
    this.logits.set(logits, start * classes);
    this.labels.set(labels, start);
    largestScores(logits, labels.length, classes).forEach((best, i) => {
      this.predictions[start + i] = best;
      this.probabilities[start + i] = probabilityAt(this.#model, logits, i * classes, classes, best);
    });
  }
}

/** Fills in `found`, and gives the gradients of one batch after another where they are wanted. */
async function* predictAll(
  model: Classifier,
  images: EvaluationImages,
  found: Predictions,
  withGradient: boolean,
  { ctx, progress }: Working,
): AsyncGenerator<Float32Array> {
  const { size, most } = batchSizeFor(model, withGradient ? "gradient" : "forward");
  for await (const [[start, end], batch] of imageBatches(images, batchesOf(images.n, size))) {
    checkImages(batch, model);
    const parts = await inParts(batch.n, most, model.evaluations, (from, to) =>
      predictBatch(forImages(model, ctx.rng, start + from), partOfBatch(batch, from, to), withGradient),
    );
    found.add(start, batch.labels, inOneRow(parts.map(({ logits }) => logits)), model.classes);
    progress(end, images.n);
    await ctx.checkpoint();
    if (withGradient) yield inOneRow(parts.map(({ gradient }) => gradient));
  }
}

async function predictBatch(model: Classifier, { images, labels, n }: ImageBatch, withGradient: boolean) {
  const x: Images = tf.tensor4d(images, [n, ...model.inputShape]);
  const y = tf.tensor1d(labels, "int32");
  try {
    if (!withGradient) return { logits: await valuesOf(model.logits(x)), gradient: new Float32Array() };
    const { logits, gradient } = inputGradient(model, x, (z) => crossEntropy(z, y, "sum"));
    return { logits: await valuesOf(logits), gradient: await valuesOf(gradient) };
  } finally {
    tf.dispose([x, y]);
  }
}

interface Found {
  readonly found: Predictions;
  /** What is known of each image beside its pixels. */
  readonly about: Awaited<ReturnType<typeof writeIdentities>>;
  readonly missing: PredictDocument["labels"];
}

function documentOf(run: string, { model }: ModelRequest, { defenses }: Classifier, o: Found): PredictDocument {
  const { found, about, missing } = o;
  const { labels, predictions, probabilities } = found;
  const images = Array.from(labels, (label, index) => ({
    index,
    ...about[index],
    label,
    prediction: predictions[index] as number,
    probability: probabilities[index] as number,
  }));
  const correct = images.filter(({ label, prediction }) => label === prediction).length;
  return {
    run,
    n: images.length,
    model,
    defenses: defenses.filter(({ id }) => id !== "standard"),
    ...(missing ? { labels: missing } : {}),
    accuracy: missing ? null : correct / images.length,
    images,
    files: { predictions: runFiles.predictions },
  };
}
