import { rm } from "node:fs/promises";
import type { RunEvent, RunEventBody } from "../../shared/events.ts";
import { percent } from "../../shared/format.ts";
import type { RunExperimentResult } from "../../shared/protocol.ts";
import type { ArmReport, RunReport } from "../../shared/results.ts";
import { runFiles } from "../../shared/runs.ts";
import { createContext, type RunContext } from "../context.ts";
import { now, type RunStore, readRunEvents, settle } from "../io/runStore.ts";
import { completeArms } from "../report/completeArms.ts";
import { writeReports } from "../report/reportFiles.ts";
import { deviceFindings, watchingDevice } from "../session/deviceWarnings.ts";
import type { Engine } from "../session/engine.ts";
import { version } from "../session/version.ts";
import { presentAnalyses } from "./analyse.ts";
import { checkArms } from "./checkArms.ts";
import { openData, type RunData } from "./data.ts";
import { type Environment, experimentDocument, hashOf } from "./document.ts";
import type { RunEnvironment, RunMode } from "./environment.ts";
import { checkExpectations } from "./expectations.ts";
import { comparisons } from "./judge.ts";
import { runningOrder, staticSources } from "./networks.ts";
import { piecesOf } from "./pieces.ts";
import { ProgressMeter } from "./progress.ts";
import type { ResolvedExperiment } from "./resolve.ts";
import { type ArmOutcome, runArm } from "./runArm.ts";

/** Who asked for the run: where it computes, how it is stopped, who listens. */
export interface RunHost {
  readonly engine: Engine;
  readonly signal: AbortSignal;
  onEvent?(event: RunEvent): void;
  log?(message: string): void;
  /** Hears of what happens before the run has a folder to write it into. */
  readonly note?: ((message: string) => void) | undefined;
}
export interface Execution {
  readonly experiment: ResolvedExperiment;
  readonly mode: RunMode;
  readonly modelPath: string | null;
  readonly store: RunStore;
  readonly source: string;
  readonly isResumed: boolean;
}

/** Does what is left to do of a run, from its folder alone, and writes its report. */
export async function execute(run: Execution, host: RunHost): Promise<RunExperimentResult> {
  const { store, experiment } = run;
  const tell = reporter(store, host);
  const { backend, device } = host.engine;
  tell(
    run.isResumed
      ? { kind: "resumed", run: store.id, backend, device }
      : { kind: "started", run: store.id, title: experiment.name, backend, device, arms: experiment.arms.map((arm) => arm.name) },
  );
  for (const message of host.engine.warnings) tell({ kind: "warning", code: "BACKEND_UNAVAILABLE", message });
  return settle(store, () => watchingDevice(tell, () => evaluateAll(run, host, tell)), tell);
}

async function evaluateAll(run: Execution, host: RunHost, tell: (event: RunEventBody) => void): Promise<RunExperimentResult> {
  const { store, experiment, mode } = run;
  const listen = trainingListener(tell);
  const ctx: RunContext = createContext({
    seed: experiment.seed,
    signal: AbortSignal.any([host.signal, store.lock.signal]),
    onEvent: listen.event,
    log: (message) => host.log?.(message),
  });
  const data = await openData(experiment, ctx);
  try {
    const meter = new ProgressMeter(piecesOf(experiment, data, mode), tell, ctx.clock);
    listen.meter = meter;
    const sources = staticSources(experiment.arms, experiment.control);
    const shared = { experiment, mode, modelPath: run.modelPath, source: run.source, store, data, engine: host.engine };
    const env: RunEnvironment = { ...shared, sources, attacked: new Map(), meter, ctx, emit: tell };
    await writeExperiment(run, host, data, {});
    await checkArms(env);
    const outcomes: ArmOutcome[] = [];
    for (const arm of runningOrder(experiment.arms, sources)) {
      const outcome = await runArm(arm, env);
      if (outcome && arm.index >= 0) outcomes.push(outcome);
    }
    outcomes.sort((a, b) => a.index - b.index);
    const models = Object.fromEntries(outcomes.map((outcome) => [outcome.report.name, outcome.modelHash]));
    const document = await writeExperiment(run, host, data, models);
    return await finish(run, document, outcomes, env);
  } finally {
    await data.dataset.close();
  }
}

