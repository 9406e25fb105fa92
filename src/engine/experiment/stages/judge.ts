import type { Finding, ForwardTiming } from "../../../shared/results.ts";
import { batchSizeFor } from "../../classifier/batchSizes.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { forwardTiming, usualTiming } from "../../evaluation/timing.ts";
import { gradientCheck } from "../../harness/gradientCheck.ts";
import { survivorsAmong, suspiciousAccuracy, unboundedCheck } from "../../harness/unbounded.ts";
import { writeAtomic } from "../../io/files.ts";
import { clockFile } from "../../io/publish.ts";
import type { GradientEvidence, UnboundedEvidence } from "../../rules/evidence.ts";
import { armRules } from "../../rules/index.ts";
import { findingsOf, placed } from "../../rules/rule.ts";
import type { ResolvedArm } from "../arms.ts";
import { memoryOf, timingCost } from "../costs.ts";
import type { RunEnvironment } from "../environment.ts";
import { probedOf, tell, whereOf } from "../judge.ts";
import { isTrained, networkKey, ownerOf } from "../networks.ts";
import { type OpenArm, ownFolder } from "../openNetworks.ts";
import type { Stage } from "../piece.ts";
import type { ResolvedAttack } from "../resolve.ts";
import { cleanAnswers, needsClean } from "./clean.ts";
import { type MergedAttack, mergedAttack, mergeKey } from "./merge.ts";
import { needsNetwork, readTraining } from "./train.ts";

const file = "judged.json";
const checkedImages = 32;

interface Judged {
  readonly findings: readonly Finding[];
  readonly modelHash: string;
}
const judgeKey = (arm: ResolvedArm): string => `judge:${arm.name}`;
export const judgedArm = (arm: ResolvedArm, env: RunEnvironment): Promise<Judged> => env.pieces.json<Judged>(judgeKey(arm), file);
export const timingOf = (arm: ResolvedArm, env: RunEnvironment): Promise<ForwardTiming> =>
  env.pieces.json<ForwardTiming>(judgeKey(arm), clockFile);

/** What is said of an arm as a whole when its attacks are done, and how long a forward pass takes. */
export const judgeStage: Stage = {
  kind: "judge",
  pieces(arm, facts) {
    const { experiment, inputShape, mode } = facts;
    if (arm.index < 0) return [];
    return [
      {
        key: judgeKey(arm),
        stage: "judge",
        phase: `Measuring ${arm.name}`,
        arm: arm.name,
        needs: [
          ...needsNetwork(arm, facts),
          ...needsClean(arm, [0, facts.n], facts),
          ...(mode === "train" ? [] : experiment.attacks.map((attack) => mergeKey(arm, attack))),
        ],
        cost: timingCost(arm, usualTiming.passes + usualTiming.warmUps, facts),
        network: networkKey(arm),
        memory: memoryOf(inputShape, checkedImages),
        device: "evaluate",
        async run(env, folder) {
          const open = await env.networks.open(arm);
          const judged: Judged = { findings: await findings(arm, open, env), modelHash: open.modelHash };
          const timing = await forwardTiming(open.classifier, env.images, usualTiming, env.ctx);
          await writeAtomic(folder.file(file), JSON.stringify(judged));
          await writeAtomic(folder.file(clockFile), JSON.stringify(timing));
        },
      },
    ];
  },
};

async function findings(arm: ResolvedArm, open: OpenArm, env: RunEnvironment): Promise<Finding[]> {
  const { attacks } = env.experiment;
  const merged = env.mode === "train" ? [] : await Promise.all(attacks.map((attack) => mergedAttack(arm, attack, env)));
  const training = await readTraining(env.store.file(ownFolder(ownerOf(arm, env.experiment.arms))));
  const evidence = {
    departures: training?.notes ?? [],
    clean: await cleanAnswers(arm, env),
    gradients: await gradientsOf(open.classifier, env),
    isTrainedHere: isTrained(arm),
    hasFront: arm.front.length > 0,
    unbounded: await unbounded(open, attacks, merged, env),
    probed: probedOf(open.classifier, env.experiment),
  };
  const where = whereOf(arm, null, env);
  return tell([...placed(open.classifier.findings, where), ...findingsOf(armRules, evidence, where)], env);
}

/** On the first test images, as many as go together. */
export async function gradientsOf(model: Classifier, env: Pick<RunEnvironment, "images" | "ctx">): Promise<GradientEvidence | null> {
  const n = Math.min(checkedImages, env.images.n, batchSizeFor(model, "gradient").most);
  return gradientCheck(model, await env.images.read(0, n), env.ctx);
}

/** Only where the arm looks robust: an attack without limits must win, or gradients are masked. */
async function unbounded(
  { classifier }: OpenArm,
  attacks: readonly ResolvedAttack[],
  merged: readonly MergedAttack[],
  env: RunEnvironment,
): Promise<UnboundedEvidence | null> {
  const looksRobust = (i: number): boolean => (merged[i]?.summary.attacked.accuracy ?? 0) > suspiciousAccuracy;
  const free = attacks.findIndex(({ entry }, i) => entry.minimizes && merged[i]?.summary.mode !== "static" && looksRobust(i));
  if (free >= 0) {
    const { id, key } = attacks[free] as ResolvedAttack;
    return { attack: id, attackKey: key, classes: classifier.classes, ...survivorsAmong(merged[free]?.records ?? []) };
  }
  const suspicious = attacks.find(({ entry }, i) => entry.unbounded && entry.iterative && looksRobust(i));
  if (!suspicious) return null;
  const batch = await env.images.read(0, Math.min(checkedImages, env.images.n));
  const checked = await unboundedCheck({ attack: suspicious, model: classifier, batch }, env.ctx);
  return checked && { attack: suspicious.id, attackKey: suspicious.key, ...checked };
}
