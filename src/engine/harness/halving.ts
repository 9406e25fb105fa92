import { inOneRow, inParts } from "../backends/parts.ts";
import type { RunContext } from "../context.ts";
import type { ImageBatch } from "../define/index.ts";
import { type AttackBatchOptions, attackBatch } from "./runAttack.ts";
import type { BatchOutcome, HarnessNotes } from "./types.ts";

/** Every image is attacked by itself: nobody watches the batch as a whole, and nothing is prepared from it. */
const isSeparable = (o: AttackBatchOptions): boolean =>
  o.trace === undefined && (o.attack.preparation === undefined || o.prepared !== undefined);

/**
 * As `attackBatch`, but in parts of at most `most` images, and in halves if a GPU fails or memory runs out. Images are attacked
 * independently, each with its own random stream, so the result is the same.
 */
export async function attackInHalves(o: AttackBatchOptions, ctx: RunContext, most = Number.POSITIVE_INFINITY): Promise<BatchOutcome> {
  if (!isSeparable(o)) return attackBatch(o, ctx);
  const { n } = o.batch;
  const outcomes = await inParts(n, most, o.model.evaluations, (start, end) =>
    attackBatch(end - start === n ? o : partOf(o, start, end), ctx),
  );
  return outcomes.length === 1 ? (outcomes[0] as BatchOutcome) : joined(outcomes);
}

function partOf(o: AttackBatchOptions, start: number, end: number): AttackBatchOptions {
  const { batch, targetIndices, cleanPredictions, progress } = o;
  return {
    ...o,
    batch: partOfBatch(batch, start, end),
    firstIndex: o.firstIndex + start,
    ...(targetIndices ? { targetIndices: targetIndices.slice(start, end) } : {}),
    ...(cleanPredictions ? { cleanPredictions: cleanPredictions.slice(start, end) } : {}),
    ...(progress ? { progress: (share: number) => progress((start + share * (end - start)) / batch.n) } : {}),
  };
}

/** Images [start, end) of a batch. */
export function partOfBatch({ images, labels, n }: ImageBatch, start: number, end: number): ImageBatch {
  const pixels = images.length / n;
  return { images: images.slice(start * pixels, end * pixels), labels: labels.slice(start, end), n: end - start };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The outcomes of a batch's parts as that of the batch. */
function joined(parts: readonly BatchOutcome[]): BatchOutcome {
  const ints = (read: (part: BatchOutcome) => Int32Array): Int32Array => Int32Array.from(parts.flatMap((part) => [...read(part)]));
  const count = (read: (part: BatchOutcome) => number): number => sum(parts.map(read));
  const notes: HarnessNotes = {
    outOfBall: count((part) => part.notes.outOfBall),
    notFinite: count((part) => part.notes.notFinite),
    silentSuccess: count((part) => part.notes.silentSuccess),
    lostAfter8Bit: count((part) => part.notes.lostAfter8Bit),
    skipped: count((part) => part.notes.skipped),
    zeroGradient: count((part) => part.notes.zeroGradient),
    zeroMargin: count((part) => part.notes.zeroMargin),
    usesGradients: parts.some((part) => part.notes.usesGradients),
  };
  return {
    clean: inOneRow(parts.map((part) => part.clean)),
    adversarial: inOneRow(parts.map((part) => part.adversarial)),
    labels: ints((part) => part.labels),
    cleanPredictions: ints((part) => part.cleanPredictions),
    predictions: ints((part) => part.predictions),
    records: parts.flatMap((part) => part.records),
    gradientEvaluations: count((part) => part.gradientEvaluations),
    forwardEvaluations: count((part) => part.forwardEvaluations),
    seconds: count((part) => part.seconds),
    notes,
  };
}
