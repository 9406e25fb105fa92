import type { ArmCertificate } from "../../../shared/certificate.ts";
import type { AnalysisResult, ArmAnalysis, ForwardTiming } from "../../../shared/results.ts";
import { armArraysFile, runFiles, slug } from "../../../shared/runs.ts";
import { attentionBytes } from "../../attention/colour.ts";
import type { RunContext } from "../../context.ts";
import type { AnalysedArm, AnalysedAttack, AnalysisPart, AnalysisSubject, Scores } from "../../define/analysis.ts";
import { documented, type EvaluationImages } from "../../define/index.ts";
import { scoresOf } from "../../evaluation/clean.ts";
import { explainImages } from "../../evaluation/explain.ts";
import { forwardTiming } from "../../evaluation/timing.ts";
import { writePicture } from "../../evaluation/write.ts";
import { writeAtomic } from "../../io/files.ts";
import { writeNpz } from "../../io/npz.ts";
import { writePng } from "../../io/png.ts";
import type { ResolvedArm } from "../arms.ts";
import { imageCost, memoryOf, passCost } from "../costs.ts";
import type { RunEnvironment } from "../environment.ts";
import { networkKey } from "../networks.ts";
import type { OpenArm } from "../openNetworks.ts";
import { type Piece, type PlanFacts, type Stage, shardKey } from "../piece.ts";
import type { FurtherAttack, ResolvedAnalysis, ResolvedAttack } from "../resolve.ts";
import { factsOf } from "../resolveAnalyses.ts";
import { storedLabels } from "../runPieces.ts";
import { shardsOf } from "../shards.ts";
import { adversarialOf, outcomesOf } from "./attack.ts";
import { checkAnalysis } from "./checks.ts";
import { cleanProbabilities, needsClean } from "./clean.ts";
import { crossedRecords } from "./cross.ts";
import { attacksOf, imagesOf, shownFrom } from "./knowledge.ts";
import { imagesFileOf, type MergedAttack, mergedAttack, mergeKey } from "./merge.ts";
import { adversarialIn } from "./merged.ts";
import { needsNetwork } from "./train.ts";

const [armFile, partFile] = ["analysis.json", "part.json"];
const armKey = (arm: ResolvedArm, place: number): string => `analyse:${arm.name}:${place}`;

/** What each analysis measures on an arm. */
export const analyseStage: Stage = {
  kind: "analyse",
  pieces(arm, facts) {
    const { experiment, inputShape, mode, n } = facts;
    if (arm.index < 0 || mode === "train") return [];
    return experiment.analyses.flatMap((analysis, place): Piece[] => {
      const whole = {
        stage: "analyse" as const,
        phase: `Analysing ${arm.name}`,
        arm: arm.name,
        needs: [...needsNetwork(arm, facts), ...needsClean(arm, [0, n], facts), ...attacksOf(facts).map((attack) => mergeKey(arm, attack))],
        network: networkKey(arm),
        memory: memoryOf(inputShape, 100),
        device: "evaluate" as const,
      };
      const shards = partsOf(analysis).flatMap((part) => shardPieces([arm, place, analysis], part, whole, facts));
      return [
        ...shards,
        {
          ...whole,
          key: armKey(arm, place),
          needs: [...whole.needs, ...shards.map(({ key }) => key)],
          cost: shards.length > 0 ? n : passCost(arm, facts) * n,
          ...(arm === facts.order.find(({ index }) => index >= 0) ? { check: (env) => checkAnalysis(analysis, env) } : {}),
          async run(env, folder) {
            const { params, entry } = analysis;
            const data = entry.measure
              ? ((await entry.measure(await subjectOf([arm, place, analysis], env), params, metered(env))) ?? null)
              : null;
            await writeAtomic(folder.file(armFile), JSON.stringify(data));
          },
        },
      ];
    });
  },
};

/** An analysis on an arm, at its place among the analyses. */
type OnArm = readonly [arm: ResolvedArm, place: number, analysis: ResolvedAnalysis];

