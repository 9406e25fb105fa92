import { type Classifier, inputGradient } from "../classifier/classifier.ts";
import { requireAccess, requirePreparation } from "../classifier/forwardOnly.ts";
import { probabilitiesOf } from "../classifier/probabilities.ts";
import { forImages } from "../classifier/streams.ts";
import { type RunContext, streamContext } from "../context.ts";
import type { Attack, AttackBatch, AttackContext, ImageBatch, Params } from "../define/index.ts";
import { type Goal, margin } from "../losses/margin.ts";
import { type Images, type Logits, tf } from "../tf.ts";
import { BestIterate } from "./bestIterate.ts";
import { type Aim, aimOf, Judge } from "./criterion.ts";
import { FirstGradient } from "./firstGradient.ts";
import { judge } from "./judge.ts";
import { checkImages, type Predicted, predictWithConfidence, probabilities } from "./predict.ts";
import { targetsOf } from "./targets.ts";
import type { AttackTracePoint, BatchOutcome } from "./types.ts";

export interface AttackBatchOptions {
  readonly attack: Attack;
  /** Complete: defaults are filled in. */
  readonly params: Params;
  /** What the images are judged by. */
  readonly model: Classifier;
  /** What the attacker sees of it (`attackSurface`); the model itself when left out. */
  readonly surface?: Classifier | undefined;
  readonly batch: ImageBatch;
  /** Index of the first image in the data set; records and random streams are named by index. */
  readonly firstIndex: number;
  readonly seedName: string;
  /** Predicted classes of the images before the attack, where somebody has them; of a randomised model those that `predict` draws. */
  readonly cleanPredictions?: Int32Array | undefined;
  /** Target class for each image; overrides what the parameters say. */
  readonly targetIndices?: readonly number[];
  /** What the attack's preparation made; without it, an attack that has one is prepared with the images of this batch. */
  readonly prepared?: unknown;
  /** Watches the iterations, at the price of reading every iterate. */
  readonly trace?: (point: AttackTracePoint) => void | Promise<void>;
  /** Share of the iterations that is done, in [0,1]; called without reading anything. */
  readonly progress?: (share: number) => void;
}

/**
 * Attacks one batch and decides what came of it: the attack's images are projected onto its ball and [0,1], scored by a fresh forward
 * pass, replaced by the best iterate where that is adversarial and they are not, and scored again after rounding to 8 bits; where that
 * undoes a success, an adversarial image of whole 8-bit levels nearby takes its place if there is one. Images that are misclassified before the attack are returned as they are (0.4). Random numbers depend on seed, `seedName` and image index
 * only, so that a resumed run, or one with other batches, gives the same images.
 * @throws MODEL_FORWARD_ONLY, what the attack's own check throws, IMAGE_INVALID for images that are no numbers in [0,1], MODEL_NAN when the model's scores
 * are none
 */
export async function attackBatch(o: AttackBatchOptions, ctx: RunContext): Promise<BatchOutcome> {
  const started = ctx.clock();
  requireAccess(o.attack, o.params, o.surface ?? o.model);
  if (o.prepared === undefined) requirePreparation(o.attack, o.params, o.surface ?? o.model);
  o.attack.check?.(o.params, o.model);
  checkImages(o.batch, o.model);
  const x = tf.tensor4d(o.batch.images, [o.batch.n, ...o.model.inputShape]);
  const before = { ...o.model.evaluations };
  try {
    const aim = aimOf(await targetsIn(o, x, ctx), o.attack.criterion?.(o.params));
    const outcome = await attackAimed(o, x, aim, before, ctx);
    return { ...outcome, seconds: (ctx.clock() - started) / 1000 };
  } finally {
    x.dispose();
  }
}

type Evaluations = Classifier["evaluations"];

/** Target classes of the batch, as the attacker chooses them. */
async function targetsIn(o: AttackBatchOptions, images: Images, ctx: RunContext): Promise<readonly number[] | null> {
  if (o.targetIndices) return o.targetIndices;
  const model = forImages(o.surface ?? o.model, ctx.rng, o.firstIndex, `${o.seedName}/target`);
  const random = streamsOf(o, ctx);
  return targetsOf(o.attack.target?.(o.params) ?? null, { model, images, labels: o.batch.labels, random });
}

