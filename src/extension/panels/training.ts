import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { BulwarkError, errorCode, fromErrorData, toErrorData } from "../../shared/errors.ts";
import { trainingIntents } from "../../shared/intents.ts";
import { isUnderWay } from "../../shared/lifecycle.ts";
import type { PanelError, TrainingIntent, TrainingState, TrainingUpdate } from "../../shared/panels.ts";
import { type RunState, runFiles } from "../../shared/runs.ts";
import { resumeAdvice } from "../engine/runProcess.ts";
import { createTail } from "../eventTail.ts";
import { panelError } from "../messages.ts";
import { readRunState } from "../runFolder.ts";
import type { PanelHost } from "./host.ts";
import { definePanel, type OwnIntent, type RunSubject, readRunSubject } from "./panel.ts";

const pollMilliseconds = 500;

interface Session {
  readonly panel: vscode.WebviewPanel;
  readonly directory: string;
  error: PanelError | null;
}

/** Curves of a run, drawn from its folder alone: so it also follows a run that another window or the command line started. */
export const trainingPanel = definePanel<RunSubject, TrainingState, TrainingUpdate, TrainingIntent, Session>({
  name: "training",
  intents: trainingIntents,
  looks: ["openReport"],
  key: ({ directory }) => directory,
  title: ({ title }) => `Training: ${title}`,
  roots: ({ directory }) => [directory],
  column: () => vscode.ViewColumn.Beside,
  keepsFocus: true,
  read: readRunSubject,
  start(host, _services, { directory }) {
    const session: Session = { panel: host.panel, directory, error: null };
    follow(host, session);
    return session;
  },
  answer: ({ directory }, intent) => answer(path.basename(directory), intent),
  errors: ({ error }) => [error],
  async fix({ directory }, id) {
    if (id !== resume.id) return false;
    await vscode.commands.executeCommand(commands.resumeRun, path.basename(directory));
    return true;
  },
  directory: ({ directory }) => directory,
});

/** Reads what the run appends to its folder, as long as the panel is open. */
function follow(host: PanelHost<TrainingState, TrainingUpdate>, session: Session): void {
  const { directory } = session;
  let state: TrainingState | undefined;
  const tail = createTail(path.join(directory, runFiles.events));
  const tick = async (): Promise<void> => {
    const run = (await readRunState(directory)) ?? state?.run ?? waiting(path.basename(directory));
    const read = await tail();
    if (host.isClosed) return;
    const error = errorOf(run);
    session.error = error;
    if (!state || read.restarted || state.title !== run.title) {
      const before = read.restarted ? [] : (state?.events ?? []);
      state = { run, title: run.title, base: host.uri(directory), events: [...before, ...read.events], error };
      host.panel.title = `Training: ${run.title}`;
      host.show(state);
    } else {
      const events = [...state.events, ...read.events];
      const isChanged = JSON.stringify(run) !== JSON.stringify(state.run);
      state = { ...state, run, events, error };
      if (read.events.length > 0) host.update({ kind: "events", events: read.events }, state);
      if (isChanged) host.update({ kind: "run", run, error }, state);
    }
    // A finished run can be resumed, so the folder is still looked at, only less often.
    setTimeout(() => void tick(), isUnderWay(run.status) ? pollMilliseconds : 4 * pollMilliseconds);
  };
  void tick();
}

const resume = { id: "training.resume", label: "Resume" };

/** Nobody wrote down how such a run ended: its process is gone. */
const endedError = new BulwarkError(
  "ENGINE_EXITED",
  "The process of this run ended before the run did: it was killed, crashed, or the computer was shut down.",
  `${resumeAdvice} If this happens again, the log of the engine says more, and bulwark.engine.memory bounds the memory a run takes.`,
);

function errorOf(run: RunState): PanelError | null {
  if (run.status === "interrupted") return { error: toErrorData(endedError), action: resume };
  return failureOf(run);
}

const failureOf = (run: RunState): PanelError | null =>
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
  progress: 0,
  headline: null,
  error: null,
});

async function answer(run: string, intent: OwnIntent<TrainingIntent>): Promise<void> {
  const command = { cancel: commands.cancelRun, resume: commands.resumeRun, openReport: commands.openReport }[intent.kind];
  await vscode.commands.executeCommand(command, run);
}
