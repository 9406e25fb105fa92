import * as vscode from "vscode";
import { commands, views } from "../shared/contributions.ts";
import { asBulwarkError, type ErrorCode, type ErrorData, isCancelled, toErrorData } from "../shared/errors.ts";
import type { PanelAction, PanelError } from "../shared/panels.ts";
import { resumeAdvice } from "./engine/runProcess.ts";

interface Fix extends PanelAction {
  readonly command: string;
  readonly argument?: string;
}

const fix = (label: string, command: string, argument?: string): Fix => ({
  label,
  id: `${command} ${argument ?? ""}`.trim(),
  command,
  ...(argument === undefined ? {} : { argument }),
});
const backend = fix("Select Backend…", commands.selectBackend);
const inspect = fix("Inspect Model…", commands.inspectModel);
const fetch = fix("Fetch Data Set…", commands.fetchDataset);
const preview = fix("Preview Data…", commands.previewData);
const sample = fix("Try on a Sample", commands.trySample);
const otherImage = fix("Choose Another Image…", commands.attackImage);
const openFolder = fix("Open Folder…", "vscode.openFolder");
const problems = fix("Show Problems", "workbench.actions.view.problems");
const runs = fix("Show Runs", `${views.runs}.focus`);
const resumeRun = fix("Resume Run…", commands.resumeRun);
const install = fix("Install GPU Runtime…", commands.installGpuRuntime);

/** The remedies that are one click, of every error; the first one is offered first. Where there is none, the log has more. */
const fixes: Readonly<Record<ErrorCode, readonly Fix[]>> = {
  BACKEND_UNAVAILABLE: [backend],
  BUG: [],
  CANCELLED: [],
  CHECKSUM: [fetch],
  DATASET_EMPTY: [preview],
  DATASET_INVALID: [preview, fetch],
  DEFENSE_INVALID: [],
  DISK_FULL: [runs],
  ENGINE_EXITED: [fix("Restart Engine", commands.restartEngine)],
  ENGINE_START: [fix("Open Settings", "workbench.action.openSettings", "bulwark.engine"), fix("Run Doctor", commands.runDoctor)],
  EXPERIMENT_INVALID: [problems],
  FILE_NOT_FOUND: [],
  FILE_UNREADABLE: [],
  IMAGE_INVALID: [otherImage],
  IMAGE_SIZE: [otherImage],
  INSTALL_FAILED: [install],
  KERNEL_UNSUPPORTED: [backend],
  LABEL_RANGE: [preview, inspect],
  MODEL_FORWARD_ONLY: [],
  MODEL_INPUT: [inspect],
  MODEL_INVALID: [inspect],
  MODEL_MISMATCH: [],
  MODEL_NAN: [inspect],
  MODEL_TOO_LARGE: [],
  MODEL_UNSAFE: [openFolder],
  MODEL_UNSUPPORTED: [],
  NETWORK: [fetch],
  NO_IMAGE: [sample, openFolder],
  NO_MODEL: [sample, openFolder],
  NOT_WRITABLE: [openFolder],
  OUT_OF_MEMORY: [],
  PARAMETER_INVALID: [],
  PART_MISSING: [fix("Run Doctor", commands.runDoctor)],
  PLUGIN_FAILED: [],
  PLUGIN_INVALID: [],
  RUN_EXISTS: [runs],
  RUN_INVALID: [runs],
  RUN_LOCKED: [runs],
  RUN_NOT_FOUND: [runs],
  TRAINING_DIVERGED: [],
  UNKNOWN_ID: [],
  UNTRUSTED: [fix("Manage Trust", "workbench.trust.manage")],
  USAGE: [openFolder],
};

/** Only known data sets can be fetched, which does not help with a folder of the user's own, so this is offered only where the advice says so. */
const fixesOf = ({ code, fix: advice = "", snippet }: Pick<ErrorData, "code" | "fix" | "snippet">): readonly Fix[] => {
  if (snippet !== undefined)
    return [{ label: "Copy Export Snippet", id: commands.copySnippet, command: commands.copySnippet, argument: snippet }];
  if (code === "ENGINE_EXITED" && advice.startsWith(resumeAdvice)) return [resumeRun];
  if (code === "FILE_NOT_FOUND" && advice.includes("bulwark fetch")) return [fetch];
  return code === "DATASET_EMPTY" && advice.startsWith("Fetch a data set") ? [fetch] : fixes[code];
};

/** The error as a card of a panel; what the panel itself can do about it comes before and after. Buttons come back as the intent `fix`. */
export function panelError(thrown: unknown, before: readonly PanelAction[] = [], after: readonly PanelAction[] = []): PanelError {
  const error = toErrorData(thrown);
  const [action = null, ...others] = [...before, ...fixesOf(error).map(({ label, id }) => ({ label, id })), ...after];
  return { error, action, ...(others.length > 0 ? { others } : {}) };
}

/** The buttons of an error card. */
export const actionsOf = (shown: PanelError): readonly PanelAction[] => [...(shown.action ? [shown.action] : []), ...(shown.others ?? [])];

/** Runs the remedy behind a card's button; unknown ids do nothing. */
export async function applyFix(shown: PanelError | null, id: string): Promise<void> {
  if (!shown || !actionsOf(shown).some((action) => action.id === id)) return;
  const chosen = fixesOf(shown.error).find((one) => one.id === id);
  if (chosen) await run(chosen);
}

const run = async ({ command, argument }: Fix): Promise<void> => {
  await vscode.commands.executeCommand(command, ...(argument === undefined ? [] : [argument]));
};

/** One sentence that says what happened, one that says what to do, the remedy as a button, and the log. */
export function showError(log: vscode.LogOutputChannel, thrown: unknown): void {
  if (isCancelled(thrown)) return;
  const error = toErrorData(thrown);
  log.error(`${error.code}: ${error.message}${error.detail ? `\n${error.detail}` : ""}`);
  const remedies = fixesOf(error);
  const showLog = "Show Log";
  const buttons = [...remedies.map(({ label }) => label), showLog];
  const text = asBulwarkError(thrown)
    ? `${error.message} ${error.fix ?? ""}`.trim()
    : `Something went wrong inside Bulwark: ${error.message}`;
  void vscode.window.showErrorMessage(text, ...buttons).then((chosen) => {
    if (chosen === showLog) log.show(true);
    const remedy = remedies.find(({ label }) => label === chosen);
    if (remedy) void run(remedy);
  });
}
