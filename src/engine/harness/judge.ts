import type { ImageRecord } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { Attack, Ball, ImageBatch, Params } from "../define/index.ts";
import { type Aim, Judge } from "./criterion.ts";
import { searchLattice } from "./lattice.ts";
import { type Predicted, scoredIn8Bits } from "./predict.ts";
import { normsOf, projectOntoBall } from "./project.ts";
import type { HarnessNotes } from "./types.ts";

/** What an attack has left: its proposal, the best iterate [b,H,W,C] and the first one that met the criterion (−1 for none). */
export interface Finished {
  readonly proposal: Float32Array;
  readonly best: { readonly images: Float32Array; readonly firstHit: ArrayLike<number> };
  readonly clean: Predicted;
  readonly iterations: number;
  /** 1 for each image where the attack's first gradient is exactly zero; null where it took none. */
  readonly zeroGradients: ArrayLike<number> | null;
}
export interface Judged {
  readonly adversarial: Float32Array;
  readonly predictions: Int32Array;
  readonly records: ImageRecord[];
  readonly notes: HarnessNotes;
}

/** Attack, batch and model that were run. */
export interface Judgement {
  readonly attack: Attack;
  readonly params: Params;
  readonly model: Classifier;
  readonly batch: ImageBatch;
  readonly firstIndex: number;
  readonly aim: Aim;
  /** What the model says of images of the batch. */
  readonly score: (images: Float32Array) => Promise<Predicted>;
  /** What the attack's preparation made. */
  readonly prepared?: unknown;
  /** Gradient [b,H,W,C] of being adversarial, of an attack that may see gradients. */
  readonly ascent?: ((images: Float32Array) => Promise<Float32Array>) | undefined;
}

/** Projects, chooses between proposal and best iterate, scores, rounds, scores again, searches where rounding has undone a success. */
export async function judge(o: Judgement, f: Finished): Promise<Judged> {
  const { images: clean, labels, n } = o.batch;
  const [height, width, channels] = o.model.inputShape;
  const pixels = height * width * channels;
  const ball: Ball = o.attack.ball(o.params, { inputShape: o.model.inputShape, prepared: o.prepared });
  const slice = (values: Float32Array, i: number): Float32Array => values.subarray(i * pixels, (i + 1) * pixels);
  const criterion = new Judge(o.aim, labels);
  const skipped = Array.from({ length: n }, (_, i) => criterion.isSettled(f.clean, i));

  const projected = projectOntoBall(f.proposal, clean, ball, o.model.inputShape);
  const adversarial = projected.images;
  for (let i = 0; i < n; i++) if (skipped[i]) slice(adversarial, i).set(slice(clean, i));
  let scored = await o.score(adversarial);

  const silent = skipped.map((isSkipped, i) => !isSkipped && !criterion.reached(scored, i) && (f.best.firstHit[i] ?? -1) >= 0);
  if (silent.includes(true)) {
    const iterate = projectOntoBall(f.best.images, clean, ball, o.model.inputShape).images;
    for (let i = 0; i < n; i++) if (silent[i]) slice(adversarial, i).set(slice(iterate, i));
    scored = await o.score(adversarial);
  }
  const successes = skipped.map((isSkipped, i) => !isSkipped && criterion.reached(scored, i));
  const rounded = await scoredIn8Bits(adversarial, scored, successes, o.score);
  const lost = [...successes.keys()].filter((i) => successes[i] && !criterion.reached(rounded, i));
  const reached = (found: Predicted, i: number): boolean => criterion.reached(found, i);
  // A perturbation made for many images, such as a patch, is not adapted to one of them; and a smallest change would no longer be one.
  const repairable = o.attack.preparation === undefined && !o.attack.minimizes ? lost : [];
  const repaired = await searchLattice({ ...o, clean, ball, size: pixels, channels, reached }, adversarial, repairable);
  for (const [i, image] of repaired.found) slice(adversarial, i).set(image);
  scored = merged(scored, repaired.scored, repaired.found);
  const records = Array.from({ length: n }, (_, i): ImageRecord => {
    const success = successes[i] === true;
    const hit = f.best.firstHit[i] ?? -1;
    const target = o.aim.targets?.[i];
    return {
      index: o.firstIndex + i,
      label: labels[i] ?? -1,
      cleanPrediction: f.clean.classes[i] ?? -1,
      prediction: scored.classes[i] ?? -1,
      confidence: scored.confidence[i] ?? Number.NaN,
      success,
      successAfter8Bit: success && (criterion.reached(rounded, i) || repaired.found.has(i)),
      ...(repaired.found.has(i) ? { repaired: true } : {}),
      ...normsOf(slice(adversarial, i), slice(clean, i), channels),
      iterations: skipped[i] ? 0 : hit >= 0 ? hit : f.iterations,
      ...(target === undefined ? {} : { target }),
    };
  });
  const count = (test: (i: number) => boolean): number => records.reduce((sum, _, i) => sum + (test(i) ? 1 : 0), 0);
  const unbroken = [...records.keys()].filter((i) => !records[i]?.success && !skipped[i]);
  const notes: HarnessNotes = {
    outOfBall: count((i) => !skipped[i] && (projected.moved[i] ?? 0) > 1e-6),
    notFinite: count((i) => !skipped[i] && projected.notFinite[i] === true),
    silentSuccess: count((i) => silent[i] === true && records[i]?.success === true),
    lostAfter8Bit: count((i) => records[i]?.success === true && !records[i]?.successAfter8Bit),
    skipped: count((i) => skipped[i] === true),
    ...(await gradientNotes(o, f, unbroken)),
  };
  return { adversarial, predictions: scored.classes, records, notes };
}

/** What the attack saw of gradients, on the images that it did not break. */
async function gradientNotes(
  o: Judgement,
  { zeroGradients }: Finished,
  unbroken: readonly number[],
): Promise<Pick<HarnessNotes, "zeroGradient" | "zeroMargin" | "usesGradients">> {
  const blind = unbroken.filter((i) => zeroGradients?.[i]);
  // A preparation took its gradients before.
  const usesGradients = o.attack.access === "gradients" && o.attack.preparation === undefined;
  return { zeroGradient: blind.length, zeroMargin: await flatIn(o, blind), usesGradients };
}

/** How many of these images of the batch the margin has no slope at either. */
async function flatIn({ ascent, batch: { images, n } }: Judgement, places: readonly number[]): Promise<number> {
  if (!ascent || places.length === 0) return 0;
  const slopes = await ascent(images);
  const size = images.length / n;
  return places.filter((i) => slopes.subarray(i * size, (i + 1) * size).every((slope) => slope === 0)).length;
}

/** What the model says of a batch, some of whose images were replaced. */
function merged(scored: Predicted, again: Predicted | null, replaced: ReadonlyMap<number, unknown>): Predicted {
  if (!again) return scored;
  const [classes, confidence] = [Int32Array.from(scored.classes), Float32Array.from(scored.confidence)];
  for (const i of replaced.keys()) {
    classes[i] = again.classes[i] as number;
    confidence[i] = again.confidence[i] as number;
  }
  return { classes, confidence };
}
