import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment.ts";
import type { RunExperimentParams, RunExperimentResult } from "../../shared/protocol.ts";
import { type RunKind, type RunState, runFiles } from "../../shared/runs.ts";
import { locateDataset } from "../datasets/resolve.ts";
import { exists, readText } from "../io/files.ts";
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
 * finished one is evaluated again with its trained models; a folder with another experiment is started over.
 * @throws EXPERIMENT_INVALID and what the pieces throw; the run folder then says so too
 */
export async function runExperiment(params: RunExperimentParams, host: RunHost): Promise<RunExperimentResult> {
  const file = path.resolve(params.file);
  const text = await loadExperiment(file);
  const seeded = params.seed === undefined ? text : { ...text, seed: params.seed };
  const written = resolveExperiment(seeded, { directory: path.dirname(file), name: nameOf(file) });
  const experiment = await located(written, params.workspace);
  if (params.model !== undefined && !(await exists(params.model)))
    throw new BulwarkError("FILE_NOT_FOUND", `There is no model ${params.model}.`, "Check the path.");
  const { store, isResumed, warning } = await openStore(params, experiment);
  if (warning) host.onEvent?.(store.append({ kind: "warning", message: warning }));
  const modelPath = params.model === undefined ? null : path.resolve(params.model);
  return execute({ experiment, mode: params.mode, modelPath, store, source: path.basename(file), isResumed }, host);
}

/**
 * Goes on with a run that was interrupted, cancelled or failed, on the backend it was started with; ends with the result that it would
 * have had uninterrupted.
 * @throws RUN_NOT_FOUND, RUN_INVALID
 */
export async function resumeRun(
  params: { readonly directory: string; readonly backend: string },
  host: RunHost,
): Promise<RunExperimentResult> {
  const state = await readRunState(params.directory);
  refuseRunning(state);
  const mode = (Object.keys(kinds) as RunMode[]).find((name) => kinds[name] === state.kind);
  if (mode === undefined) throw new BulwarkError("RUN_INVALID", `A run of kind "${state.kind}" cannot be resumed.`, "Start it again.");
  const saved = await savedExperiment(params.directory);
  const { environment, ...experiment } = saved;
  const resolved = resolveExperiment(experiment, { directory: params.directory, name: state.title });
  const store = await openRun(params.directory);
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
): Promise<{ readonly store: RunStore; readonly isResumed: boolean; readonly warning?: string }> {
  const directory = params.directory === undefined ? undefined : path.resolve(params.directory);
  const fresh = () => createRun({ workspace: params.workspace, directory, kind: kinds[params.mode], title: experiment.name });
  if (directory === undefined || !(await exists(path.join(directory, runFiles.state)))) return { store: await fresh(), isResumed: false };
  const state = await readRunState(directory);
  refuseRunning(state);
  const saved = await savedExperiment(directory).catch(() => null);
  if (saved !== null && hashOf(withoutEnvironment(saved)) === hashOf(experimentDocument(experiment))) {
    const store = await openRun(directory);
    const isOther = state.kind !== kinds[params.mode];
    const isFinished = state.status === "done" || isOther;
    await store.update({ kind: kinds[params.mode], ...(isFinished ? { completed: [], progress: 0 } : {}) });
    return { store, isResumed: true };
  }
  await removeResults(directory);
  return { store: await fresh(), isResumed: false, warning: "This folder held the results of another experiment: they are replaced." };
}

function withoutEnvironment(saved: Saved): Record<string, unknown> {
  const { environment: _environment, ...experiment } = saved;
  return experiment;
}

function refuseRunning(state: RunState): void {
  if (state.status === "running" && state.pid !== process.pid)
    throw new BulwarkError("RUN_INVALID", `Another process works on the run ${state.run}.`, "Wait for it, or cancel it first.");
}

/** Trained models stay: an arm that did not change is not trained again. */
async function removeResults(directory: string): Promise<void> {
  const old =
    /^(adversarial.*\.npz|patch-.*\.(png|json)|records-.*\.json|report\.(json|html|md|csv)|analyses\.csv|images|partial|checkpoints)$/;
  for (const name of await readdir(directory)) if (old.test(name)) await rm(path.join(directory, name), { recursive: true, force: true });
}

const nameOf = (file: string): string => path.basename(file).replace(/(\.bulwark)?\.jsonc?$/, "");
