import { mkdir } from "node:fs/promises";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { RunExperimentParams, RunExperimentResult } from "../../shared/protocol.ts";
import { type RunKind, type RunState, runFiles } from "../../shared/runs.ts";
import { locateDataset } from "../datasets/resolve.ts";
import { type DriverLock, takeLock } from "../io/driverLock.ts";
import { exists, readText, writeError } from "../io/files.ts";
import { createRun, openRun, type RunStore, readRunState } from "../io/runStore.ts";
import { startEngine } from "../session/engine.ts";
import { experimentDocument, hashOf } from "./document.ts";
import type { RunMode } from "./environment.ts";
import { execute, type RunHost } from "./execute.ts";
import { loadExperiment } from "./load.ts";
import { type ResolvedExperiment, resolveExperiment } from "./resolve.ts";

const kinds: Readonly<Record<RunMode, RunKind>> = { run: "experiment", train: "train", evaluate: "evaluate" };

/**
 * Trains, evaluates, explains and reports an experiment. Into a folder that holds the same experiment, an unfinished run goes on and a
 * finished one is evaluated again with its trained models; a folder with anything else is refused, or replaced by force.
 * @throws EXPERIMENT_INVALID, RUN_EXISTS, RUN_LOCKED and what the pieces throw; the run folder then says so too
 */
export async function runExperiment(params: RunExperimentParams, host: RunHost): Promise<RunExperimentResult> {
  const file = path.resolve(params.file);
  const text = await loadExperiment(file);
  const seeded = params.seed === undefined ? text : { ...text, seed: params.seed };
  const written = resolveExperiment(seeded, { directory: path.dirname(file), name: nameOf(file) });
  const experiment = await located(written, params.workspace);
  if (params.model !== undefined && !(await exists(params.model)))
    throw new BulwarkError("FILE_NOT_FOUND", `There is no model ${params.model}.`, "Check the path.");
  const { store, isResumed, warning } = await openStore(params, experiment, host);
  if (warning) host.onEvent?.(store.append({ kind: "warning", message: warning }));
  const modelPath = params.model === undefined ? null : path.resolve(params.model);
  return execute({ experiment, mode: params.mode, modelPath, store, source: path.basename(file), isResumed }, host);
}

/**
 * Goes on with a run that was interrupted, cancelled or failed, on the backend it was started with; ends with the result that it would
 * have had uninterrupted.
 * @throws RUN_NOT_FOUND, RUN_INVALID, RUN_LOCKED
 */
export async function resumeRun(
  params: { readonly directory: string; readonly backend: string; readonly force?: boolean },
  host: RunHost,
): Promise<RunExperimentResult> {
  const state = await readRunState(params.directory);
  const mode = (Object.keys(kinds) as RunMode[]).find((name) => kinds[name] === state.kind);
  if (mode === undefined) throw new BulwarkError("RUN_INVALID", `A run of kind "${state.kind}" cannot be resumed.`, "Start it again.");
  const saved = await savedExperiment(params.directory);
  const { environment, ...experiment } = saved;
  const resolved = resolveExperiment(experiment, { directory: params.directory, name: state.title });
  const store = await openRun(params.directory, { force: params.force, signal: host.signal, note: host.note });
  const engine = await sameBackend(params.backend, environment?.backend, host, store);
  const source = environment?.source ?? "experiment.json";
  return execute(
    { experiment: resolved, mode, modelPath: environment?.modelPath ?? null, store, source, isResumed: true },
    { ...host, engine },
  );
}

/** A data set that is found by itself gets its path, so that the run can be resumed from anywhere. */
async function located(experiment: ResolvedExperiment, workspace: string): Promise<ResolvedExperiment> {
  const { id, params } = experiment.dataset;
  if (!("path" in params)) return experiment;
  const given = typeof params["path"] === "string" ? params["path"] : undefined;
  const found = { ...params, path: await locateDataset(id, given, workspace) };
  return { ...experiment, dataset: { ...experiment.dataset, params: found } };
}

type Saved = Experiment & {
  readonly environment?: { readonly backend?: string; readonly source?: string; readonly modelPath?: string | null };
};

async function savedExperiment(directory: string): Promise<Saved> {
  const file = path.join(directory, runFiles.experiment);
  try {
    return JSON.parse(await readText(file)) as Saved;
  } catch (cause) {
    throw new BulwarkError("RUN_INVALID", `${file} is missing or damaged.`, "Start the run again from its experiment file.", { cause });
  }
}

/** Numbers of two backends differ in the last digits: a run is finished on the one it was begun on, if that still starts. */
async function sameBackend(asked: string, recorded: string | undefined, host: RunHost, store: RunStore): Promise<RunHost["engine"]> {
  if (asked !== "auto" || recorded === undefined || recorded === host.engine.backend) return host.engine;
  try {
    return await startEngine(recorded);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    const message = `The run was begun on ${recorded}, which does not start here; it goes on with ${host.engine.backend}. ${reason}`;
    host.onEvent?.(store.append({ kind: "warning", code: "BACKEND_UNAVAILABLE", message }));
    return host.engine;
  }
}

async function openStore(
  params: RunExperimentParams,
  experiment: ResolvedExperiment,
  host: RunHost,
): Promise<{ readonly store: RunStore; readonly isResumed: boolean; readonly warning?: string }> {
  const kind = kinds[params.mode];
  const { workspace, force } = params;
  const wanted = { workspace, kind, title: experiment.name, force };
  if (params.directory === undefined) return { store: await createRun(wanted), isResumed: false };
  const directory = path.resolve(params.directory);
  const lock = await lockFolder(directory, params, host);
  const state = await stateIn(directory, force).catch(releasing(lock));
  const saved = state && (await savedExperiment(directory).catch(() => null));
  if (state === null || saved === null || hashOf(withoutEnvironment(saved)) !== hashOf(experimentDocument(experiment))) {
    const store = await createRun({ ...wanted, directory, lock });
    const warning = "This folder held the results of another experiment: they are replaced.";
    return { store, isResumed: false, ...(state === null ? {} : { warning }) };
  }
  const store = await openRun(directory, { lock });
  const isFinished = state.status === "done" || state.kind !== kind;
  await store.update({ kind, ...(isFinished ? { completed: [], progress: 0 } : {}) });
  return { store, isResumed: true };
}

async function lockFolder(directory: string, { force }: RunExperimentParams, { signal, note }: RunHost): Promise<DriverLock> {
  await mkdir(directory, { recursive: true }).catch((thrown: unknown) => {
    throw writeError(thrown, directory);
  });
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
  if (!(await exists(path.join(directory, runFiles.state)))) return null;
  try {
    return await readRunState(directory);
  } catch (thrown) {
    if (force) return null;
    throw thrown;
  }
}

function withoutEnvironment(saved: Saved): Record<string, unknown> {
  const { environment: _environment, ...experiment } = saved;
  return experiment;
}

const nameOf = (file: string): string => path.basename(file).replace(/(\.bulwark)?\.jsonc?$/, "");
