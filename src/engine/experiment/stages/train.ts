import { rm } from "node:fs/promises";
import path from "node:path";
import { Type } from "@sinclair/typebox";
import type { InputContract } from "../../../shared/contract.ts";
import { BulwarkError } from "../../../shared/errors.ts";
import type { RunEvent } from "../../../shared/events.ts";
import { epochEvent } from "../../../shared/runShapes.ts";
import { slug } from "../../../shared/runs.ts";
import { list, measured, natural, orNull, readAs, type Shape, text } from "../../../shared/shapes.ts";
import { reachNote } from "../../../shared/slices.ts";
import { classifierOf } from "../../classifier/network.ts";
import { reachIn } from "../../classifier/slices.ts";
import { documented, type TrainingPlan } from "../../define/index.ts";
import { trainingFile } from "../../importers/asTrained.ts";
import { hashOfModel, saveNetwork } from "../../importers/index.ts";
import { modelFiles } from "../../importers/save.ts";
import { exists, readText, writeAtomic } from "../../io/files.ts";
import { readRunEvents } from "../../io/runStore.ts";
import { createRandom } from "../../random.ts";
import { planOf } from "../../session/openModel.ts";
import type { tfl } from "../../tf.ts";
import type { EpochRecord } from "../../training/history.ts";
import { train } from "../../training/loop.ts";
import { defenseOf, type ResolvedArm } from "../arms.ts";
import { memoryOf, trainCost } from "../costs.ts";
import { hashOf } from "../document.ts";
import type { RunEnvironment } from "../environment.ts";
import { trains } from "../models.ts";
import { networkKey, ownerOf } from "../networks.ts";
import { ownFolder } from "../openNetworks.ts";
import type { PlanFacts, Stage } from "../piece.ts";
import { checkTraining } from "./checks.ts";
import { type Trainee, traineeOf } from "./trainee.ts";
import { attentionByEpoch, quickAttack } from "./watchTraining.ts";

export type EpochEvent = Extract<RunEvent, { kind: "epoch" }>;

/** `training.json` beside a trained model: what it was made of, and how the training went. Written last: it says the model is whole. */
export interface TrainingRecord {
  /** Hash of all that decides the weights. */
  readonly key: string;
  /** Of the model as it was saved; absent in records of earlier versions. */
  readonly sha256?: string;
  readonly epochs: number;
  /** Of the optimiser; absent in records of earlier versions. */
  readonly steps?: number;
  readonly bestEpoch: number | null;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly images: number;
  /** Where the network departs from the one that the experiment names; absent in records of earlier versions. */
  readonly notes?: readonly string[];
  readonly history: readonly EpochEvent[];
}

const optional = Type.Optional;
const trainingRecord: Shape<TrainingRecord> = Type.Object({
  ...{ key: text, sha256: optional(text), epochs: natural, steps: optional(natural), bestEpoch: orNull(natural) },
  ...{ seconds: measured, imagesPerSecond: measured, images: natural, notes: optional(list(text)), history: list(epochEvent) },
});

/** The record of the model in `folder`; null when there is none, or none that is whole. */
export async function readTraining(folder: string): Promise<TrainingRecord | null> {
  const read = readAs(trainingRecord, await readText(path.join(folder, trainingFile)).catch(() => ""));
  return "value" in read ? read.value : null;
}

/** What the piece of a training has left. */
export interface TrainingDone {
  /** The model lay in the folder already. */
  readonly reused: boolean;
}
const trainingKey = (owner: ResolvedArm): string => `train:${owner.name}`;

/** The piece that makes an arm's network; none where the run takes it as it is. */
export function needsNetwork(arm: ResolvedArm, { experiment, mode }: Pick<PlanFacts, "experiment" | "mode">): string[] {
  return trains(arm, mode) ? [trainingKey(ownerOf(arm, experiment.arms))] : [];
}

/** One network for all arms that have it. */
export const trainStage: Stage = {
  kind: "train",
  pieces(arm, facts) {
    const { experiment, mode, inputShape } = facts;
    const network = networkKey(arm);
    const first = facts.order.find((other) => networkKey(other) === network); // its owner may come later, behind a defence
    if (!trains(arm, mode) || first !== arm) return [];
    const owner = ownerOf(arm, experiment.arms);
    return [
      {
        key: trainingKey(owner),
        stage: "train",
        phase: `Training ${owner.name}`,
        arm: owner.name,
        needs: [],
        cost: trainCost(owner, facts),
        network,
        memory: memoryOf(inputShape, owner.train.batchSize),
        device: "train",
        check: (env) => checkTraining(owner, env),
        async run(env, folder) {
          const done: TrainingDone = { reused: await trainArm(owner, env) };
          await writeAtomic(folder.file(trainingFile), JSON.stringify(done));
        },
      },
    ];
  },
};

/**
 * Trains an arm's network into the run folder; a model there that was trained in just this way is taken as it is.
 * @returns whether it was there
 * @throws TRAINING_DIVERGED, DATASET_EMPTY, CANCELLED, DISK_FULL
 */
async function trainArm(arm: ResolvedArm, env: RunEnvironment): Promise<boolean> {
  const { store, emit, networks } = env;
  const folder = store.file(ownFolder(arm));
  const trainee = await traineeOf(arm, env);
  const key = keyOf(arm, trainee, env);
  const found = await readTraining(folder);
  const isWhole = found?.key === key && (await isAsSaved(folder, found));
  if (isWhole) {
    emit({ kind: "trained", arm: arm.name, seconds: found.seconds, reused: true, bestEpoch: found.bestEpoch });
    return true;
  }
  if (found) {
    const why = found.key === key ? "is damaged" : "was trained in another way or on other data";
    emit({ kind: "warning", message: `The model of ${arm.name} in this folder ${why}; it will be retrained.` });
  }
  networks.close();
  await rm(folder, { recursive: true, force: true });
  const record = await trainAndSave(arm, trainee, env, folder, key);
  await rm(checkpoints(arm, env, key), { recursive: true, force: true });
  emit({ kind: "trained", arm: arm.name, seconds: record.seconds, reused: false, bestEpoch: record.bestEpoch });
  return false;
}

