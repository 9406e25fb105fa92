import * as vscode from "vscode";
import { commands } from "../shared/contributions.ts";
import { asBulwarkError, type ErrorCode, isCancelled, toErrorData } from "../shared/errors.ts";
import type { PanelError } from "../shared/panels.ts";

interface Fix {
  readonly label: string;
  readonly command: string;
  readonly argument?: string;
}

/** Errors whose remedy is one click. */
const fixes: Partial<Record<ErrorCode, Fix>> = {
  BACKEND_UNAVAILABLE: { label: "Select Backend…", command: commands.selectBackend },
  KERNEL_UNSUPPORTED: { label: "Select Backend…", command: commands.selectBackend },
  ENGINE_START: { label: "Open Settings", command: "workbench.action.openSettings", argument: "bulwark.engine" },
  ENGINE_EXITED: { label: "Restart Engine", command: commands.restartEngine },
  UNTRUSTED: { label: "Manage Trust", command: "workbench.trust.manage" },
  CHECKSUM: { label: "Fetch Data Set…", command: commands.fetchDataset },
  DATASET_EMPTY: { label: "Fetch Data Set…", command: commands.fetchDataset },
  DATASET_INVALID: { label: "Fetch Data Set…", command: commands.fetchDataset },
  MODEL_INVALID: { label: "Inspect Model…", command: commands.inspectModel },
  MODEL_NAN: { label: "Inspect Model…", command: commands.inspectModel },
  USAGE: { label: "Open Folder…", command: "vscode.openFolder" },
};

const fixOf = (code: ErrorCode, advice: string | undefined): Fix | undefined =>
  code === "FILE_NOT_FOUND" && advice?.includes("bulwark fetch")
    ? { label: "Fetch Data Set…", command: commands.fetchDataset }
    : fixes[code];

/** The error as a card of a panel; its button comes back as the intent `fix` with the code as id. */
export function panelError(thrown: unknown): PanelError {
  const error = toErrorData(thrown);
  const fix = fixOf(error.code, error.fix);
  return { error, action: fix ? { label: fix.label, id: error.code } : null };
}

/** Runs the remedy behind a card's button; unknown ids do nothing. */
export async function applyFix(shown: PanelError | null, id: string): Promise<void> {
  if (!shown || shown.action?.id !== id) return;
  const fix = fixOf(shown.error.code, shown.error.fix);
  if (fix) await vscode.commands.executeCommand(fix.command, ...(fix.argument === undefined ? [] : [fix.argument]));
}

/** One sentence that says what happened, one that says what to do, the remedy as a button, and the log. */
export function showError(log: vscode.LogOutputChannel, thrown: unknown): void {
  if (isCancelled(thrown)) return;
  const error = toErrorData(thrown);
  log.error(`${error.code}: ${error.message}${error.detail ? `\n${error.detail}` : ""}`);
  const fix = fixOf(error.code, error.fix);
  const showLog = "Show Log";
  const buttons = [...(fix ? [fix.label] : []), showLog];
  const text = asBulwarkError(thrown)
    ? `${error.message} ${error.fix ?? ""}`.trim()
    : `Something went wrong inside Bulwark: ${error.message}`;
  void vscode.window.showErrorMessage(text, ...buttons).then((chosen) => {
    if (chosen === showLog) log.show(true);
    else if (chosen && fix) void vscode.commands.executeCommand(fix.command, ...(fix.argument === undefined ? [] : [fix.argument]));
  });
}
