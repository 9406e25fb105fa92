import { DeviceFailure } from "../backends/failures.ts";
import { attempt, largestBatch } from "../backends/index.ts";
import type { RunContext } from "../context.ts";
import { type AttackBatchOptions, attackBatch } from "./runAttack.ts";
import type { BatchOutcome, HarnessNotes } from "./types.ts";

/** Every image is attacked by itself: nobody watches the batch as a whole, and nothing is prepared from it. */
const isSeparable = (o: AttackBatchOptions): boolean =>
  o.batch.n > 1 && o.trace === undefined && (o.attack.preparation === undefined || o.prepared !== undefined);

/**
 * As `attackBatch`, but in halves if a GPU fails or memory runs out. Images are attacked independently, each with its own random stream, so
 * the result is the same. On a CPU halves are halved again; a half that fails on a GPU is computed on the CPU. Later batches stay below the
 * size that failed.
 */
export async function attackInHalves(o: AttackBatchOptions, ctx: RunContext): Promise<BatchOutcome> {
  if (!isSeparable(o)) return attackBatch(o, ctx);
  const bound = largestBatch();
  if (o.batch.n > bound) return inParts(o, bound, ctx);
  const evaluations = { ...o.model.evaluations };
  try {
    return await attempt(o.batch.n, () => attackBatch(o, ctx));
  } catch (thrown) {
    if (!(thrown instanceof DeviceFailure)) throw thrown;
    Object.assign(o.model.evaluations, evaluations); // what was lost is not part of the attack
    return inParts(o, largestBatch(), ctx);
  }
}

async function inParts(o: AttackBatchOptions, most: number, ctx: RunContext): Promise<BatchOutcome> {
  const { images, labels, n } = o.batch;
  const pixels = images.length / n;
  const outcomes: BatchOutcome[] = [];
  for (let start = 0; start < n; start += most) {
    const end = Math.min(n, start + most);
    const batch = { images: images.slice(start * pixels, end * pixels), labels: labels.slice(start, end), n: end - start };
    const { targetIndices, cleanPredictions, progress } = o;
    const part: AttackBatchOptions = {
      ...o,
      batch,
      firstIndex: o.firstIndex + start,
      ...(targetIndices ? { targetIndices: targetIndices.slice(start, end) } : {}),
      ...(cleanPredictions ? { cleanPredictions: cleanPredictions.slice(start, end) } : {}),
      ...(progress ? { progress: (share: number) => progress((start + share * (end - start)) / n) } : {}),
    };
    outcomes.push(await attackInHalves(part, ctx));
  }
  return joined(outcomes);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function floats(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(sum(parts.map((part) => part.length)));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

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
    usesGradients: parts.some((part) => part.notes.usesGradients),
  };
  return {
    clean: floats(parts.map((part) => part.clean)),
    adversarial: floats(parts.map((part) => part.adversarial)),
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