/** The model is still what the training left. */
async function isAsSaved(folder: string, { sha256 }: TrainingRecord): Promise<boolean> {
  for (const name of modelFiles) if (!(await exists(path.join(folder, name)))) return false;
  return sha256 === undefined || (await hashOfModel(folder).catch(() => null)) === sha256;
}

/** The backend is left out on purpose: a model may be evaluated on another backend than it was trained on. */
const keyOf = (arm: ResolvedArm, trainee: Trainee, env: RunEnvironment): string =>
  hashOf({
    seed: arm.seed,
    dataset: { ...documented(env.experiment.dataset), train: env.experiment.dataset.train, test: null },
    data: env.data.trainSha256,
    name: arm.name, // random streams bear it
    model: trainee.identity,
    defense: arm.training.length > 1 ? arm.training.map(documented) : defenseOf({ ...arm, front: [] }),
    train: { ...arm.train, watch: undefined }, // looking changes nothing
  });

const checkpoints = (arm: ResolvedArm, env: RunEnvironment, key: string): string =>
  env.store.file(`checkpoints/${slug(arm.name)}-${key.slice(0, 12)}`);

async function trainAndSave(arm: ResolvedArm, trainee: Trainee, env: RunEnvironment, folder: string, key: string): Promise<TrainingRecord> {
  const { inputShape, classes, classNames } = env.data;
  const plan = planOf(arm.training.map(documented), inputShape, classes);
  const { network: base, input, note } = await trainee.build();
  const departures: string[] = [];
  const network = networkOf(plan, base, (text) => {
    departures.push(text);
    env.emit({ kind: "warning", message: `${arm.name}: ${text}` });
  });
  const reach = plan.slices && reachNote({ count: plan.slices.count, reach: reachIn(network, plan.slices) });
  for (const text of [note, reach, plan.remark?.(network, plan)]) if (text) env.emit({ kind: "note", message: `${arm.name}: ${text}.` });
  const split = env.data.split(arm.train.validation);
  const contract = contractOf(arm, input, env);
  const watched = {
    arm,
    plan,
    images: split.validation ?? split.train,
    classifier: () => classifierOf(network, { contract, outputs: "logits", plan, inputShape, classNames, freeze: false }),
  };
  const seeded = { ...env, ctx: { ...env.ctx, rng: createRandom(arm.seed) } };
  const quick = quickAttack(watched, seeded);
  try {
    const { history, ...result } = await train(
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
        onContinue: (epochs) => tellAgain(epochs, env),
      },
      seeded.ctx,
    );
    await saveNetwork(network, folder, contract);
    const sha256 = await hashOfModel(folder);
    const record: TrainingRecord = { key, sha256, ...result, images: split.train.size, notes: departures, history: timed(history) };
    for (const name of [...modelFiles, trainingFile]) env.store.output(`${ownFolder(arm)}/${name}`);
    await writeAtomic(path.join(folder, trainingFile), `${JSON.stringify(record, null, 1)}\n`);
    return record;
  } catch (thrown) {
    throw isOutOfMemory(thrown) ? tooLarge(arm, thrown) : thrown;
  } finally {
    network.dispose();
  }
}

const isOutOfMemory = (thrown: unknown): thrown is BulwarkError => thrown instanceof BulwarkError && thrown.code === "OUT_OF_MEMORY";

/** The batch of a training is part of its recipe: it is not made smaller unasked. */
const tooLarge = ({ name, train: { batchSize } }: ResolvedArm, cause: BulwarkError): BulwarkError =>
  new BulwarkError(
    "OUT_OF_MEMORY",
    `There is not enough memory to train ${name} with ${batchSize} images to a step: ${cause.message}`,
    `Lower train.batchSize (now ${batchSize}), choose a smaller network, close other programs, or raise bulwark.engine.memory if it is set.`,
    { cause },
  );

/** The network of a plan; the one that it was made from is done with. */
function networkOf(plan: TrainingPlan, base: tfl.LayersModel, note: (text: string) => void): tfl.LayersModel {
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
  const [height, width, channels] = env.data.inputShape;
  return {
    input: { layout: "nhwc", ...input, size: [height, width], channels: input.channels ?? (channels === 1 ? "gray" : "rgb") },
    output: { kind: "logits", classes: [...env.data.classNames] },
    ...(arm.training.length === 0 ? {} : { defense: arm.training.map(documented) }),
  };
}

/** Epochs of which the process that trained them had no time to tell, or whose events are lost. */
async function tellAgain(history: readonly EpochRecord[], { store, emit }: RunEnvironment): Promise<void> {
  const told = new Set(
    (await readRunEvents(store.directory, ({ kind }) => kind === "epoch")).map((event) =>
      event.kind === "epoch" ? `${event.arm} ${event.epoch}` : "",
    ),
  );
  for (const epoch of history) if (!told.has(`${epoch.arm} ${epoch.epoch}`)) emit(epoch);
}

/** Epochs with the seconds of training after which each ended: a run that was stopped for a night has slept, not trained. */
function timed(history: readonly EpochRecord[]): EpochEvent[] {
  let t = 0;
  return history.map((epoch) => {
    t += epoch.seconds;
    return { t, ...epoch };
  });
}