const partsOf = ({ entry, params }: ResolvedAnalysis): readonly AnalysisPart[] => entry.parts?.(params) ?? [];
const partGroup = ([arm, place]: OnArm, part: string): string => `${armKey(arm, place)}:${part}`;

/** The run's context, whose checkpoints also move the run's own progress. */
const metered = ({ ctx, meter }: RunEnvironment): RunContext => ({
  ...ctx,
  checkpoint(progress) {
    if (progress) meter.report(progress.done, progress.total);
    return ctx.checkpoint();
  },
});

/** What an analysis measures image by image: the same shards for every arm. */
function shardPieces(on: OnArm, part: AnalysisPart, whole: Omit<Piece, "key" | "cost" | "run">, facts: PlanFacts): Piece[] {
  const { experiment, inputShape, n } = facts;
  const [first] = experiment.arms as readonly [ResolvedArm];
  const sets = 1 + experiment.attacks.length;
  const images = Math.min(part.images ?? n, n);
  return shardsOf(images, inputShape, sets * imageCost({ ...first, training: [] }, part.evaluations, facts)).map((range) => ({
    ...whole,
    key: shardKey(partGroup(on, part.name), range),
    cost: sets * imageCost(on[0], part.evaluations, facts) * (range[1] - range[0]),
    images: range,
    of: images,
    async run(env, folder) {
      const data = await part.measure(await subjectOf(on, env), range, metered(env));
      await writeAtomic(folder.file(partFile), JSON.stringify(data));
    },
  }));
}

const furtherOf = (keys: readonly string[], env: RunEnvironment): (ResolvedAttack | FurtherAttack)[] =>
  keys.flatMap((key) => attacksOf(env.facts).find((attack) => attack.key === key) ?? []);

async function subjectOf(on: OnArm, env: RunEnvironment): Promise<AnalysisSubject> {
  const [arm, , { further }] = on;
  const open = await env.networks.open(arm);
  const { classifier } = open;
  const images = imagesIn(arm, env);
  return {
    model: classifier,
    attacks: await analysedAttacks(arm, env.experiment.attacks, env),
    further: await analysedAttacks(arm, furtherOf(further, env), env),
    images,
    staticImages(key) {
      const attack = attacksOf(env.facts).find((one) => one.key === key);
      const source = attack && shownFrom(arm, attack, env.facts);
      if (!source) return images(key);
      return attackedImages(attack, adversarialOf(source, attack, env), env);
    },
    draw: (name, values, kind) => draw(`${runFiles.images}/${slug(arm.name)}-${slug(name)}.png`, values, kind, env),
    async save(stem, key, arrays) {
      const file = armArraysFile(arm.index, arm.name, stem, key);
      await writeNpz(env.store.output(file), arrays);
      return file;
    },
    boxes: env.data.boxes,
    scores: (key) => scores(arm, open, key, env),
    explain: async (method, chosen, [start, end] = [0, chosen.n], superpixels) =>
      explainImages(classifier, (await chosen.read(start, end)).images, documented(method), env.ctx, {
        first: start,
        ...(superpixels ? { superpixels } : {}),
      }),
    shards: (part) => env.pieces.jsonOf<unknown>(partGroup(on, part), partFile),
    time: (passes, warmUps): Promise<ForwardTiming> => forwardTiming(classifier, env.images, { passes, warmUps }, env.ctx),
  };
}

/** Clean test images for null, else those of an attack on the arm. */
const imagesIn =
  (arm: ResolvedArm, env: RunEnvironment) =>
  (key: string | null): EvaluationImages => {
    const attack = attacksOf(env.facts).find((one) => one.key === key);
    if (!attack) return env.images;
    const file = env.store.file(imagesFileOf(arm, attack, env.facts));
    return attackedImages(attack, (start, end) => adversarialIn(file, start, end), env);
  };

