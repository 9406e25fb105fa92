import path from "node:path";
import * as vscode from "vscode";
import { commands, panels } from "../../shared/contributions.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { PanelError, ReportIntent, ReportState, ReportUpdate } from "../../shared/panels.ts";
import { attackKeys, cleanThumbnail, runFiles, staticKey } from "../../shared/runs.ts";
import { exists } from "../files.ts";
import { applyFix, panelError, showError } from "../messages.ts";
import { findModels } from "../models.ts";
import { readRunState } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { rootFolder } from "../workspace.ts";
import { wakeHidden } from "./hidden.ts";
import { hostPanel, saveDataUrl, webviewUri } from "./host.ts";
import { readClassNames, readLedger, readReport } from "./reportData.ts";

const openPanels = new Map<string, vscode.WebviewPanel>();

/** The report of a finished run, from its folder. */
export function openReport(services: Services, directory: string): vscode.WebviewPanel {
  const known = openPanels.get(directory);
  if (known) {
    known.reveal(known.viewColumn ?? vscode.ViewColumn.Active);
    return known;
  }
  const panel = vscode.window.createWebviewPanel(panels.report, `Report: ${path.basename(directory)}`, vscode.ViewColumn.Active, {});
  attachReport(services, panel, directory);
  return panel;
}

/** The same, also where it was restored behind another tab and nobody has looked at it yet. */
export async function findReport(services: Services, directory: string, title: string): Promise<vscode.WebviewPanel> {
  const isThere = (): boolean => openPanels.has(directory);
  await wakeHidden({ viewType: panels.report, title: `Report: ${title}`, isThere, known: () => openPanels.size });
  return openReport(services, directory);
}

export function attachReport(services: Services, panel: vscode.WebviewPanel, directory: string): void {
  openPanels.set(directory, panel);
  let error: PanelError | null = null;
  const host = hostPanel<ReportState, ReportUpdate, ReportIntent>(panel, {
    extensionUri: services.context.extensionUri,
    name: "report",
    roots: [directory],
    onIntent: (intent) => void answer(services, directory, error, intent).catch((thrown: unknown) => showError(services.log, thrown)),
    onClose: () => openPanels.delete(directory),
  });
  void readState(panel, directory).then((state) => {
    error = state.error;
    panel.title = `Report: ${state.run.title}`;
    host.show(state);
  });
}

async function readState(panel: vscode.WebviewPanel, directory: string): Promise<ReportState> {
  const run = await readRunState(directory);
  const report = await readReport(directory);
  const now = new Date().toISOString();
  const id = path.basename(directory);
  const times = { createdAt: now, updatedAt: now, pid: null, progress: 0, headline: null, completed: [], error: null };
  return {
    run: run ?? { version: 1, run: id, kind: "experiment", title: id, status: "failed", ...times },
    report,
    ledger: report ? await readLedger(directory, report) : [],
    classNames: report ? await readClassNames(directory) : [],
    base: webviewUri(panel, directory),
    error: report ? null : panelError(missing(run?.status)),
  };
}

function missing(status: string | undefined): BulwarkError {
  if (status === undefined) return new BulwarkError("RUN_NOT_FOUND", "The folder of this run is gone.", "Start the run again.");
  return new BulwarkError("RUN_INVALID", `There is no report: the run is ${status}.`, "Resume the run; the report is written at its end.");
}

async function answer(services: Services, directory: string, error: PanelError | null, intent: ReportIntent): Promise<void> {
  switch (intent.kind) {
    case "openHtml":
      await vscode.env.openExternal(vscode.Uri.file(path.join(directory, runFiles.reportHtml)));
      return;
    case "openFolder":
      await vscode.commands.executeCommand(commands.revealRun, path.basename(directory));
      return;
    case "inspect":
      await inspect(services, directory, intent);
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

/** The clean picture of a ledger row, attacked again in the inspector with the same attack and the arm's model. */
async function inspect(services: Services, directory: string, row: Extract<ReportIntent, { readonly kind: "inspect" }>): Promise<void> {
  const report = await readReport(directory);
  const armIndex = report?.arms.findIndex((arm) => arm.name === row.arm) ?? -1;
  const arm = report?.arms[armIndex];
  const keys = attackKeys(arm?.attacks.map((attack) => attack.attack.id) ?? []);
  const chosen = arm?.attacks[keys.findIndex((key) => key === row.attack || staticKey(key) === row.attack)];
  const image = path.join(directory, cleanThumbnail(row.index));
  if (!arm || !chosen || !(await exists(image)))
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `No picture of image ${row.index} was kept.`,
      "Pictures are kept for the first images of a run.",
    );
  const run = path.basename(directory);
  const models = (await findModels(services.runs)).filter((model) => model.run === run);
  const model = models[armIndex] ?? models[0];
  await vscode.commands.executeCommand(commands.attackThisImage, vscode.Uri.file(image), {
    ...(model ? { model: model.path } : {}),
    attack: chosen.attack.id,
    params: chosen.attack.params,
  });
}
