import type { ImageRecord } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { forImages } from "../classifier/streams.ts";
import type { RunContext } from "../context.ts";
import { predict } from "../harness/predict.ts";
import { scoreTransferred, type TransferredBatch } from "../harness/transferred.ts";
import { batchesOf, batchSizeOf } from "./batches.ts";
import type { Evaluated } from "./evaluate.ts";

/** `scoreTransferred` in batches that fit. */
export async function scoreAll(
  model: Classifier,
  { clean, adversarial, before, target }: TransferredBatch,
  onProgress: (done: number, total: number) => void,
  ctx: RunContext,
): Promise<ImageRecord[]> {
  const pixels = pixelsOf(model);
  const records: ImageRecord[] = [];
  for (const [start, end] of batchesOf(before.length, batchSizeOf(model.inputShape))) {
    const cut = (values: Float32Array): Float32Array => values.subarray(start * pixels, end * pixels);
    records.push(
      ...(await scoreTransferred(
        model,
        { clean: cut(clean), adversarial: cut(adversarial), before: before.slice(start, end), target },
        ctx.rng,
      )),
    );
    onProgress(end, before.length);
    await ctx.checkpoint();
  }
  return records;
}

/** An attack on one model as another one meets it: images and cost stay, predictions and successes are the other's. */
export async function transferred(attacked: Evaluated, model: Classifier, target: number | null, ctx: RunContext): Promise<Evaluated> {
  const { clean, adversarial, labels, outcomes } = attacked;
  const n = labels.length;
  const pixels = pixelsOf(model);
  const cleanPredictions = new Int32Array(n);
  for (const [start, end] of batchesOf(n, batchSizeOf(model.inputShape))) {
    cleanPredictions.set(await predict(forImages(model, ctx.rng, start), clean.subarray(start * pixels, end * pixels)), start);
    await ctx.checkpoint();
  }
  const before = Array.from(labels, (label, index) => ({ index, label, cleanPrediction: cleanPredictions[index] as number }));
  const records = await scoreAll(model, { clean, adversarial, before, target }, () => {}, ctx);
  const predictions = Int32Array.from(records, ({ prediction }) => prediction);
  const scored = outcomes.map((outcome) => ({ ...outcome, records: outcome.records.map(({ index }) => records[index] as ImageRecord) }));
  const skipped = records.filter(({ label, cleanPrediction }) => label !== cleanPrediction).length;
  const lostAfter8Bit = records.filter(({ success, successAfter8Bit }) => success && !successAfter8Bit).length;
  // The notes are about the model that the images are shown to; they are added up over batches, so the first one has them all.
  const told = scored.map((outcome, i) => ({
    ...outcome,
    notes: { ...outcome.notes, silentSuccess: 0, skipped: i === 0 ? skipped : 0, lostAfter8Bit: i === 0 ? lostAfter8Bit : 0 },
  }));
  return { ...attacked, cleanPredictions, predictions, outcomes: told };
}

const pixelsOf = ({ inputShape: [height, width, channels] }: Classifier): number => height * width * channels;
