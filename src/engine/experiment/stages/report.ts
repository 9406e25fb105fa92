import { percent } from "../../../shared/format.ts";
import { attackLabel } from "../../../shared/labels.ts";
import type { ArmReport, Choice, ForwardTiming, RunReport } from "../../../shared/results.ts";
import { runFiles } from "../../../shared/runs.ts";
import { documented } from "../../define/index.ts";
import { trainingFile } from "../../importers/asTrained.ts";
import { now } from "../../io/runStore.ts";
import { share } from "../../metrics/robustness.ts";
import { completeArms } from "../../report/completeArms.ts";
import { detectorSection } from "../../report/detectors.ts";
import { writeReports } from "../../report/reportFiles.ts";
import { deviceFindings } from "../../session/deviceWarnings.ts";
import { defenseOf, defensesOf, type ResolvedArm } from "../arms.ts";
import { writeExperiment } from "../document.ts";
import type { RunEnvironment } from "../environment.ts";
import { checkExpectations } from "../expectations.ts";
import { compared, comparisons } from "../judge.ts";
import { trains } from "../models.ts";
import { ownerOf } from "../networks.ts";
import type { Piece, PlanFacts } from "../piece.ts";
import type { ResolvedAttack, ResolvedExperiment } from "../resolve.ts";
import { analysedAttacks, analysesOf, certificateIn, presentAnalyses } from "./analyse.ts";
import { cleanAnswers } from "./clean.ts";
import { allCrossed } from "./cross.ts";
import { detectorFindings, detectorsOf } from "./detect.ts";
import { explanationOf } from "./explain.ts";
import { judgedArm, timingOf } from "./judge.ts";
import { writeImageFiles } from "./ledger.ts";
import { mergedAttack } from "./merge.ts";
import { readTraining, type TrainingDone } from "./train.ts";

/** The report of an experiment, from what its pieces have left. */
export const reportPiece = (before: readonly Piece[], facts: PlanFacts): Piece => ({
  key: "report",
  stage: "report",
  phase: "Writing the report",
  needs: before.map(({ key }) => key),
  cost: facts.n,
  memory: 250e6,
  device: "evaluate",
  run: writeReport,
});

/** Only there where something is noted. */
const noted = (notes: readonly string[]): Pick<RunReport, "notes"> => (notes.length > 0 ? { notes } : {});

/** A training attacks nothing: only what it measures can be missed. */
const expectedOf = ({ experiment, mode }: RunEnvironment): ResolvedExperiment["expect"] =>
  experiment.expect.filter(({ metric }) => mode !== "train" || metric === "clean.accuracy");

async function writeReport(env: RunEnvironment): Promise<void> {
  const { experiment, store, facts } = env;
  const arms = experiment.arms.filter(facts.hasModel);
  await writeImageFiles(arms, env);
  const reports = await completeArms(await Promise.all(arms.map((arm) => reportOf(arm, env))), store.directory);
  const judged = await Promise.all(arms.map((arm) => judgedArm(arm, env)));
  const document = await writeExperiment(env, Object.fromEntries(arms.map(({ name }, i) => [name, judged[i]?.modelHash ?? ""])));
  const shown = await Promise.all(arms.map((arm, i) => analysedArm(arm, reports[i] as ArmReport, env)));
  const findings = arms.flatMap((_, i) => [
    ...(reports[i] as ArmReport).attacks.flatMap((summary) => summary.findings),
    ...(judged[i]?.findings ?? []),
    ...detectorFindings(arms[i] as ResolvedArm, (reports[i] as ArmReport).detectors, env),
  ]);
  const report: RunReport = {
    run: store.id,
    ...noted(env.data.notes),
    experiment: document,
    arms: reports,
    analyses: [...detectorSection(reports), ...(await presentAnalyses(shown, env))],
    findings: [...findings, ...(await compareArms(arms, env)), ...(await deviceFindings(store.directory))],
    expect: checkExpectations(expectedOf(env), reports, experiment.arms[0]?.name ?? ""),
    finishedAt: now(),
  };
  await store.writeJson(runFiles.report, report);
  await writeReports(store.directory, report);
  await store.update({ headline: headline(reports) });
}

