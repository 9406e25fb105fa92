import { cp, mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { isUnderWay } from "../../shared/lifecycle.ts";
import { runFiles, workspaceFolder } from "../../shared/runs.ts";
import { askRun } from "../choose.ts";
import { exists, isRecord, namesIn } from "../files.ts";
import { showError } from "../messages.ts";
import { readKept, readRequest } from "../panels/inspector/file.ts";
import { inspectorPanel } from "../panels/inspector/inspector.ts";
import type { RunSubject } from "../panels/panel.ts";
import { previewPanel } from "../panels/preview.ts";
import { reportPanel } from "../panels/report.ts";
import { currentStudio } from "../panels/studio/studio.ts";
import { trainingPanel } from "../panels/training.ts";
import { requestCancel } from "../runDriver.ts";
import { announceDone, startResume } from "../runs.ts";
import type { Services } from "../services.ts";
import { readUnlabelled } from "../unlabelled.ts";
import type { RunEntry } from "../views/runIndex.ts";

/** The run that a tree node, a panel or a lens means (`id`, or an id itself), else a question among those that `accept` allows. */
async function runOf(services: Services, argument: unknown, accept: (run: RunEntry) => boolean, question: string): Promise<RunEntry> {
  const id = idOf(argument);
  if (id === undefined) return askRun(services, accept, question);
  const run = await services.runs.find(id);
  if (!run) throw new BulwarkError("RUN_NOT_FOUND", `There is no run ${id}.`, "Refresh the list of runs.");
  return run;
}
const idOf = (argument: unknown): string | undefined => {
  if (typeof argument === "string") return path.basename(argument);
  return isRecord(argument) && typeof argument["run"] === "string" ? argument["run"] : undefined;
};

const subjectOf = ({ directory, state }: RunEntry): RunSubject => ({ directory, title: state.title });

const isExperiment = (run: RunEntry): boolean => ["experiment", "train", "evaluate"].includes(run.state.kind);
const isLeftUndone = (run: RunEntry): boolean => isExperiment(run) && ["interrupted", "cancelled", "failed"].includes(run.state.status);

export async function resumeRun(services: Services, argument?: unknown): Promise<unknown> {
  const run = await runOf(services, argument, isLeftUndone, "Resume which run?");
  const started = startResume(services, run);
  trainingPanel.open(services, subjectOf(run));
  const result = await started.result;
  void announceDone(run.directory, started.at);
  return result;
}

/** Asks the run to stop after its current step; what it has is kept. In a folder that is not trusted nothing runs, so nothing is cancelled. */
export async function cancelRun(services: Services, argument?: unknown): Promise<boolean> {
  const id = idOf(argument) ?? services.queue.active?.id;
  if (id === undefined) throw new BulwarkError("RUN_NOT_FOUND", "Nothing is running.", "Start a run first.");
  if (services.queue.cancel(id)) return true;
  const run = await services.runs.find(id);
  const studio = currentStudio(services);
  if (run && studio?.state.training?.run === run.directory) {
    await studio.act({ kind: "cancel", what: "train" });
    return true;
  }
  // A run of the command line, or of another window.
  return run !== undefined && isUnderWay(run.state.status) && requestCancel(run.directory);
}

export async function openReport(services: Services, argument?: unknown): Promise<void> {
  const run = await runOf(services, argument, (entry) => isExperiment(entry) && entry.state.status === "done", "Open which report?");
  await reportPanel.find(services, subjectOf(run));
}
export async function openTraining(services: Services, argument?: unknown): Promise<void> {
  const run = await runOf(services, argument, isExperiment, "Open which run?");
  await trainingPanel.find(services, subjectOf(run));
}

/** What a click on a run shows: its report, its curves, its inspector, or its picture. */
export async function openRun(services: Services, argument?: unknown): Promise<void> {
  const run = await runOf(services, argument, () => true, "Open which run?");
  if (isExperiment(run)) {
    const panel = (await exists(path.join(run.directory, runFiles.report))) ? reportPanel : trainingPanel;
    await panel.find(services, subjectOf(run));
    return;
  }
  const patch = path.join(run.directory, runFiles.patchDocument);
  if (run.state.kind === "patch" && (await exists(patch))) {
    await vscode.commands.executeCommand(commands.openPatchStudio, vscode.Uri.file(patch));
    return;
  }
  const request = await readRequest(run.directory);
  if (request) {
    const inspector = await inspectorPanel.find(services, request, vscode.ViewColumn.Active);
    inspector.restore(run.directory, request, await readKept(run.directory));
    return;
  }
  if (await readUnlabelled(run.directory)) {
    await (await previewPanel.find(services, { kind: "changed", directory: run.directory })).read();
    return;
  }
  const picture = (await namesIn(run.directory)).find((name) => name.endsWith(".png"));
  if (picture) await vscode.commands.executeCommand("vscode.open", vscode.Uri.file(path.join(run.directory, picture)));
  else await revealRun(services, run.id);
}

/** In the explorer, where that shows hidden folders; it works on a remote as well. */
export async function revealRun(services: Services, argument?: unknown): Promise<void> {
  const run = await runOf(services, argument, () => true, "Reveal which run?");
  await vscode.commands.executeCommand("revealInExplorer", vscode.Uri.file(path.join(run.directory, runFiles.state)));
}

/** Moves the folder aside, offers Undo, and puts it into the system's trash where there is one. */
export async function deleteRun(services: Services, argument?: unknown): Promise<string> {
  const run = await runOf(services, argument, (entry) => !isUnderWay(entry.state.status), "Delete which run?");
  if (isUnderWay(run.state.status)) throw new BulwarkError("USAGE", "A running run cannot be deleted.", "Cancel it first.");
  const trash = path.join(path.dirname(path.dirname(run.directory)), "trash");
  const aside = path.join(trash, run.id);
  inspectorPanel.leave(services, run.directory);
  await mkdir(trash, { recursive: true });
  await rename(run.directory, aside);
  services.runs.refresh();
  void offerUndo(services, run, aside).catch((thrown: unknown) => showError(services.log, thrown));
  return aside;
}

/** A request that had not ended when the folder was moved may have made it anew: the files of the old one win. */
async function putBack(aside: string, directory: string): Promise<void> {
  try {
    await rename(aside, directory);
  } catch (thrown) {
    if (!(await exists(directory))) throw thrown;
    await cp(aside, directory, { recursive: true, force: true });
    await rm(aside, { recursive: true });
  }
}

async function offerUndo(services: Services, run: RunEntry, aside: string): Promise<void> {
  const undo = "Undo";
  const chosen = await vscode.window.showInformationMessage(`Deleted ${run.state.title}. It was moved to ${workspaceFolder}/trash.`, undo);
  if (chosen === undo) {
    await putBack(aside, run.directory);
    services.runs.refresh();
    return;
  }
  try {
    await vscode.workspace.fs.delete(vscode.Uri.file(aside), { recursive: true, useTrash: true });
  } catch {
    // No trash on this machine (a remote, say): the folder stays in .bulwark/trash.
  }
}
