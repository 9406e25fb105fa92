import type { ImageRecord } from "../../../shared/results.ts";
import { attackSurface } from "../../classifier/surface.ts";
import type { EvaluationImages } from "../../define/index.ts";
import type { Range } from "../../evaluation/batches.ts";
import { type AttackTask, attackBatches } from "../../evaluation/evaluate.ts";
import type { PreparedAttack } from "../../evaluation/prepare.ts";
import type { CountedOutcome } from "../../harness/types.ts";
import { writeAtomic } from "../../io/files.ts";
import { writeNpz } from "../../io/npz.ts";
import { clockFile } from "../../io/publish.ts";
import type { ResolvedArm } from "../arms.ts";
import { attackCost, memoryOf } from "../costs.ts";
import type { RunEnvironment } from "../environment.ts";
import { networkKey } from "../networks.ts";
import { type Piece, type PlanFacts, type Stage, shardKey } from "../piece.ts";
import type { ResolvedAttack } from "../resolve.ts";
import { shardsOf } from "../shards.ts";
import { checkAttack } from "./checks.ts";
import { cleanPredictions, needsClean } from "./clean.ts";
import { needsImages } from "./images.ts";
import { attacksOf, imagesOf, isFurther, runsOn } from "./knowledge.ts";
import { needsPreparation, preparedFor } from "./prepare.ts";
import { needsNetwork } from "./train.ts";

const [imagesFile, outcomeFile] = ["adversarial.npz", "outcome.json"];
const groupOf = (arm: ResolvedArm, attack: ResolvedAttack): string => `attack:${arm.name}:${attack.key}`;
const coverGroup = (arm: ResolvedArm, attack: ResolvedAttack): string => `cover:${arm.name}:${attack.key}`;

/** Shards of an attack: the same for every arm, so that images are shown to another one shard by shard. */
export const attackShards = (attack: ResolvedAttack, facts: PlanFacts): Range[] => {
  const [first] = facts.experiment.arms as readonly [ResolvedArm];
  return shardsOf(imagesOf(attack, facts.n), facts.inputShape, attackCost({ ...first, training: [] }, attack, facts));
};

/** What an attack on a range of the images needs. */
const needsOf = (arm: ResolvedArm, attack: ResolvedAttack, range: Range, facts: PlanFacts): string[] => [
  ...needsNetwork(arm, facts),
  ...needsImages(range, facts),
  ...needsClean(arm, range, facts),
  ...needsPreparation(arm, attack, facts),
];

/** The piece that attacks a shard. */
export const needsAttack = (arm: ResolvedArm, attack: ResolvedAttack, range: Range): string => shardKey(groupOf(arm, attack), range);

/** Every attack on an arm, shard by shard: `adversarial` [n,H,W,C] and what became of every image. */
export const attackStage: Stage = {
  kind: "attack",
  pieces: (arm, facts) =>
    attacksOf(facts)
      .filter((attack) => runsOn(arm, attack, facts))
      .flatMap((attack) => attackShards(attack, facts).map((range, i) => attackPiece(arm, attack, range, i === 0, facts))),
};

function attackPiece(arm: ResolvedArm, attack: ResolvedAttack, range: Range, isFirst: boolean, facts: PlanFacts): Piece {
  const { inputShape } = facts;
  return {
    key: needsAttack(arm, attack, range),
    stage: "attack",
    phase: `Attacking ${arm.name} with ${attack.entry.title}`,
    arm: arm.name,
    attack: attack.key,
    needs: needsOf(arm, attack, range, facts),
    cost: attackCost(arm, attack, facts) * (range[1] - range[0]),
    network: networkKey(arm),
    memory: memoryOf(inputShape, 100),
    images: range,
    of: imagesOf(attack, facts.n),
    device: "evaluate",
    ...(isFirst ? { check: (env) => checkAttack(arm, attack, env) } : {}),
    async run(env, folder) {
      const prepared = await preparedFor(arm, attack, env);
      const outcomes: Omit<CountedOutcome, "seconds">[] = [];
      const seconds: number[] = [];
      const { task } = await taskOf(arm, attack, prepared, env);
      async function* adversarial(): AsyncGenerator<Float32Array> {
        for await (const outcome of attackBatches({ ...task, prepared: prepared?.prepared }, range, env.ctx)) {
          const { records, gradientEvaluations, forwardEvaluations, notes } = outcome;
          outcomes.push({ records, gradientEvaluations, forwardEvaluations, notes });
          seconds.push(outcome.seconds);
          yield outcome.adversarial;
        }
      }
      const shape = [range[1] - range[0], ...inputShape];
      await writeNpz(folder.file(imagesFile), { adversarial: { type: "float32", shape, chunks: adversarial } });
      await writeAtomic(folder.file(outcomeFile), JSON.stringify(outcomes));
      await writeAtomic(folder.file(clockFile), JSON.stringify(seconds));
      prepared?.preparation.dispose?.(prepared.prepared);
    },
  };
}

