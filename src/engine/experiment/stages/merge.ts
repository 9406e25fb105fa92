import type { AttackSummary, ImageRecord, StaticResult } from "../../../shared/results.ts";
import { cleanThumbnail, runFiles, thumbnailCount } from "../../../shared/runs.ts";
import { batchSizeOf } from "../../classifier/batchSizes.ts";
import { attackSurface } from "../../classifier/surface.ts";
import { asks, documented, labelOf } from "../../define/index.ts";
import { batchesOf } from "../../evaluation/batches.ts";
import { withPreparation } from "../../evaluation/prepare.ts";
import { transferredOutcomes } from "../../evaluation/transfer.ts";
import { writeAdversarial, writePicture } from "../../evaluation/write.ts";
import { summarizeAttack } from "../../harness/summarize.ts";
import type { CountedOutcome } from "../../harness/types.ts";
import { writeAtomic } from "../../io/files.ts";
import { defenseSuccessOfFooled, targetOf } from "../../metrics/robustness.ts";
import { stepOf, stepsOf } from "../../rules/step.ts";
import { isUndefended, type ResolvedArm } from "../arms.ts";
import { memoryOf } from "../costs.ts";
import type { RunEnvironment } from "../environment.ts";
import { ballOf, tell, whereOf } from "../judge.ts";
import type { PlanFacts, Stage } from "../piece.ts";
import type { FurtherAttack, ResolvedAttack } from "../resolve.ts";
import { adversarialOf, attackShards, coverRecords, needsAttack, needsCover, outcomesOf } from "./attack.ts";
import { attacksOf, imagesOf, isAdaptive, isFurther, runsOn, shownFrom } from "./knowledge.ts";
import { needsPreparation, preparedFor } from "./prepare.ts";
import { staticResult } from "./staticResult.ts";
import { needsNetwork } from "./train.ts";
import { needsTransfer, transferRecords } from "./transfer.ts";

/** A finished attack on an arm; the adversarial images are in `file`, relative to the run folder. */
export interface MergedAttack {
  readonly summary: AttackSummary;
  readonly records: readonly ImageRecord[];
  readonly file: string;
  /** The same attack on the source of static images, and these images as this arm classifies them; beside an adaptive attack alone. */
  readonly transferred?: { readonly undefended: readonly ImageRecord[]; readonly transferred: readonly ImageRecord[] };
}
const mergedFile = "merged.json";
export const mergeKey = (arm: ResolvedArm, attack: ResolvedAttack): string => `merge:${arm.name}:${attack.key}`;
export const mergedAttack = (arm: ResolvedArm, attack: ResolvedAttack, env: RunEnvironment): Promise<MergedAttack> =>
  env.pieces.json<MergedAttack>(mergeKey(arm, attack), mergedFile);

/** Puts the shards of an attack together: the figures, the records of all images, and the images themselves. */
export const mergeStage: Stage = {
  kind: "merge",
  pieces: (arm, facts) =>
    attacksOf(facts)
      .filter(() => arm.index >= 0)
      .map((attack) => ({
        key: mergeKey(arm, attack),
        stage: "merge",
        phase: `Attacking ${arm.name} with ${attack.entry.title}`,
        arm: arm.name,
        attack: attack.key,
        needs: needsOf(arm, attack, facts),
        cost: imagesOf(attack, facts.n),
        memory: memoryOf(facts.inputShape, 4),
        device: "evaluate",
        async run(env, folder) {
          const merged = await merge(arm, attack, env);
          await writeAtomic(folder.file(mergedFile), JSON.stringify(merged));
          announce(arm, attack, merged.summary, env);
        },
      })),
};

/** Where the images of an attack on an arm lie: images that were made on another arm alone stay where that arm has them. */
export function imagesFileOf(arm: ResolvedArm, attack: ResolvedAttack, facts: PlanFacts): string {
  return facts.layout.adversarial(holderOf(arm, attack, facts), attack.key);
}

function holderOf(arm: ResolvedArm, attack: ResolvedAttack, facts: PlanFacts): ResolvedArm {
  const source = runsOn(arm, attack, facts) ? arm : shownFrom(arm, attack, facts);
  return source && source.index >= 0 ? source : arm;
}

function needsOf(arm: ResolvedArm, attack: ResolvedAttack, facts: PlanFacts): string[] {
  const { sources } = facts;
  const shards = attackShards(attack, facts);
  const [source, shown] = [sources.of(arm), shownFrom(arm, attack, facts)];
  const made = (on: ResolvedArm): string[] => shards.map((range) => needsAttack(on, attack, range));
  const isOnSource = source !== null && facts.hasModel(source);
  const controlled = shown && sources.control && sources.control !== arm && facts.hasModel(sources.control);
  return [
    ...needsNetwork(arm, facts),
    ...needsPreparation(arm, attack, facts),
    ...(runsOn(arm, attack, facts) ? made(arm) : []),
    ...(holderOf(arm, attack, facts) === arm ? [] : [mergeKey(holderOf(arm, attack, facts), attack)]),
    ...needsCover(arm, attack, facts),
    ...(isOnSource ? made(source) : []),
    ...(shown ? needsTransfer(arm, shown, attack, facts) : []),
    ...(controlled && sources.control ? needsTransfer(sources.control, shown, attack, facts) : []),
  ].filter((key, i, all) => all.indexOf(key) === i);
}

