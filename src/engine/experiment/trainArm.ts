import { rm } from "node:fs/promises";
import path from "node:path";
import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { RunEvent } from "../../shared/events.ts";
import { armModelFolder, slug } from "../../shared/runs.ts";
import { classifierOf } from "../classifier/network.ts";
import { documented, type TrainingPlan } from "../define/index.ts";
import { saveNetwork } from "../importers/index.ts";
import { readText } from "../io/files.ts";
import { readRunEvents } from "../io/runStore.ts";
import { createRandom } from "../random.ts";
import { planOf } from "../session/openModel.ts";
import type { tfl } from "../tf.ts";
import { train } from "../training/loop.ts";
import { defenseOf, type ResolvedArm } from "./arms.ts";
import { hashOf } from "./document.ts";
import type { RunEnvironment } from "./environment.ts";
import { type Trainee, traineeOf } from "./trainee.ts";
import { attentionByEpoch, quickAttack } from "./watchTraining.ts";

export type EpochEvent = Extract<RunEvent, { kind: "epoch" }>;

/** `training.json` beside a trained model: what it was made of, and how the training went. Written last: it says the model is whole. */
export interface TrainingRecord {
  /** Hash of all that decides the weights. */
  readonly key: string;
  readonly epochs: number;
  readonly bestEpoch: number | null;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly images: number;
  /** Where the network departs from the one that the experiment names; absent in records of earlier versions. */
  readonly notes?: readonly string[];
  readonly history: readonly EpochEvent[];
}
const recordFile = "training.json";

/** The record of the model in `folder`; null when there is none, or none that is whole. */
export async function readTraining(folder: string): Promise<TrainingRecord | null> {
  try {
    return JSON.parse(await readText(path.join(folder, recordFile))) as TrainingRecord;
  } catch {
    return null;
  }
}

export const trainingPiece = (arm: ResolvedArm): string => `train:${arm.name}`;

/**
 * Trains an arm's network and saves it into the run folder; a model there that was trained in just this way is taken as it is.
 * @throws TRAINING_DIVERGED, DATASET_EMPTY, CANCELLED, DISK_FULL
 */
export async function trainArm(arm: ResolvedArm, env: RunEnvironment): Promise<TrainingRecord & { readonly reused: boolean }> {
  const { store, emit, meter } = env;
  const folder = store.file(armModelFolder(arm.index, arm.name));
  const trainee = await traineeOf(arm, env);
  const key = keyOf(arm, trainee, env);
  const found = await readTraining(folder);
  if (found?.key === key) {
    const reused = !store.state.completed.includes(trainingPiece(arm));
    if (reused) emit({ kind: "trained", arm: arm.name, seconds: found.seconds, reused: true, bestEpoch: found.bestEpoch });
    meter.finish(trainingPiece(arm), true);
    await store.complete(trainingPiece(arm));
    return { ...found, reused };
  }
  if (found) {
    emit({ kind: "warning", message: `The model of ${arm.name} in this folder was trained in another way: it is trained anew.` });
    await rm(folder, { recursive: true, force: true });
  }
  if (env.data.trainSize === 0)
    throw new BulwarkError("DATASET_EMPTY", "There are no training images.", 'Set "train" of the data set to 1 or more.');
  meter.begin(trainingPiece(arm));
  const record = await trainAndSave(arm, trainee, env, folder, key);
  await rm(checkpoints(arm, env, key), { recursive: true, force: true });
  emit({ kind: "trained", arm: arm.name, seconds: record.seconds, reused: false, bestEpoch: record.bestEpoch });
  meter.finish(trainingPiece(arm));
  await store.complete(trainingPiece(arm));
  return { ...record, reused: false };
}

/** The backend is left out on purpose: a model may be evaluated on another backend than it was trained on. */
const keyOf = (arm: ResolvedArm, trainee: Trainee, env: RunEnvironment): string =>
  hashOf({
    seed: arm.seed,
    dataset: { ...documented(env.experiment.dataset), train: env.experiment.dataset.train, test: null },
    data: env.data.trainSha256,
    name: arm.name,
    model: trainee.identity,
    defense: arm.training.length > 1 ? arm.training.map(documented) : defenseOf({ ...arm, front: [] }),
    train: arm.train,
  });

const checkpoints = (arm: ResolvedArm, env: RunEnvironment, key: string): string =>
  env.store.file(`checkpoints/${slug(arm.name)}-${key.slice(0, 12)}`);

async function trainAndSave(arm: ResolvedArm, trainee: Trainee, env: RunEnvironment, folder: string, key: string): Promise<TrainingRecord> {
  const { dataset, classes } = env.data;
  const inputShape = dataset.inputShape;
  const plan = planOf(arm.training.map(documented), inputShape, classes);
  const { network: base, input } = await trainee.build();
  const notes: string[] = [];
  const network = made(plan, base, (text) => {
    notes.push(text);
    env.emit({ kind: "warning", message: `${arm.name}: ${text}` });
  });
  const split = env.data.split(arm.train.validation);
  const { classNames } = dataset;
  const contract = contractOf(arm, input, env);
  const watched = {
    arm,
    images: split.validation ?? split.train,
    classifier: () => classifierOf(network, { contract, outputs: "logits", plan, inputShape, classNames, freeze: false }),
  };
  const seeded = { ...env, ctx: { ...env.ctx, rng: createRandom(arm.seed) } };
  const quick = quickAttack(watched, seeded);
  try {
    const result = await train(
      {
        network,
        plan,
        train: split.train,
        validation: split.validation,
        settings: arm.train,
        arm: arm.name,
        checkpointDirectory: checkpoints(arm, env, key),
        contract,
        inputShape,
        ...(quick ? { quickAttack: quick } : {}),
        onEpochEnd: attentionByEpoch(watched, env),
      },
      seeded.ctx,
    );
    await saveNetwork(network, folder, contract);
    const record: TrainingRecord = {
      key,
      ...result,
      images: split.train.size,
      notes,
      history: lastHistory(await readRunEvents(env.store.directory), arm.name),
    };
    await env.store.writeJson(path.relative(env.store.directory, path.join(folder, recordFile)), record);
    return record;
  } finally {
    network.dispose();
  }
}

/** The network of a plan; the one that it was made from is done with. */
function made(plan: TrainingPlan, base: tfl.LayersModel, note: (text: string) => void): tfl.LayersModel {
  try {
    const network = plan.network(base, note);
    if (network !== base) base.dispose();
    return network;
  } catch (thrown) {
    base.dispose();
    throw thrown;
  }
}

function contractOf(arm: ResolvedArm, input: InputContract["input"], env: RunEnvironment): InputContract {
  const [height, width, channels] = env.data.dataset.inputShape;
  return {
    input: { layout: "nhwc", ...input, size: [height, width], channels: input.channels ?? (channels === 1 ? "gray" : "rgb") },
    output: { kind: "logits", classes: [...env.data.dataset.classNames] },
    ...(arm.training.length === 0 ? {} : { defense: arm.training.map(documented) }),
  };
}

/** The epochs of the last training of an arm: an earlier one that was given up does not count. */
function lastHistory(events: readonly RunEvent[], arm: string): EpochEvent[] {
  const byEpoch = new Map<number, EpochEvent>();
  for (const event of events) {
    if (event.kind !== "epoch" || event.arm !== arm) continue;
    for (const later of [...byEpoch.keys()]) if (later >= event.epoch) byEpoch.delete(later);
    byEpoch.set(event.epoch, event);
  }
  return [...byEpoch.values()];
}
