import path from "node:path";
import * as vscode from "vscode";
import { commands, settings, views } from "../shared/contributions.ts";
import type { RunEvent } from "../shared/events.ts";
import { duration, progressPercent } from "../shared/format.ts";
import { type RunExperimentParams, type RunExperimentResult, requests } from "../shared/protocol.ts";
import { runOrigin } from "../shared/runShapes.ts";
import { runFiles } from "../shared/runs.ts";
import type { EngineProcess } from "./engine/process.ts";
import { runInProcess } from "./engine/runProcess.ts";
import { exists, readWhole } from "./files.ts";
import { newRunDirectory, readRunState } from "./runFolder.ts";
import type { Services } from "./services.ts";
import type { RunEntry } from "./views/runIndex.ts";
import { requireTrust, rootFolder, setting } from "./workspace.ts";

export type RunMode = RunExperimentParams["mode"];
/** Runs shorter than this report in the tree only. */
const notificationDelay = 10_000;

export interface StartedRun {
  readonly id: string;
  readonly directory: string;
  /** Milliseconds, of the clock. */
  readonly at: number;
  readonly result: Promise<RunExperimentResult>;
}

/** Queues an experiment; its folder's name is known at once. @throws UNTRUSTED, USAGE */
export function startExperiment(services: Services, file: string, mode: RunMode, model?: string): StartedRun {
  requireTrust();
  const workspace = rootFolder(file);
  const title = path.basename(file).replace(/\.bulwark\.jsonc$/, "");
  const directory = newRunDirectory(workspace, title);
  const backend = setting(settings.backend, "auto");
  const params: RunExperimentParams = { file, mode, directory, workspace, backend, ...(model === undefined ? {} : { model }) };
  return enqueue(services, title, directory, (engine, signal) => engine.request(requests.runExperiment, params, signal));
}

export function startResume(services: Services, run: RunEntry): StartedRun {
  requireTrust();
  const params = { directory: run.directory, backend: setting(settings.backend, "auto") };
  return enqueue(services, run.state.title, run.directory, (engine, signal) => engine.request(requests.resumeRun, params, signal));
}

type Send = (engine: EngineProcess, signal: AbortSignal) => Promise<RunExperimentResult>;

function enqueue(services: Services, title: string, directory: string, send: Send): StartedRun {
  const id = path.basename(directory);
  const events = new vscode.EventEmitter<RunEvent>();
  const result = services.queue.add({ id, title }, (signal) =>
    runInProcess({
      start: () => services.startProcess(),
      send,
      signal,
      onEvent: (event) => {
        services.runs.note(id, event);
        events.fire(event);
      },
    }),
  );
  const settled = result.then(
    () => undefined,
    () => undefined,
  );
  void settled.then(() => {
    services.runs.forget(id);
    events.dispose();
  });
  void vscode.window.withProgress({ location: { viewId: views.runs } }, () => settled);
  announceLong(services, { id, title }, events.event, settled);
  return { id, directory, at: Date.now(), result };
}

/** A notification with progress for what takes long; it can cancel. */
function announceLong(
  services: Services,
  job: { id: string; title: string },
  events: vscode.Event<RunEvent>,
  settled: Promise<void>,
): void {
  const timer = setTimeout(() => {
    const options = { location: vscode.ProgressLocation.Notification, title: job.title, cancellable: true };
    void vscode.window.withProgress(options, (progress, token) => {
      token.onCancellationRequested(() => services.queue.cancel(job.id));
      let shown = 0;
      events((event) => {
        if (event.kind !== "progress") return;
        const eta = event.etaSeconds === null ? "" : ` · ${duration(event.etaSeconds)} left`;
        progress.report({
          message: `${event.phase} ${progressPercent(event.overall)}${eta}`,
          increment: Math.max(0, event.overall * 100 - shown),
        });
        shown = Math.max(shown, event.overall * 100);
      });
      return settled;
    });
  }, notificationDelay);
  void settled.then(() => clearTimeout(timer));
}

/** Says that a run is done, with the report one click away; in the status bar alone when it was short and the person is looking. */
export async function announceDone(directory: string, startedAt: number): Promise<void> {
  const state = await readRunState(directory);
  if (state?.status !== "done") return;
  const open = "Open Report";
  const text = `${state.title} is done${state.headline ? `: ${state.headline}` : ""}.`;
  if (vscode.window.state.focused && Date.now() - startedAt < notificationDelay) {
    vscode.window.setStatusBarMessage(`$(pass) ${text}`, notificationDelay);
    return;
  }
  const chosen = await vscode.window.showInformationMessage(text, open);
  if (chosen === open) await vscode.commands.executeCommand(commands.openReport, state.run);
}

/** Name of the experiment file that a run came from. */
export async function sourceOf(directory: string): Promise<string | undefined> {
  return (await readWhole(path.join(directory, runFiles.experiment), runOrigin))?.environment?.source;
}

/** The newest run of an experiment file that has a trained model. */
export async function newestTrained(services: Services, file: string): Promise<RunEntry | undefined> {
  for (const run of await services.runs.all())
    if ((await sourceOf(run.directory)) === path.basename(file) && (await exists(path.join(run.directory, "model", "model.json"))))
      return run;
  return undefined;
}
