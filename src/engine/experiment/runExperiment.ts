import path from "node:path";
import { checkValue } from "../../shared/check.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { type Experiment, experimentSchema } from "../../shared/experiment.ts";
import type { RunExperimentParams, RunExperimentResult } from "../../shared/protocol.ts";
import { type RunKind, type RunState, runFiles } from "../../shared/runs.ts";
import { catalog } from "../catalog.ts";
import { createContext } from "../context.ts";
import { locateDataset } from "../datasets/resolve.ts";
import { type DriverLock, takeLock } from "../io/driverLock.ts";
import { exists } from "../io/files.ts";
import { makeFolder } from "../io/folders.ts";
import { hasResults } from "../io/occupied.ts";
import { createRun, openRun, type RunStore, readRunState } from "../io/runStore.ts";
import { usePluginsOf } from "../plugins/load.ts";
import { readReport } from "../report/reportFiles.ts";
import { openData } from "./data.ts";
import { experimentDocument, hashOf } from "./document.ts";
import type { RunMode } from "./environment.ts";
import { type Execution, execute, type RunHost, tell } from "./execute.ts";
import { experimentLayout } from "./layout.ts";
import { loadExperiment } from "./load.ts";
import { armStages, refuseOtherData } from "./plan.ts";
import { type ResolvedExperiment, resolveExperiment } from "./resolve.ts";
import { type Saved, sameBackend, savedExperiment } from "./savedRun.ts";
import { reportPiece } from "./stages/report.ts";

const kinds: Readonly<Record<RunMode, RunKind>> = { run: "experiment", train: "train", evaluate: "evaluate" };

/**
 * Trains, evaluates, explains and reports an experiment. Into a folder that holds the same experiment, an unfinished run goes on and a
 * finished one is evaluated again with its trained models; a folder with anything else is refused, or replaced by force.
 * @throws EXPERIMENT_INVALID, RUN_EXISTS, RUN_LOCKED and what the pieces throw; the run folder then says so too
 */
export async function runExperiment(params: RunExperimentParams, host: RunHost): Promise<RunExperimentResult> {
  const file = path.resolve(params.file);
  const { experiment: text, plugins } = await loadExperiment(file);
  const seeded = params.seed === undefined ? text : { ...text, seed: params.seed };
  const written = resolveExperiment(seeded, { directory: path.dirname(file), name: nameOf(file), plugins });
  const experiment = await located(written, params.workspace);
  if (params.model !== undefined && !(await exists(params.model)))
    throw new BulwarkError("FILE_NOT_FOUND", `There is no model ${params.model}.`, "Check the path.");
  const { store, isResumed, warning } = await openStore(params, experiment, host);
  if (warning) tell(store, host, { kind: "warning", message: warning });
  const modelPath = params.model === undefined ? null : path.resolve(params.model);
  const source = path.basename(file);
  return runInto({ experiment, mode: params.mode, modelPath, store, source, isResumed, mustMatch: false }, host);
}

type Begun = Omit<Execution, "layout" | "stages" | "openData" | "end">;

async function runInto(run: Begun, host: RunHost): Promise<RunExperimentResult> {
  const end = { piece: reportPiece, file: runFiles.report };
  await execute({ ...run, layout: experimentLayout, stages: armStages, openData, end }, host);
  const { directory } = run.store;
  const { expect } = await readReport(directory);
  return { directory, expectationsMet: expect.every((expected) => expected.met) };
}

export interface ResumeParams {
  readonly directory: string;
  /** "auto" for the one that the run was begun on. */
  readonly backend: string;
  readonly force?: boolean;
}

/**
 * Goes on with an experiment that was interrupted, cancelled or failed, on the backend it was started with; ends with the result that it
 * would have had uninterrupted.
 * @throws RUN_NOT_FOUND, RUN_INVALID, RUN_LOCKED, PLUGIN_INVALID
 */
export async function resumeRun(params: ResumeParams, host: RunHost): Promise<RunExperimentResult> {
  const state = await readRunState(params.directory);
  const mode = (Object.keys(kinds) as RunMode[]).find((name) => kinds[name] === state.kind);
  if (mode === undefined) throw new BulwarkError("RUN_INVALID", `A run of kind "${state.kind}" cannot be resumed.`, "Start it again.");
  const { environment, ...saved } = await savedExperiment(params.directory);
  const plugins = await usePluginsOf(params.directory, environment?.plugins ?? []);
  const experiment = resolvedAgain(saved, { directory: params.directory, name: state.title, plugins });
  const { engine, warning } = await sameBackend(params.backend, environment?.backend, host.engine);
  const store = await openRun(params.directory, { force: params.force, signal: host.signal, note: host.note });
  if (warning) tell(store, host, { kind: "warning", code: "BACKEND_UNAVAILABLE", message: warning });
  const source = environment?.source ?? "experiment.json";
  const modelPath = environment?.modelPath ?? null;
  return runInto({ experiment, mode, modelPath, store, source, isResumed: true, mustMatch: true }, { ...host, engine });
}