async function merge(arm: ResolvedArm, attack: ResolvedAttack | FurtherAttack, env: RunEnvironment): Promise<MergedAttack> {
  const { layout } = env.facts;
  const made = await madeOn(arm, attack, env);
  const records = made.outcomes.flatMap((outcome) => outcome.records);
  const summary = await summarize(arm, attack, made.outcomes, env);
  const beside = await besideStatic(arm, attack, targetOf(summary.attack), records, env);
  const file = imagesFileOf(arm, attack, env.facts);
  const images = { arm, attack, records, adversarial: adversarialOf(made.source, attack, env) };
  if (holderOf(arm, attack, env.facts) === arm) await writeArrays(images, env);
  if (!isFurther(attack)) await writeThumbnails(images, env);
  const document = {
    run: env.store.id,
    ...summary,
    ...beside.summary,
    images: records,
    files: { adversarial: file, images: `${runFiles.images}/` },
  };
  await writeDocument(layout.records(arm, attack.key), document, env);
  return { summary: { ...summary, ...beside.summary }, records, file, ...(beside.transferred ? { transferred: beside.transferred } : {}) };
}

/** What an attack counted on the arm that it is reported for: made on it, or made on its source and shown to it. */
async function madeOn(
  arm: ResolvedArm,
  attack: ResolvedAttack,
  env: RunEnvironment,
): Promise<{ readonly outcomes: readonly CountedOutcome[]; readonly source: ResolvedArm }> {
  if (runsOn(arm, attack, env.facts)) return { outcomes: await outcomesOf(arm, attack, env), source: arm };
  const source = shownFrom(arm, attack, env.facts);
  const records = source && (await transferRecords(arm, source, attack, env));
  if (!source || !records) throw new Error(`${attack.key} was not made for ${arm.name}`);
  return { outcomes: transferredOutcomes(await outcomesOf(source, attack, env), records), source };
}

async function summarize(
  arm: ResolvedArm,
  attack: ResolvedAttack,
  outcomes: readonly CountedOutcome[],
  env: RunEnvironment,
): Promise<AttackSummary> {
  const { classifier } = await env.networks.open(arm);
  const prepared = await preparedFor(arm, attack, env);
  const control = await coverRecords(arm, attack, env);
  const bound = { ...attack, params: prepared?.params ?? attack.params };
  const facts = { attack: documented(bound), defenses: classifier.defenses, backend: env.engine.backend, seed: env.experiment.seed };
  const judged = {
    where: whereOf(arm, attack.key, env),
    control,
    isOnItsOwn: prepared?.isOnItsOwn,
    queries: prepared?.says.queries,
    step: stepOf(bound),
    steps: stepsOf(bound),
    minimizes: attack.entry.minimizes,
  };
  const bare = summarizeAttack(outcomes, facts, judged);
  const summary = prepared ? withPreparation(bare, prepared, control) : bare;
  prepared?.preparation.dispose?.(prepared.prepared);
  const upperBound = attack.entry.upperBound?.(bound.params) ?? null;
  const ball = ballOf(attack, env);
  return {
    key: attack.key,
    label: labelOf(bound),
    ...(upperBound === null ? {} : { upperBound }),
    ...(ball === null ? {} : { ball }),
    ...summary,
    ...knowledgeOf(arm, attack, env, classifier),
  };
}

/** What the attack knew of the arm's defences, and how it got past them. */
function knowledgeOf(
  arm: ResolvedArm,
  attack: ResolvedAttack,
  { facts }: RunEnvironment,
  classifier: Parameters<typeof attackSurface>[0],
): Pick<AttackSummary, "mode" | "how"> {
  if (isUndefended(arm)) return {};
  if (isAdaptive(attack) && runsOn(arm, attack, facts))
    return { mode: "adaptive", how: attackSurface(classifier, "adaptive", { asked: asks(attack.entry, attack.params) }).how };
  const source = facts.sources.of(arm);
  if (!source) return { mode: "static" };
  return { mode: "static", how: arm.front.length > 0 ? attackSurface(classifier, "static").how : `the model of ${source.name}` };
}

