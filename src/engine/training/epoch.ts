import { BulwarkError } from "../../shared/errors.ts";
import type { TrainSettings } from "../../shared/experiment.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { TrainingPlan } from "../define/index.ts";
import { checkGrantedMemory } from "../io/memory.ts";
import { tf } from "../tf.ts";
import { craftImages, weakened } from "./craft.ts";
import { type FedBatch, feed, type ImageSource, inOrder, stepsOf } from "./feed.ts";
import type { EpochRecord } from "./history.ts";
import type { Optimizer, TrainedWeight } from "./optimizers.ts";
import { learningRateAt } from "./schedule.ts";
import { attackedStep, type Learner, type StepResult, trainStep, validationStep } from "./step.ts";
import { type Means, Tally } from "./tally.ts";

/** A training under way. */
export interface Work {
  readonly arm: string;
  readonly train: ImageSource;
  readonly validation: ImageSource | null;
  readonly settings: TrainSettings;
  readonly learner: Learner;
  readonly weights: readonly TrainedWeight[];
  readonly optimizer: Optimizer;
  /** Of the finished epochs. */
  readonly history: EpochRecord[];
  /** What the learning rate is multiplied by. */
  readonly rateScale: number;
  /** The network as it is, in inference mode. */
  readonly model: Classifier;
}

const betweenEvents = 100; // milliseconds: at most ten step events a second

/** The steps of one epoch. @param started when the epoch began, by the context's clock */
export async function trainEpoch(work: Work, epoch: number, started: number, ctx: RunContext): Promise<Means> {
  const { settings, learner, arm, train: source } = work;
  const { epochs, batchSize } = settings;
  const { syllabus } = learner.plan;
  const steps = stepsOf(source.size, batchSize, syllabus);
  const masks = ctx.rng.stream(`train/${arm}/dropout/${epoch}`);
  const tally = new Tally();
  let step = 0;
  let reported = started;
  try {
    for await (const batch of feed(source, batchSize, syllabus, ctx.rng.stream(`train/${arm}/order/${epoch}`))) {
      const strength = rampAt(learner.plan, epoch - 1 + (step + 1) / steps);
      const crafted = await crafting(work, batch, { seedName: `train/${arm}/craft/${epoch}`, strength, step }, ctx);
      const learningRate = work.rateScale * learningRateAt(settings, epoch, step / steps, work.history);
      const result = trainStep(learner, work.weights, work.optimizer, { ...batch, crafted }, { learningRate, masks, tally });
      step++;
      try {
        checkGrantedMemory();
        const now = ctx.clock();
        if (now - reported >= betweenEvents || step === steps) {
          reported = now;
          const values = await valuesOf(result);
          requireFinite(values.loss, epoch, settings);
          const imagesPerSecond = tally.images / Math.max(1e-9, (ctx.clock() - started) / 1000);
          ctx.emit({ kind: "step", arm, epoch, epochs, step, steps, ...values, imagesPerSecond });
        }
        await ctx.checkpoint({ phase: `Training ${arm}`, done: (epoch - 1) * steps + step, total: epochs * steps });
      } finally {
        tf.dispose([result.loss, ...Object.values(result.parts)]);
      }
    }
    const means = await tally.read();
    requireFinite(means?.loss ?? Number.NaN, epoch, settings);
    return means ?? { loss: Number.NaN, accuracy: 0 };
  } finally {
    tally.dispose();
  }
}

/** The share of its strength that the plan's attack has after so many epochs, the current step counted. */
const rampAt = ({ craftRamp = 0 }: TrainingPlan, epochs: number): number => (craftRamp > 0 ? Math.min(1, epochs / craftRamp) : 1);

/** What the plan's attack makes of a batch; undefined where the plan has none. */
async function crafting(
  { learner, model }: Work,
  batch: FedBatch,
  { seedName, strength, step }: { readonly seedName: string; readonly strength: number; readonly step: number },
  ctx: RunContext,
): Promise<Float32Array | undefined> {
  const { craft, craftAlternatives = [] } = learner.plan;
  if (!craft) return undefined;
  const attacks = [craft, ...craftAlternatives];
  const drawn = attacks.length > 1 ? ctx.rng.stream(`${seedName}/attack/${step}`).integer(attacks.length) : 0;
  return craftImages(weakened(attacks[drawn] ?? craft, strength), model, batch, seedName, ctx);
}

async function valuesOf({ loss, parts }: StepResult): Promise<{ loss: number; parts?: Record<string, number> }> {
  const value = async (scalar: tf.Scalar): Promise<number> => (await scalar.data())[0] ?? Number.NaN;
  const named = Object.entries(parts);
  const total = await value(loss);
  if (named.length === 0) return { loss: total };
  const values: Record<string, number> = {};
  for (const [name, part] of named) values[name] = await value(part);
  return { loss: total, parts: values };
}

export interface Validated {
  readonly loss: number;
  readonly accuracy: number;
  /** Accuracy under the attack that the training crafts with, whose random numbers are the same after every epoch. */
  readonly attackedAccuracy?: number;
}

/** Loss and accuracy on the validation images; null without any. */
export async function validate(work: Work, ctx: RunContext): Promise<Validated | null> {
  const { validation: source, settings, learner } = work;
  if (!source) return null;
  const [clean, attacked] = [new Tally(), new Tally()];
  let step = 0;
  try {
    for await (const batch of inOrder(source, settings.batchSize)) {
      validationStep(learner, batch, clean);
      const crafted = await crafting(work, batch, { seedName: `train/${work.arm}/craft/validation`, strength: 1, step: step++ }, ctx);
      if (crafted) attackedStep(learner, { ...batch, images: crafted }, attacked);
      await ctx.checkpoint();
    }
    const means = await clean.read();
    const under = await attacked.read();
    return means && { ...means, ...(under ? { attackedAccuracy: under.accuracy } : {}) };
  } finally {
    clean.dispose();
    attacked.dispose();
  }
}

function requireFinite(loss: number, epoch: number, settings: TrainSettings): void {
  if (Number.isFinite(loss)) return;
  throw new BulwarkError(
    "TRAINING_DIVERGED",
    `The loss became ${loss} in epoch ${epoch}.`,
    `Lower train.learningRate (now ${settings.learningRate}); the state after the last good epoch is kept.`,
  );
}