/**
 * The test images with other labels: one that the arm has wrong is labelled as what the arm takes it for, and is attacked; one that it has
 * right is labelled as something else, and counts as misclassified before, which no attack touches.
 */
const wrongOnes = (arm: ResolvedArm, env: RunEnvironment): EvaluationImages => ({
  ...env.images,
  async read(start, end) {
    const batch = await env.images.read(start, end);
    const predictions = await cleanPredictions(arm, env)(start, end);
    const { classes } = env.data;
    return {
      ...batch,
      labels: batch.labels.map((label, i) => (predictions[i] === label ? (label + 1) % classes : (predictions[i] as number))),
    };
  },
});

/** The attack with the parameters that it has once it is prepared, on all that is known of the arm. */
async function taskOf(arm: ResolvedArm, attack: ResolvedAttack, prepared: PreparedAttack | null, env: RunEnvironment) {
  const { classifier: model } = await env.networks.open(arm);
  const bound = { ...attack, params: prepared?.params ?? attack.params };
  const task: AttackTask = {
    attack: bound,
    model,
    surface: attackSurface(model, "adaptive").model,
    images: isFurther(attack) && attack.wrongOnly ? wrongOnes(arm, env) : env.images,
    cleanPredictions: cleanPredictions(arm, env),
    onProgress: (done) => env.meter.images(done),
  };
  return { task, model };
}

/** What the control of a prepared attack does, such as a plain grey patch at the same places: records alone. */
export const coverStage: Stage = {
  kind: "cover",
  pieces: (arm, facts) =>
    attacksOf(facts)
      .filter((attack) => attack.entry.preparation?.control !== undefined && arm.index >= 0)
      .flatMap((attack) => attackShards(attack, facts).map((range) => coverPiece(arm, attack, range, facts))),
};

export const needsCover = (arm: ResolvedArm, attack: ResolvedAttack, facts: PlanFacts): string[] =>
  attack.entry.preparation?.control === undefined
    ? []
    : attackShards(attack, facts).map((range) => shardKey(coverGroup(arm, attack), range));

function coverPiece(arm: ResolvedArm, attack: ResolvedAttack, range: Range, facts: PlanFacts): Piece {
  return {
    ...attackPiece(arm, attack, range, false, facts),
    key: shardKey(coverGroup(arm, attack), range),
    stage: "cover",
    phase: `Measuring what covering alone does to ${arm.name}`,
    async run(env, folder) {
      const prepared = await preparedFor(arm, attack, env);
      if (!prepared) throw new Error(`${attack.key} prepares nothing`);
      const control = prepared.preparation.control?.(prepared.prepared);
      const { task } = await taskOf(arm, attack, prepared, env);
      const records: ImageRecord[] = [];
      for await (const outcome of attackBatches({ ...task, prepared: control }, range, env.ctx)) records.push(...outcome.records);
      await writeAtomic(folder.file(outcomeFile), JSON.stringify(records));
      prepared.preparation.dispose?.(prepared.prepared);
    },
  };
}

/** What an attack on an arm counted, batch by batch in the order of the images. */
export async function outcomesOf(arm: ResolvedArm, attack: ResolvedAttack, env: RunEnvironment): Promise<CountedOutcome[]> {
  const group = groupOf(arm, attack);
  const outcomes = await env.pieces.jsonOf<Omit<CountedOutcome, "seconds">[]>(group, outcomeFile);
  const seconds = await env.pieces.jsonOf<number[]>(group, clockFile);
  const all = seconds.flat();
  return outcomes.flat().map((outcome, i) => ({ ...outcome, seconds: all[i] ?? 0 }));
}

/** Target class of each image of a shard; undefined for an untargeted attack. */
export async function targetsIn(
  arm: ResolvedArm,
  attack: ResolvedAttack,
  range: Range,
  env: RunEnvironment,
): Promise<(index: number) => number | undefined> {
  const outcomes = await env.pieces.json<readonly Pick<CountedOutcome, "records">[]>(needsAttack(arm, attack, range), outcomeFile);
  const targets = new Map(outcomes.flatMap(({ records }) => records.map(({ index, target }) => [index, target] as const)));
  return (index) => targets.get(index);
}

/** Records of the control; undefined where the attack has none. */
export async function coverRecords(arm: ResolvedArm, attack: ResolvedAttack, env: RunEnvironment): Promise<ImageRecord[] | undefined> {
  const group = coverGroup(arm, attack);
  return env.pieces.group(group).length === 0 ? undefined : (await env.pieces.jsonOf<ImageRecord[]>(group, outcomeFile)).flat();
}

/** Adversarial images [start, end) of an attack on an arm. */
export const adversarialOf =
  (arm: ResolvedArm, attack: ResolvedAttack, env: RunEnvironment) =>
  (start: number, end: number): Promise<Float32Array> =>
    env.pieces.rows<Float32Array>(groupOf(arm, attack), imagesFile, "adversarial", [start, end]);
