import type { ArmAnalysis, ArmReport, Choice, Finding, ForwardTiming } from "../../shared/results.ts";
import type { AnalysedAttack } from "../define/analysis.ts";
import { documented } from "../define/index.ts";
import { cleanAccuracy, cleanAnswers } from "../evaluation/clean.ts";
import { forwardTiming, usualTiming } from "../evaluation/timing.ts";
import { suspiciousAccuracy, unboundedCheck } from "../harness/unbounded.ts";
import type { CleanAnswer, ComparedAttack, UnboundedEvidence } from "../rules/evidence.ts";
import { armRules, modelRules } from "../rules/index.ts";
import { findingsOf } from "../rules/rule.ts";
import { analyseArm, analysed } from "./analyse.ts";
import { defenseOf, defensesOf, type ResolvedArm } from "./arms.ts";
import type { ArmAttack } from "./attackArm.ts";
import { attackDefended } from "./attackDefended.ts";
import type { RunEnvironment } from "./environment.ts";
import { explainArm } from "./explainArm.ts";
import { compared, tell, whereOf } from "./judge.ts";
import { ownerOf } from "./networks.ts";
import { type OpenArm, openArm } from "./openArm.ts";
import type { TrainingRecord } from "./trainArm.ts";

export interface ArmOutcome {
  /** Place of the arm in the experiment. */
  readonly index: number;
  readonly report: ArmReport;
  readonly findings: readonly Finding[];
  /** For the rules that compare, which look at all arms together. */
  readonly compared: readonly ComparedAttack[];
  readonly training: TrainingRecord | null;
  readonly modelHash: string;
  readonly analysed: readonly AnalysedAttack[];
}

export const explainPiece = (arm: ResolvedArm): string => `explain:${arm.name}`;

/** Everything the experiment asks of one arm; null where there is no model to evaluate. */
export async function runArm(arm: ResolvedArm, env: RunEnvironment): Promise<ArmOutcome | null> {
  const open = await openArm(arm, env);
  if (open === null) return null;
  try {
    for (const message of open.classifier.warnings) env.emit({ kind: "warning", message: `${arm.name}: ${message}` });
    const clean = await cleanAnswers(open.classifier, env.data.test, env.ctx);
    const attacks: ArmAttack[] = [];
    if (env.mode !== "train") for (const attack of env.experiment.attacks) attacks.push(await attackDefended(arm, open, attack, env));
    if (arm.index < 0) return null; // only made for others
    const explanations = [];
    if (env.mode !== "train") {
      env.meter.begin(explainPiece(arm));
      for (const explanation of env.experiment.explanations) explanations.push(await explainArm(arm, open, explanation, attacks, env));
      env.meter.finish(explainPiece(arm));
    }
    const analyses = env.mode === "train" ? [] : await analyseArm(arm, open, attacks, env);
    const timing = timed(analyses) ?? (await forwardTiming(open.classifier, env.data.test, usualTiming, env.ctx));
    const training = open.training && {
      epochs: open.training.epochs,
      seconds: open.training.seconds,
      imagesPerSecond: open.training.imagesPerSecond,
      reused: open.training.reused,
      images: open.training.images,
    };
    const model: Choice = "file" in arm.model ? { id: "file", params: { file: arm.model.file } } : documented(arm.model);
    const summaries = attacks.map((attack) => attack.summary);
    return {
      index: arm.index,
      analysed: attacks.map((attack) => analysed(arm, attack, env)),
      report: {
        name: arm.name,
        defense: defenseOf(arm),
        defenses: defensesOf(arm),
        model,
        ...sharedNetwork(arm, env),
        clean: cleanAccuracy(clean),
        training,
        attacks: summaries,
        detectors: [],
        explanations,
        analyses,
        timing,
      },
      findings: [...summaries.flatMap((summary) => summary.findings), ...(await armFindings(arm, { open, clean, attacks }, env))],
      compared: attacks.map((attack) => compared(arm, attack, env)),
      training: open.training,
      modelHash: open.modelHash,
    };
  } finally {
    open.classifier.dispose();
  }
}

/** Arms with equal training have one network between them. */
function sharedNetwork(arm: ResolvedArm, { experiment }: RunEnvironment): Pick<ArmReport, "network"> {
  const owner = ownerOf(arm, experiment.arms);
  return owner === arm ? {} : { network: owner.name };
}

/** Findings about the arm's model and about the arm as a whole. */
async function armFindings(
  arm: ResolvedArm,
  { open, clean, attacks }: { readonly open: OpenArm; readonly clean: readonly CleanAnswer[]; readonly attacks: readonly ArmAttack[] },
  env: RunEnvironment,
): Promise<Finding[]> {
  const evidence = {
    departures: open.training?.notes ?? [],
    clean,
    unbounded: await unbounded(open, attacks, env),
  };
  const where = whereOf(arm, null, env);
  return tell([...findingsOf(modelRules, { outputs: open.outputs }, where), ...findingsOf(armRules, evidence, where)], env);
}

/** A timing analysis has measured what is reported of every arm. */
const timed = (analyses: readonly ArmAnalysis[]): ForwardTiming | undefined =>
  analyses.find(({ id }) => id === "timing")?.data as ForwardTiming | undefined;

const checkedImages = 32;

/** Only where the arm looks robust: an attack without limits must win, or gradients are masked. */
async function unbounded(open: OpenArm, attacks: readonly ArmAttack[], env: RunEnvironment): Promise<UnboundedEvidence | null> {
  const able = attacks.filter(({ attack }) => attack.entry.unbounded && attack.entry.iterative);
  const suspicious = able.find(({ summary }) => (summary.attacked.accuracy ?? 0) > suspiciousAccuracy);
  if (!suspicious) return null;
  const batch = await env.data.test.read(0, Math.min(checkedImages, env.data.test.n));
  const checked = await unboundedCheck({ attack: suspicious.attack, model: open.classifier, batch }, env.ctx);
  return checked && { attack: suspicious.attack.id, attackKey: suspicious.attack.key, ...checked };
}
