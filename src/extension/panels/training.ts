import { open, stat } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { commands, panels } from "../../shared/contributions.ts";
import { errorCode, fromErrorData } from "../../shared/errors.ts";
import { parseEvents, type RunEvent } from "../../shared/events.ts";
import type { PanelError, TrainingIntent, TrainingState, TrainingUpdate } from "../../shared/panels.ts";
import { type RunState, runFiles } from "../../shared/runs.ts";
import { applyFix, panelError } from "../messages.ts";
import { readRunState } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { rootFolder } from "../workspace.ts";
import { wakeHidden } from "./hidden.ts";
import { hostPanel, saveDataUrl, webviewUri } from "./host.ts";

const openPanels = new Map<string, vscode.WebviewPanel>();
const pollMilliseconds = 500;

/** Curves of a run, drawn from its folder alone: so it also follows a run that another window or the command line started. */
export function openTraining(services: Services, directory: string): vscode.WebviewPanel {
  const known = openPanels.get(directory);
  if (known) {
    known.reveal(known.viewColumn ?? vscode.ViewColumn.Beside, true);
    return known;
  }
  const panel = vscode.window.createWebviewPanel(
    panels.training,
    `Training: ${path.basename(directory)}`,
    { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
    {},
  );
  attachTraining(services, panel, directory);
  return panel;
}

/** The same, also where it was restored behind another tab and nobody has looked at it yet. */
export async function findTraining(services: Services, directory: string, title: string): Promise<vscode.WebviewPanel> {
  const isThere = (): boolean => openPanels.has(directory);
  await wakeHidden({ viewType: panels.training, title: `Training: ${title}`, isThere, known: () => openPanels.size });
  return openTraining(services, directory);
}

export function attachTraining(services: Services, panel: vscode.WebviewPanel, directory: string): void {
  openPanels.set(directory, panel);
  let state: TrainingState | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const host = hostPanel<TrainingState, TrainingUpdate, TrainingIntent>(panel, {
    extensionUri: services.context.extensionUri,
    name: "training",
    roots: [directory],
    onIntent: (intent) => void answer(services, directory, state?.error ?? null, intent),
    onClose: () => {
      closed = true;
      clearTimeout(timer);
      openPanels.delete(directory);
    },
  });
  const tail = createTail(path.join(directory, runFiles.events));
  const tick = async (): Promise<void> => {
    const run = (await readRunState(directory)) ?? state?.run ?? waiting(path.basename(directory));
    const read = await tail();
    const error = errorOf(run);
    if (!state || read.restarted || state.title !== run.title) {
      const before = read.restarted ? [] : (state?.events ?? []);
      state = { run, title: run.title, base: webviewUri(panel, directory), events: [...before, ...read.events], error };
      panel.title = `Training: ${run.title}`;
      host.show(state);
    } else {
      const events = [...state.events, ...read.events];
      const isChanged = JSON.stringify(run) !== JSON.stringify(state.run);
      state = { ...state, run, events, error };
      if (read.events.length > 0) host.update({ kind: "events", events: read.events }, state);
      if (isChanged) host.update({ kind: "run", run, error }, state);
    }
    // A finished run can be resumed, so the folder is still looked at, only less often.
    if (!closed) timer = setTimeout(() => void tick(), run.status === "running" ? pollMilliseconds : 4 * pollMilliseconds);
  };
  void tick();
}

const errorOf = (run: RunState): PanelError | null =>
  run.error && run.status === "failed"
    ? panelError(
        fromErrorData({ code: errorCode(run.error.code), message: run.error.message, fix: run.error.fix ?? undefined, detail: undefined }),
      )
    : null;

/** State of a run that waits for its turn, or whose process has not written anything yet. */
const waiting = (run: string): RunState => ({
  version: 1,
  run,
  kind: "experiment",
  title: run,
  status: "running",
  createdAt: new Date().toISOString(),
  updatedAt: new Date().toISOString(),
  pid: null,
  progress: 0,
  headline: null,
  completed: [],
  error: null,
});

/** Reads what was appended since the last call; whole lines only. `restarted` when the file has become shorter. */
function createTail(file: string): () => Promise<{ events: RunEvent[]; restarted: boolean }> {
  let offset = 0;
  let rest = "";
  return async () => {
    const size = await stat(file).then(
      (found) => found.size,
      () => 0,
    );
    const restarted = size < offset;
    if (restarted) {
      offset = 0;
      rest = "";
    }
    if (size === offset) return { events: [], restarted };
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - offset), 0, size - offset, offset);
      offset += bytesRead;
      const lines = (rest + buffer.toString("utf8", 0, bytesRead)).split("\n");
      rest = lines.pop() ?? "";
      return { events: parseEvents(lines.join("\n")), restarted };
    } finally {
      await handle.close();
    }
  };
}

async function answer(services: Services, directory: string, error: PanelError | null, intent: TrainingIntent): Promise<void> {
  const id = path.basename(directory);
  switch (intent.kind) {
    case "cancel":
      await vscode.commands.executeCommand(commands.cancelRun, id);
      return;
    case "resume":
      await vscode.commands.executeCommand(commands.resumeRun, id);
      return;
    case "openFolder":
      await vscode.commands.executeCommand(commands.revealRun, id);
      return;
    case "openReport":
      await vscode.commands.executeCommand(commands.openReport, id);
      return;
    case "save":
      await saveDataUrl(rootFolder(directory), intent.name, intent.dataUrl);
      return;
    case "fix":
      await applyFix(error, intent.id);
      return;
    case "showLog":
      services.log.show(true);
  }
}