/** The same attack without knowledge of the defence, beside what it did to the arm; the control arm, undefended, is shown the same images. */
async function besideStatic(
  arm: ResolvedArm,
  attack: ResolvedAttack,
  target: number | null,
  records: readonly ImageRecord[],
  env: RunEnvironment,
): Promise<{ readonly summary: Partial<AttackSummary>; readonly transferred?: MergedAttack["transferred"] }> {
  const { sources, hasModel } = env.facts;
  const source = sources.of(arm);
  const isControl = arm === sources.control;
  if (!source || !hasModel(source) || (isUndefended(arm) && !isControl) || attack.knowledge === "adaptive") return { summary: {} };
  const undefended = (await outcomesOf(source, attack, env)).flatMap((outcome) => outcome.records);
  const shown = shownFrom(arm, attack, env.facts);
  const isOwn = runsOn(arm, attack, env.facts);
  const transferred = shown && isOwn ? await transferRecords(arm, shown, attack, env) : null;
  const figures = staticResult(source.name, transferred ?? records, undefended, target);
  const result = { ...figures, ...(isControl ? {} : await controlOf(source, attack, target, undefended, env)) };
  if (transferred) await writeStatic(arm, source, attack, result, transferred, env);
  if (isControl) return { summary: { static: result } };
  const ofFooled = defenseSuccessOfFooled(records, undefended, target);
  const summary = { static: result, defenseSuccessOfFooled: ofFooled };
  return transferred ? { summary, transferred: { undefended, transferred } } : { summary };
}

/** What the images of `source` did to the control arm. */
async function controlOf(
  source: ResolvedArm,
  attack: ResolvedAttack,
  target: number | null,
  undefended: readonly ImageRecord[],
  env: RunEnvironment,
): Promise<Pick<StaticResult, "control">> {
  const { control } = env.facts.sources;
  const records = control && (await transferRecords(control, source, attack, env));
  if (!control || !records) return {};
  const { attacked, defenseSuccessOfFooled: ofFooled } = staticResult(source.name, records, undefended, target);
  return { control: { arm: control.name, attacked, defenseSuccessOfFooled: ofFooled } };
}

function writeStatic(
  arm: ResolvedArm,
  source: ResolvedArm,
  attack: ResolvedAttack,
  result: StaticResult,
  images: readonly ImageRecord[],
  env: RunEnvironment,
): Promise<void> {
  const { store, facts } = env;
  const files = { adversarial: facts.layout.adversarial(source, attack.key) };
  const document = { run: store.id, attack: documented(attack), mode: "static", ...result, images, files };
  return writeDocument(facts.layout.staticRecords(arm, attack.key), document, env);
}

async function writeDocument(name: string, document: unknown, { store }: RunEnvironment): Promise<void> {
  store.output(name);
  await store.writeJson(name, document);
}

interface Images {
  readonly arm: ResolvedArm;
  readonly attack: ResolvedAttack | FurtherAttack;
  readonly records: readonly ImageRecord[];
  adversarial(start: number, end: number): Promise<Float32Array>;
}

/** The contract's `adversarial-*.npz`, from shard to file. */
async function writeArrays({ arm, attack, records, adversarial }: Images, env: RunEnvironment): Promise<void> {
  const { images, store, facts, ctx } = env;
  const { inputShape } = facts;
  const n = records.length;
  async function* chunks(read: (start: number, end: number) => Promise<Float32Array>): AsyncGenerator<Float32Array> {
    for (const [start, end] of batchesOf(n, batchSizeOf(inputShape))) {
      await ctx.checkpoint();
      yield await read(start, end);
    }
  }
  await writeAdversarial(store.output(facts.layout.adversarial(arm, attack.key)), {
    n,
    inputShape,
    clean: () => chunks(async (start, end) => (await images.read(start, end)).images),
    adversarial: () => chunks(adversarial),
    label: Int32Array.from(records, ({ label }) => label),
    prediction: Int32Array.from(records, ({ prediction }) => prediction),
  });
}

/** Pictures of the first images; the clean ones, which all arms and attacks share, once. */
async function writeThumbnails({ arm, attack, records, adversarial }: Images, env: RunEnvironment): Promise<void> {
  const { images, store, facts } = env;
  const { inputShape, order, experiment, layout } = facts;
  const isFirst = order.find((one) => one.index >= 0 && facts.hasModel(one)) === arm && attack.key === experiment.attacks[0]?.key;
  for (let index = 0; index < Math.min(thumbnailCount, records.length); index++) {
    if (isFirst) await writePicture(store.output(cleanThumbnail(index)), (await images.read(index, index + 1)).images, 0, inputShape);
    await writePicture(store.output(layout.thumbnail(arm, attack.key, index)), await adversarial(index, index + 1), 0, inputShape);
  }
}

function announce(arm: ResolvedArm, attack: ResolvedAttack | FurtherAttack, summary: AttackSummary, env: RunEnvironment): void {
  env.emit({
    kind: "attacked",
    arm: arm.name,
    attack: attack.key,
    ...(summary.mode ? { mode: summary.mode } : {}),
    cleanAccuracy: summary.clean.accuracy,
    attackedAccuracy: summary.attacked.accuracy,
    successRate: summary.successRate,
    seconds: summary.seconds,
  });
  if (!isFurther(attack)) tell(summary.findings, env); // the points of a curve are not judged one by one
}