/** @param before evaluations of the model before the batch */
async function attackAimed(
  o: AttackBatchOptions,
  x: Images,
  aim: Aim,
  before: Evaluations,
  ctx: RunContext,
): Promise<Omit<BatchOutcome, "seconds">> {
  const labels = tf.tensor1d(o.batch.labels, "int32");
  const targets = aim.targets ? tf.tensor1d([...aim.targets], "int32") : undefined;
  const goal = { labels, targets: aim.criterion.isTargeted ? targets : undefined };
  const best = new BestIterate(x, goal, new Judge(aim, o.batch.labels), o.model);
  const first = new FirstGradient(o.batch.n);
  let own: unknown;
  try {
    const score = (images: Float32Array): Promise<Predicted> => predictWithConfidence(forImages(o.model, ctx.rng, o.firstIndex), images);
    const known = knownClean(o) ?? (mayShowClean(o) ? undefined : await score(o.batch.images));
    const watched = watching(o);
    const attackContext = contextOf(watched.o, best, ctx);
    const attacked = { images: x, labels, ...(targets ? { targets } : {}) };
    await ctx.checkpoint();
    const surface = forImages(o.surface ?? o.model, ctx.rng, o.firstIndex, o.seedName);
    const attacker = { ...o, surface };
    own = o.prepared === undefined ? await preparedFromBatch(attacker, attacked, attackContext, ctx) : undefined;
    const prepared = o.prepared ?? own;
    const proposal = await propose({ ...attacker, surface: first.watched(surface) }, attacked, { ...attackContext, prepared });
    const spent = {
      gradientEvaluations: o.model.evaluations.gradient - before.gradient,
      forwardEvaluations: o.model.evaluations.forward - before.forward,
    };
    const clean = known ?? (await best.ofClean()) ?? (await score(o.batch.images));
    const judged = await judge(
      { ...o, prepared, aim, score, ascent: ascentOf(attacker, goal, ctx) },
      { proposal, best: await best.read(), clean, iterations: best.count, zeroGradients: await first.zeros() },
    );
    const { adversarial, predictions } = judged;
    if (o.trace)
      await o.trace({
        ...watched.place(proposal, best.count),
        probabilities: await probabilities(forImages(o.model, ctx.rng, o.firstIndex), adversarial),
        images: adversarial,
      });
    return {
      clean: o.batch.images,
      adversarial,
      labels: o.batch.labels,
      cleanPredictions: clean.classes,
      predictions,
      records: judged.records,
      ...spent,
      notes: judged.notes,
    };
  } finally {
    if (own !== undefined) o.attack.preparation?.dispose?.(own);
    for (const owned of [first, best, labels, targets]) owned?.dispose();
  }
}

/**
 * Remembers the last iterate shown. A result equal to it is at that iteration; any other counts as one iteration more, but never beyond the
 * last that the attack can take. The start is iteration 0.
 */
function watching(o: AttackBatchOptions) {
  let last: AttackTracePoint | undefined;
  const { trace } = o;
  const watch = (point: AttackTracePoint): void | Promise<void> => {
    last = point;
    return trace?.(point);
  };
  return {
    o: trace ? { ...o, trace: watch } : o,
    place(proposal: Float32Array, count: number): { iteration: number; total: number } {
      const isShown = last?.images.every((value, i) => value === proposal[i]) ?? false;
      const iteration = last && isShown ? last.iteration : Math.min(count, o.attack.iterations?.(o.params) ?? count);
      return { iteration, total: iteration };
    },
  };
}

/** Clean predictions that are known spare a pass; a criterion of the attack's own may ask for their confidence too. */
function knownClean({ cleanPredictions, attack, batch }: AttackBatchOptions): Predicted | undefined {
  if (!cleanPredictions || attack.criterion) return undefined;
  return { classes: cleanPredictions, confidence: new Float32Array(batch.n).fill(1) };
}

/** A single-step attack usually starts at the clean images. Where it attacks the very model that judges, its scores are the clean ones. */
const mayShowClean = ({ attack, model, surface = model }: AttackBatchOptions): boolean =>
  attack.access === "gradients" && !attack.iterative && surface === model && !model.randomised;