/** What was resolved when the run began: whatever stands in the way now is damage. @throws RUN_INVALID, and what resolving throws */
function resolvedAgain(saved: object, context: Parameters<typeof resolveExperiment>[1]): ResolvedExperiment {
  const file = path.join(context.directory, runFiles.experiment);
  const [wrong] = checkValue(experimentSchema(catalog()), saved);
  if (wrong) throw new BulwarkError("RUN_INVALID", `${file} is damaged: ${wrong.message}.`, "Run the original command again.");
  try {
    return resolveExperiment(saved as Experiment, context);
  } catch (thrown) {
    if (thrown instanceof BulwarkError) throw thrown;
    throw new BulwarkError("RUN_INVALID", `${file} is damaged.`, "Run the original command again.", { cause: thrown });
  }
}

/** A data set that is found by itself gets its path, so that the run can be resumed from anywhere. */
async function located(experiment: ResolvedExperiment, workspace: string): Promise<ResolvedExperiment> {
  const { id, params } = experiment.dataset;
  if (!("path" in params)) return experiment;
  const given = typeof params["path"] === "string" ? params["path"] : undefined;
  const found = { ...params, path: await locateDataset(id, given, workspace) };
  return { ...experiment, dataset: { ...experiment.dataset, params: found } };
}

async function openStore(
  params: RunExperimentParams,
  experiment: ResolvedExperiment,
  host: RunHost,
): Promise<{ readonly store: RunStore; readonly isResumed: boolean; readonly warning?: string }> {
  const kind = kinds[params.mode];
  const { workspace, force } = params;
  const request = experimentDocument(experiment);
  const wanted = { workspace, kind, title: experiment.name, request, force };
  if (params.directory === undefined) return { store: await createRun(wanted), isResumed: false };
  const directory = path.resolve(params.directory);
  const lock = await lockFolder(directory, params, host);
  const state = await stateIn(directory, force).catch(releasing(lock));
  const saved = state && (await savedExperiment(directory).catch(() => null));
  const hasLost = state?.status === "failed" && !(await hasResults(directory)); // nothing to go on with: it may begin anew, with other data too
  if (state === null || saved === null || hasLost || hashOf(withoutEnvironment(saved)) !== hashOf(request)) {
    const isReplaced = state !== null && (await hasResults(directory));
    const store = await createRun({ ...wanted, directory, lock });
    const warning = "This folder held the results of another experiment: they are replaced.";
    return { store, isResumed: false, ...(isReplaced ? { warning } : {}) };
  }
  const modelPath = params.model === undefined ? null : path.resolve(params.model);
  if (!force) await refuseChangedData({ directory, experiment, mode: params.mode, modelPath }, host).catch(releasing(lock));
  const store = await openRun(directory, { lock });
  const isFinished = state.status === "done" || state.kind !== kind;
  await store.update({ kind, ...(isFinished ? { progress: 0 } : {}) });
  return { store, isResumed: true };
}

async function refuseChangedData(o: Parameters<typeof openData>[0], { signal }: RunHost): Promise<void> {
  const data = await openData(o, createContext({ seed: o.experiment.seed, signal }));
  await refuseOtherData(o.directory, data).finally(() => data.close());
}

async function lockFolder(directory: string, { force }: RunExperimentParams, { signal, note }: RunHost): Promise<DriverLock> {
  makeFolder(directory);
  return takeLock(directory, { force, signal, note });
}

const releasing =
  (lock: DriverLock) =>
  async (thrown: unknown): Promise<never> => {
    await lock.release();
    throw thrown;
  };

/** State of the run that lies in a folder; null where there is none, or a damaged one that may be replaced. */
async function stateIn(directory: string, force = false): Promise<RunState | null> {
  try {
    return await readRunState(directory);
  } catch (thrown) {
    if (force || (thrown instanceof BulwarkError && thrown.code === "RUN_NOT_FOUND")) return null;
    throw thrown;
  }
}

function withoutEnvironment(saved: Saved): object {
  const { environment: _environment, ...experiment } = saved;
  return experiment;
}

const nameOf = (file: string): string => path.basename(file).replace(/(\.bulwark)?\.jsonc?$/, "");