const attackedImages = (
  attack: ResolvedAttack | FurtherAttack,
  pixels: (start: number, end: number) => Promise<Float32Array>,
  { images }: RunEnvironment,
): EvaluationImages => ({
  n: imagesOf(attack, images.n),
  inputShape: images.inputShape,
  async read(start, end) {
    const { labels, n } = await images.read(start, end);
    return { images: await pixels(start, end), labels, n };
  },
});

async function draw(file: string, values: Float32Array, kind: "picture" | "map" = "picture", env: RunEnvironment): Promise<string> {
  const [height, width] = env.data.inputShape;
  if (kind === "map") await writePng(env.store.output(file), attentionBytes(values), height, width, 3);
  else await writePicture(env.store.output(file), values, 0, env.data.inputShape);
  return file;
}

async function scores(arm: ResolvedArm, { classifier }: OpenArm, key: string | null, env: RunEnvironment): Promise<Scores> {
  if (key !== null) return scoresOf(classifier, imagesIn(arm, env)(key), env.ctx);
  const labels = await storedLabels(env.pieces, env.images.n);
  return { probabilities: await cleanProbabilities(arm, env), labels, classes: classifier.classes };
}

export const analysedAttacks = (arm: ResolvedArm, attacks: readonly ResolvedAttack[], env: RunEnvironment): Promise<AnalysedAttack[]> =>
  Promise.all(attacks.map(async (attack) => analysed(arm, attack, await mergedAttack(arm, attack, env), env)));

async function analysed(arm: ResolvedArm, attack: ResolvedAttack, merged: MergedAttack, env: RunEnvironment): Promise<AnalysedAttack> {
  const { sources, hasModel } = env.facts;
  const source = sources.of(arm);
  const undefended = source && hasModel(source) ? (await outcomesOf(source, attack, env)).flatMap(({ records }) => records) : null;
  const own = merged.summary.mode === "static" ? merged.records : null;
  const transferred = merged.transferred?.transferred ?? own;
  return { key: attack.key, summary: merged.summary, records: merged.records, undefended, static: transferred };
}

/** What the experiment's analyses measured on an arm, in their order. */
export const analysesOf = (arm: ResolvedArm, env: RunEnvironment): Promise<ArmAnalysis[]> =>
  Promise.all(
    env.experiment.analyses.map(async (analysis, place) => ({
      ...documented(analysis),
      data: await env.pieces.json<unknown>(armKey(arm, place), armFile),
    })),
  );

/** What the experiment's analyses found of every test image of an arm, as columns of the ledger. */
export async function ledgerColumns(arm: ResolvedArm, env: RunEnvironment): Promise<Readonly<Record<string, readonly number[]>>> {
  if (env.mode === "train") return {};
  const found = await analysesOf(arm, env);
  return Object.assign({}, ...env.experiment.analyses.map(({ entry }, place) => entry.ledger?.(found[place]?.data) ?? {}));
}

/** What an analysis has proven of an arm; undefined where none does. */
export const certificateIn = (analyses: readonly ArmAnalysis[], env: RunEnvironment): ArmCertificate | undefined =>
  env.experiment.analyses.flatMap(({ entry }, place) => entry.certificate?.(analyses[place]?.data) ?? [])[0];

/** The tables and figures over all arms; none for a run that only trains. */
export async function presentAnalyses(arms: readonly Omit<AnalysedArm, "data">[], env: RunEnvironment): Promise<AnalysisResult[]> {
  if (env.mode === "train") return [];
  const { experiment } = env;
  const facts = { ...factsOf({ ...experiment, dataset: experiment.dataset.id }), inputShape: env.data.inputShape };
  return Promise.all(
    experiment.analyses.map(async (analysis, place) => {
      const { entry, params } = analysis;
      const crossed = entry.isCrossed ? await crossedRecords(analysis, env) : [];
      const shown = arms.map((arm) => ({ ...arm, data: arm.report.analyses[place]?.data ?? null }));
      return { ...documented(analysis), ...entry.present(shown, params, { ...facts, crossed }) };
    }),
  );
}