async function reportOf(arm: ResolvedArm, env: RunEnvironment): Promise<ArmReport> {
  const { experiment, mode } = env;
  const isEvaluated = mode !== "train";
  const analyses = isEvaluated ? await analysesOf(arm, env) : [];
  const measured = analyses.find(({ id }) => id === "timing")?.data as ForwardTiming | undefined;
  const certificate = isEvaluated ? certificateIn(analyses, env) : undefined;
  const owner = ownerOf(arm, experiment.arms);
  const model: Choice = "file" in arm.model ? { id: "file", params: { file: arm.model.file } } : documented(arm.model);
  return {
    name: arm.name,
    defense: defenseOf(arm),
    defenses: defensesOf(arm),
    model,
    ...(owner === arm ? {} : { network: owner.name }),
    clean: await cleanRate(arm, env),
    ...(await slicesOf(arm, env)),
    training: await trainingOf(arm, owner, env),
    attacks: isEvaluated ? await summariesOf(arm, env) : [],
    detectors: isEvaluated ? await detectorsOf(arm, env) : [],
    explanations: isEvaluated ? await Promise.all(experiment.explanations.map((_, place) => explanationOf(arm, place, env))) : [],
    analyses,
    ...(certificate ? { certificate } : {}),
    timing: measured ?? (await timingOf(arm, env)),
  };
}

async function slicesOf(arm: ResolvedArm, env: RunEnvironment): Promise<Pick<ArmReport, "slices">> {
  const { bare, slices } = (await env.networks.open(arm)).classifier;
  const source = bare?.slices ?? slices;
  return source ? { slices: { count: source.count, reach: source.reach } } : {};
}

const summariesOf = async (arm: ResolvedArm, env: RunEnvironment) =>
  (await Promise.all(env.experiment.attacks.map((attack) => mergedAttack(arm, attack, env)))).map(({ summary }) => summary);

async function cleanRate(arm: ResolvedArm, env: RunEnvironment): Promise<ArmReport["clean"]> {
  const answers = await cleanAnswers(arm, env);
  const correct = answers.filter(({ label, cleanPrediction }) => label === cleanPrediction).length;
  return { accuracy: share(correct, answers.length), correct, n: answers.length };
}

async function trainingOf(arm: ResolvedArm, owner: ResolvedArm, env: RunEnvironment): Promise<ArmReport["training"]> {
  const place = env.networks.placeOf(arm);
  const training = place && (await readTraining(place.path));
  if (!training) return null;
  const reused = trains(arm, env.mode) ? (await env.pieces.json<TrainingDone>(`train:${owner.name}`, trainingFile)).reused : true;
  const { epochs, steps, seconds, imagesPerSecond, images } = training;
  return { epochs, ...(steps === undefined ? {} : { steps }), seconds, imagesPerSecond, reused, images };
}

async function analysedArm(arm: ResolvedArm, report: ArmReport, env: RunEnvironment) {
  const attacks = env.mode === "train" ? [] : await analysedAttacks(arm, env.experiment.attacks, env);
  const place = env.networks.placeOf(arm);
  return { report, attacks, history: (place && (await readTraining(place.path))?.history) ?? [] };
}

/** Rules that compare look at all arms together. */
async function compareArms(arms: readonly ResolvedArm[], env: RunEnvironment) {
  if (env.mode === "train") return [];
  const { attacks, further } = env.experiment;
  const crossed = await allCrossed(env);
  const all = (some: readonly ResolvedAttack[]) =>
    Promise.all(
      arms.flatMap((arm) => some.map(async (attack) => compared(arm, attack, await mergedAttack(arm, attack, env), crossed, env))),
    );
  return comparisons(await all(attacks), await all(further), env);
}

/** "clean 98.6 % · PGD-40, ε 0.3: 0.2 %": the first arm and the attack that hurts it most. */
function headline(arms: readonly ArmReport[]): string | null {
  const [first] = arms;
  if (!first) return null;
  const worst = [...first.attacks].sort((a, b) => (a.attacked.accuracy ?? 1) - (b.attacked.accuracy ?? 1))[0];
  return `clean ${percent(first.clean.accuracy)}${worst ? ` · ${attackLabel(worst)}: ${percent(worst.attacked.accuracy)}` : ""}`;
}