async function finish(
  run: Execution,
  document: Record<string, unknown>,
  outcomes: readonly ArmOutcome[],
  env: RunEnvironment,
): Promise<RunExperimentResult> {
  const reports = outcomes.map((outcome) => outcome.report);
  const arms = await completeArms(reports, run.store.directory);
  const report: RunReport = {
    run: run.store.id,
    experiment: document,
    arms,
    analyses: presentAnalyses(outcomes, env),
    findings: [
      ...outcomes.flatMap((outcome) => outcome.findings),
      ...comparisons(
        outcomes.flatMap((outcome) => outcome.compared),
        env,
      ),
      ...deviceFindings(await readRunEvents(run.store.directory)),
    ],
    expect: checkExpectations(expectedOf(run), arms, run.experiment.arms[0]?.name ?? ""),
    finishedAt: now(),
  };
  await run.store.writeJson(runFiles.report, report);
  await writeReports(run.store.directory, report);
  for (const name of ["partial", "checkpoints"]) await rm(run.store.file(name), { recursive: true, force: true });
  await run.store.update({ headline: headline(arms) });
  env.emit({ kind: "done", report: runFiles.report });
  return { directory: run.store.directory, expectationsMet: report.expect.every((expected) => expected.met) };
}

/** A training attacks nothing: only what it measures can be missed. */
const expectedOf = ({ experiment, mode }: Execution): ResolvedExperiment["expect"] =>
  experiment.expect.filter(({ metric }) => mode !== "train" || metric === "clean.accuracy");

async function writeExperiment(
  run: Execution,
  host: RunHost,
  data: RunData,
  models: Readonly<Record<string, string>>,
): Promise<Record<string, unknown>> {
  const document = experimentDocument(run.experiment);
  const environment: Environment = {
    version,
    node: process.versions.node,
    backend: host.engine.backend,
    device: host.engine.device,
    source: run.source,
    experimentHash: hashOf(document),
    modelPath: run.modelPath,
    data: { train: data.trainSize, test: data.test.n, sha256: data.sha256 },
    models,
  };
  const whole = { ...document, environment };
  await run.store.writeJson(runFiles.experiment, whole);
  return whole;
}

/** "clean 98.6 % · pgd 0.2 %": the first arm and the attack that hurts it most. */
function headline(arms: readonly ArmReport[]): string | null {
  const [first] = arms;
  if (!first) return null;
  const worst = [...first.attacks].sort((a, b) => (a.attacked.accuracy ?? 1) - (b.attacked.accuracy ?? 1))[0];
  return `clean ${percent(first.clean.accuracy)}${worst ? ` · ${worst.attack.id} ${percent(worst.attacked.accuracy)}` : ""}`;
}

/** Appends events to the folder, passes them on, and keeps `progress` of `state.json` about two seconds fresh. */
function reporter(store: RunStore, host: RunHost): (event: RunEventBody) => void {
  let saved = performance.now();
  return (body) => {
    host.onEvent?.(store.append(body));
    if (body.kind !== "progress" || performance.now() - saved < 2000) return;
    saved = performance.now();
    void store.update({ progress: body.overall }).catch((thrown: unknown) => host.log?.(`state.json: ${String(thrown)}`));
  };
}

/** Training tells its steps; they drive the same progress as attacks do. */
function trainingListener(tell: (event: RunEventBody) => void): { event(event: RunEventBody): void; meter: ProgressMeter | null } {
  const listener = {
    meter: null as ProgressMeter | null,
    event(event: RunEventBody): void {
      tell(event);
      if (event.kind === "step") listener.meter?.report((event.epoch - 1) * event.steps + event.step, event.epochs * event.steps);
    },
  };
  return listener;
}