/** Random numbers of the attack by image. */
const streamsOf =
  ({ seedName, firstIndex }: AttackBatchOptions, { rng }: RunContext): AttackContext["random"] =>
  (i) =>
    rng.stream(`${seedName}/${firstIndex + i}`);

/** What the attack sees of the run: its streams, and the harness that watches its iterations. */
function contextOf(o: AttackBatchOptions, best: BestIterate, ctx: RunContext): AttackContext {
  const total = o.attack.iterations?.(o.params) ?? null;
  return {
    ...streamContext(ctx, streamsOf(o, ctx)),
    iterate: async (images, logits, isEnd) => {
      best.offer(images, logits, isEnd);
      if (o.trace && !isEnd) await tracePoint(o, best.count - 1, total, images, logits);
      if (total) o.progress?.(Math.min(1, best.count / total));
      await ctx.checkpoint();
    },
  };
}

/** An attack on what it sees of the model, for the images of the batch. */
type Attacker = AttackBatchOptions & { readonly surface: Classifier };

/** Runs the attack itself; gives its images as it returned them. */
async function propose(o: Attacker, batch: AttackBatch, ctx: AttackContext): Promise<Float32Array> {
  const proposed = await o.attack.run(o.surface, batch, o.params, ctx);
  const data = Float32Array.from(await proposed.data());
  if (proposed !== batch.images) proposed.dispose();
  await ctx.checkpoint();
  return data;
}

/**
 * Where an image becomes more adversarial, as the attacker sees it: the gradient of the margin, negated. For attacks that see gradients, on models that have them. Its passes are the
 * harness's own and are not counted.
 */
function ascentOf(o: Attacker, goal: Goal, ctx: RunContext): ((images: Float32Array) => Promise<Float32Array>) | undefined {
  if (o.attack.access !== "gradients" || o.surface.forwardOnly) return undefined;
  return async (images) => {
    await ctx.checkpoint();
    const counted = { ...o.model.evaluations };
    const surface = forImages(o.surface, ctx.rng, o.firstIndex, `${o.seedName}/8bit`);
    const x = tf.tensor4d(images, [o.batch.n, ...o.model.inputShape]);
    const { gradient, logits } = inputGradient(surface, x, (z) => tf.neg(tf.sum(margin(z, goal))) as tf.Scalar);
    const slopes = Float32Array.from(await gradient.data());
    tf.dispose([x, gradient, logits]);
    Object.assign(o.model.evaluations, counted);
    return slopes;
  };
}

/** What the attack prepares with the images of the batch; where somebody watches, it is tried on them after every step of the making. */
async function preparedFromBatch(o: Attacker, batch: AttackBatch, attackContext: AttackContext, ctx: RunContext): Promise<unknown> {
  const { preparation } = o.attack;
  if (!preparation) return undefined;
  const size = o.batch.images.length / Math.max(1, o.batch.n);
  const read = async (places: ArrayLike<number>): Promise<ImageBatch> => {
    const images = new Float32Array(places.length * size);
    Array.from(places).forEach((place, i) => {
      images.set(o.batch.images.subarray(place * size, (place + 1) * size), i * size);
    });
    return { images, labels: Int32Array.from(places, (place) => o.batch.labels[place] as number), n: places.length };
  };
  const onStep = async ({ prepared }: { readonly prepared: unknown }): Promise<void> => {
    if (o.trace) await propose(o, batch, { ...attackContext, prepared });
  };
  const rng = ctx.rng.stream(o.seedName).stream("prepare");
  return preparation.make(o.surface, { size: o.batch.n, read }, o.params, { ...ctx, rng, onStep });
}

async function tracePoint(
  { trace, model }: AttackBatchOptions,
  iteration: number,
  total: number | null,
  images: Images,
  logits: Logits,
): Promise<void> {
  const shown = probabilitiesOf(model, logits);
  const point = {
    iteration,
    total,
    probabilities: Float32Array.from(await shown.data()),
    images: Float32Array.from(await images.data()),
  };
  shown.dispose();
  await trace?.(point);
}
