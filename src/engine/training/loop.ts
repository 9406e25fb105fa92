import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { TrainSettings } from "../../shared/experiment.ts";
import { classifierOf } from "../classifier/network.ts";
import type { RunContext } from "../context.ts";
import type { TrainingPlan } from "../define/index.ts";
import type { tfl } from "../tf.ts";
import { loadCheckpoint, restoreBest, saveBest, saveCheckpoint } from "./checkpoint.ts";
import { trainEpoch, validate, type Work } from "./epoch.ts";
import { type ImageSource, stepsOf } from "./feed.ts";
import { bestOf, type EpochRecord, shouldStop } from "./history.ts";
import { createOptimizer, type Optimizer, trainedWeights } from "./optimizers.ts";

export type { ImageSource } from "./feed.ts";

export interface TrainOptions {
  /** Trained in place; as `plan.network` made it. */
  readonly network: tfl.LayersModel;
  readonly plan: TrainingPlan;
  readonly train: ImageSource;
  readonly validation: ImageSource | null;
  readonly settings: TrainSettings;
  readonly arm: string;
  /** Where the state after each epoch is kept; a checkpoint found there is continued. */
  readonly checkpointDirectory: string;
  /** Input contract of a network from elsewhere; ours want [0,1]. */
  readonly contract?: InputContract;
  /** Height, width, channels of the images; from the network when left out. */
  readonly inputShape?: readonly [number, number, number];
  readonly quickAttack?: (epoch: number) => Promise<EpochRecord["quickAttack"]>;
  /** Comes before the epoch's checkpoint: what it leaves is there, once or twice the same, whenever a killed training goes on. */
  readonly onEpochEnd?: (epoch: number) => Promise<void>;
  /** Hears the epochs that a checkpoint holds. */
  readonly onContinue?: (history: readonly EpochRecord[]) => Promise<void>;
}

export interface Trained {
  readonly epochs: number;
  /** Of the optimiser, over all epochs. */
  readonly steps: number;
  readonly bestEpoch: number | null;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly history: readonly EpochRecord[];
}

/**
 * Trains a network in place. Every epoch's images, order, dropout and adversarial images come from streams named by arm and epoch, and the state is saved
 * after each, so that a training that was stopped and continued ends with the same weights as one that was not. With validation images
 * the weights of the best epoch are restored at the end.
 * A damaged checkpoint is as good as none, which is said.
 * @throws TRAINING_DIVERGED when the loss is no longer a number (the checkpoint of the last good epoch stays), CANCELLED within a step.
 */
export async function train(o: TrainOptions, ctx: RunContext): Promise<Trained> {
  if (o.train.size === 0) throw new BulwarkError("DATASET_EMPTY", "There are no images to train on.", "Check dataset.train and its path.");
  const { network, plan, settings } = o;
  const contract = o.contract ?? { input: {} };
  const shape = shapeOf(o);
  const weights = trainedWeights(network);
  const optimizer = createOptimizer(weights, settings, plan.learningRateScale);
  try {
    const history = await continued(o, optimizer, ctx);
    const model = classifierOf(network, { contract, outputs: "logits", plan, inputShape: shape, freeze: false });
    const learner = { network, plan, contract, shape };
    const work = { ...o, learner, weights, optimizer, history, rateScale: scaleOf(o), model };
    if (plan.learningRateScale !== 1) ctx.log(`${o.arm}: ${aboutRate(o)}`);
    while (history.length < settings.epochs && !shouldStop(history, settings.earlyStop)) await runEpoch(work, ctx);
    const best = o.validation ? bestOf(history) : undefined;
    if (best) await restoreBest(o.checkpointDirectory, network);
    const seconds = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
    const epochs = history.length;
    const steps = epochs * stepsOf(o.train.size, settings.batchSize, plan.syllabus);
    const imagesPerSecond = seconds > 0 ? (o.train.size * epochs) / seconds : 0;
    return { epochs, steps, bestEpoch: best?.epoch ?? null, seconds, imagesPerSecond, history };
  } finally {
    optimizer.dispose();
  }
}

/** Epochs that are done: those of the checkpoint. */
async function continued(o: TrainOptions, optimizer: Optimizer, ctx: RunContext): Promise<EpochRecord[]> {
  const found = await loadCheckpoint(o.checkpointDirectory, o.network, { optimizer, hasBest: o.validation !== null });
  if (found === "damaged") {
    ctx.emit({ kind: "warning", message: `${o.arm}: the training checkpoint is damaged; training starts over.` });
    return [];
  }
  if (found.length > 0) await o.onContinue?.(found);
  return found;
}

async function runEpoch(work: TrainOptions & Work, ctx: RunContext): Promise<void> {
  const { settings, history } = work;
  const epoch = history.length + 1;
  const started = ctx.clock();
  const trained = await trainEpoch(work, epoch, started, ctx);
  const trainSeconds = (ctx.clock() - started) / 1000;
  const validated = await validate(work, ctx);
  const quickAttack = (await work.quickAttack?.(epoch)) ?? null;
  const record: EpochRecord = {
    kind: "epoch",
    arm: work.arm,
    epoch,
    epochs: settings.epochs,
    trainLoss: trained.loss,
    trainAccuracy: trained.accuracy,
    validationLoss: validated?.loss ?? null,
    validationAccuracy: validated?.accuracy ?? null,
    ...(trained.parts ? { parts: trained.parts } : {}),
    ...(validated?.attackedAccuracy === undefined ? {} : { attackedAccuracy: validated.attackedAccuracy }),
    quickAttack,
    seconds: (ctx.clock() - started) / 1000,
    imagesPerSecond: trainSeconds > 0 ? work.train.size / trainSeconds : 0,
    memoryBytes: process.memoryUsage().rss,
  };
  history.push(record);
  // The best weights first: if the process dies in between, the epoch is repeated and writes the same ones.
  if (work.validation && bestOf(history) === record) await saveBest(work.checkpointDirectory, work.network);
  await work.onEpochEnd?.(epoch);
  await saveCheckpoint(work.checkpointDirectory, work.network, work.optimizer, history);
  ctx.emit(record);
}

const aboutRate = (o: TrainOptions): string =>
  scaleOf(o) === 1
    ? "the loss adds up over slices and is shown for one; the steps of this optimiser do not depend on its scale, so the learning rate is left as it is."
    : `SGD's learning rate is multiplied by ${scaleOf(o)}, as the loss adds up over slices; it is shown for one.`;

/** The step of all others does not depend on the scale of the loss. */
const scaleOf = ({ settings, plan }: TrainOptions): number => (settings.optimizer === "sgd" ? plan.learningRateScale : 1);

/** Height, width, channels of the images: as told, or as the network's input says. */
function shapeOf(o: TrainOptions): readonly [number, number, number] {
  if (o.inputShape) return o.inputShape;
  const [, height, width, channels] = o.network.inputs[0]?.shape ?? [];
  if (o.plan.volumizer || !height || !width || !channels)
    throw new Error("train() needs inputShape for a network that does not take images.");
  return [height, width, channels];
}
