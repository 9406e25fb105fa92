import type { AnalysisResult, ArmAnalysis, ForwardTiming } from "../../shared/results.ts";
import type { AnalysedArm, AnalysedAttack, AnalysisSubject, Scores } from "../define/analysis.ts";
import { inMemory } from "../evaluation/batches.ts";
import { scoresOf } from "../evaluation/clean.ts";
import { forwardTiming } from "../evaluation/timing.ts";
import { readNpz } from "../io/npz.ts";
import type { ResolvedArm } from "./arms.ts";
import type { ArmAttack } from "./attackArm.ts";
import { attackDefended } from "./attackDefended.ts";
import type { RunEnvironment } from "./environment.ts";
import type { OpenArm } from "./openArm.ts";
import { factsOf } from "./resolveAnalyses.ts";
import type { ArmOutcome } from "./runArm.ts";

export const analysisPiece = (arm: ResolvedArm): string => `analyse:${arm.name}`;

/** What the experiment's analyses measure on one arm, the attacks that they need first. */
export async function analyseArm(
  arm: ResolvedArm,
  open: OpenArm,
  attacks: readonly ArmAttack[],
  env: RunEnvironment,
): Promise<ArmAnalysis[]> {
  const made = new Map(attacks.map((attack) => [attack.attack.key, attack]));
  for (const attack of env.experiment.further) made.set(attack.key, await attackDefended(arm, open, attack, env));
  env.meter.begin(analysisPiece(arm));
  const measured: ArmAnalysis[] = [];
  for (const { id, params, entry, further } of env.experiment.analyses) {
    const wanted = further.flatMap((key) => made.get(key) ?? []);
    const subject = subjectOf(arm, open, attacks, wanted, env);
    measured.push({ id, params, data: (await entry.measure?.(subject, params, env.ctx)) ?? null });
    await env.ctx.checkpoint();
  }
  env.meter.finish(analysisPiece(arm));
  return measured;
}

function subjectOf(
  arm: ResolvedArm,
  open: OpenArm,
  attacks: readonly ArmAttack[],
  further: readonly ArmAttack[],
  env: RunEnvironment,
): AnalysisSubject {
  const scores = async (key: string | null): Promise<Scores> => {
    const attack = attacks.find((one) => one.attack.key === key);
    if (!attack) return scoresOf(open.classifier, env.data.test, env.ctx);
    const arrays = await readNpz(env.store.file(attack.file));
    const images = Float32Array.from(arrays["adversarial"]?.data ?? []);
    const labels = Int32Array.from(arrays["label"]?.data ?? []);
    const { inputShape } = env.data.test;
    return scoresOf(open.classifier, inMemory({ images, labels, n: labels.length }, inputShape), env.ctx);
  };
  return {
    attacks: attacks.map((attack) => analysed(arm, attack, env)),
    further: further.map((attack) => analysed(arm, attack, env)),
    scores,
    time: (passes, warmUps): Promise<ForwardTiming> => forwardTiming(open.classifier, env.data.test, { passes, warmUps }, env.ctx),
  };
}

export function analysed(arm: ResolvedArm, { attack, summary, document }: ArmAttack, env: RunEnvironment): AnalysedAttack {
  const source = env.sources.of(arm);
  const other = source ? env.attacked.get(source.name)?.get(attack.key) : undefined;
  return { key: attack.key, summary, records: document.images, undefended: other?.document.images ?? null };
}

/** The tables and charts over all arms; none for a run that only trains. */
export function presentAnalyses(outcomes: readonly ArmOutcome[], env: RunEnvironment): AnalysisResult[] {
  if (env.mode === "train") return [];
  const { experiment } = env;
  const facts = { ...factsOf({ ...experiment, dataset: experiment.dataset.id }), inputShape: env.data.test.inputShape };
  return experiment.analyses.map(({ id, params, entry }, i) => {
    const arms = outcomes.map(
      ({ report, analysed: attacks, training }): AnalysedArm => ({
        report,
        attacks,
        data: report.analyses[i]?.data ?? null,
        history: training?.history ?? [],
      }),
    );
    return { id, params, ...entry.present(arms, params, facts) };
  });
}
