import type { ImageRecord } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { Attack, Bound } from "../define/index.ts";
import { attackInHalves } from "../harness/halving.ts";
import type { BatchOutcome, CountedOutcome } from "../harness/types.ts";
import { batchesOf, batchSizeOf, type EvaluationImages } from "./batches.ts";
import type { PartialBatches } from "./partial.ts";

/** An attack over all images: [n,H,W,C] pictures in [0,1], one record an image, and what each batch counted. */
export interface Evaluated {
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
  readonly labels: Int32Array;
  readonly cleanPredictions: Int32Array;
  readonly predictions: Int32Array;
  readonly outcomes: readonly CountedOutcome[];
}

/** In the order of the images. */
export const recordsOf = ({ outcomes }: Pick<Evaluated, "outcomes">): ImageRecord[] => outcomes.flatMap(({ records }) => records);

export interface AttackTask {
  readonly attack: Bound<Attack> & { readonly key: string };
  readonly model: Classifier;
  /** What the attacker sees of the model (`attackSurface`); the model itself when left out. */
  readonly surface?: Classifier;
  readonly images: EvaluationImages;
  /** What the attack's preparation made, for an attack that has one. */
  readonly prepared?: unknown;
  readonly partial?: PartialBatches;
  /** Images done, fractions while a batch is under way. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Attacks the images batch by batch. Batches that `partial` has are taken from there, finished ones are put there.
 * Randomness comes from `ctx.rng`, the attack's key and the image's index, so the result does not depend on where a run was interrupted.
 */
export async function evaluateAttack(o: AttackTask, ctx: RunContext): Promise<Evaluated> {
  const { n, inputShape } = o.images;
  const all = emptyEvaluation(n, inputShape);
  for (const [start, end] of batchesOf(n, batchSizeOf(inputShape))) {
    let outcome = (await o.partial?.load(start)) ?? null;
    if (outcome === null) {
      const batch = await o.images.read(start, end);
      const { attack, model, surface } = o;
      const progress = (share: number): void => o.onProgress?.(start + share * (end - start), n);
      const seedName = attack.key;
      const { prepared } = o;
      const task = { attack: attack.entry, params: attack.params, model, surface, batch, firstIndex: start, seedName, progress, prepared };
      outcome = await attackInHalves(task, ctx);
      await o.partial?.save(start, outcome, inputShape);
    }
    all.add(start, outcome);
    o.onProgress?.(end, n);
    await ctx.checkpoint();
  }
  return all;
}

function emptyEvaluation(n: number, [height, width, channels]: readonly [number, number, number]) {
  const pixels = height * width * channels;
  const outcomes: CountedOutcome[] = [];
  const clean = new Float32Array(n * pixels);
  const adversarial = new Float32Array(n * pixels);
  const [labels, cleanPredictions, predictions] = [new Int32Array(n), new Int32Array(n), new Int32Array(n)];
  return {
    clean,
    adversarial,
    labels,
    cleanPredictions,
    predictions,
    outcomes,
    add(start: number, outcome: BatchOutcome): void {
      clean.set(outcome.clean, start * pixels);
      adversarial.set(outcome.adversarial, start * pixels);
      labels.set(outcome.labels, start);
      cleanPredictions.set(outcome.cleanPredictions, start);
      predictions.set(outcome.predictions, start);
      const { records, gradientEvaluations, forwardEvaluations, seconds, notes } = outcome;
      outcomes.push({ records, gradientEvaluations, forwardEvaluations, seconds, notes });
    },
  };
}
