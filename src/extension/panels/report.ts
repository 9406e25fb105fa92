import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { reportIntents } from "../../shared/intents.ts";
import type { PanelError, ReportIntent, ReportState, ReportUpdate } from "../../shared/panels.ts";
import { armModelFolder, attackKeys, cleanThumbnail, runFiles, staticKey, thumbnailCount } from "../../shared/runs.ts";
import { exists, isInside } from "../files.ts";
import { panelError } from "../messages.ts";
import { findModels } from "../models.ts";
import { readRunState } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { rootFolders } from "../workspace.ts";
import type { PanelHost } from "./host.ts";
import { definePanel, type OwnIntent, type RunSubject, readRunSubject } from "./panel.ts";
import { readImageFacts, readLedger, readReport } from "./reportData.ts";

interface Session {
  readonly panel: vscode.WebviewPanel;
  readonly services: Services;
  readonly directory: string;
  error: PanelError | null;
}

/** The report of a finished run, from its folder. */
export const reportPanel = definePanel<RunSubject, ReportState, ReportUpdate, ReportIntent, Session>({
  name: "report",
  intents: reportIntents,
  looks: ["openHtml"],
  key: ({ directory }) => directory,
  title: ({ title }) => `Report: ${title}`,
  roots: ({ directory }) => [directory],
  column: () => vscode.ViewColumn.Active,
  keepsFocus: false,
  read: readRunSubject,
  start(host, services, { directory }) {
    const session: Session = { panel: host.panel, services, directory, error: null };
    void readState(host, services, directory).then((state) => {
      session.error = state.error;
      host.show(state);
    });
    return session;
  },
  answer: ({ services, directory }, intent) => answer(services, directory, intent),
  errors: ({ error }) => [error],
  directory: ({ directory }) => directory,
});

async function readState(host: PanelHost<ReportState, ReportUpdate>, services: Services, directory: string): Promise<ReportState> {
  const run = await readRunState(directory);
  const { report, error } = await readReport(directory).then(
    (found) => ({ report: found, error: found ? null : missing(run?.status) }),
    (thrown: unknown) => ({ report: null, error: thrown }),
  );
  if (error) services.log.warn(String(error));
  const facts = await readImageFacts(directory);
  const now = new Date().toISOString();
  const id = path.basename(directory);
  const times = { createdAt: now, updatedAt: now, pid: null, progress: 0, headline: null, error: null };
  return {
    run: run ?? { version: 1, run: id, kind: "experiment", title: id, status: "failed", ...times },
    report,
    ledger: report ? await readLedger(directory, report) : [],
    classNames: facts.classNames,
    files: facts.files,
    base: host.uri(directory),
    error: error ? panelError(error) : null,
  };
}

function missing(status: string | undefined): BulwarkError {
  if (status === undefined) return new BulwarkError("RUN_NOT_FOUND", "This run's folder no longer exists.", "Start the run again.");
  return new BulwarkError("RUN_INVALID", `There is no report: the run is ${status}.`, "Resume the run; the report is written at its end.");
}

async function answer(services: Services, directory: string, intent: OwnIntent<ReportIntent>): Promise<void> {
  if (intent.kind === "inspect") await inspect(services, directory, intent);
  else await openHtml(path.join(directory, runFiles.reportHtml));
}

/** A browser runs what a page holds: in a folder that is not trusted, the person is asked. */
async function openHtml(file: string): Promise<void> {
  const open = "Open in Browser";
  const detail =
    "Bulwark writes it without scripts, but anybody may have changed it. The panel shows the same figures and runs none of it.";
  const isWanted = (): Thenable<string | undefined> =>
    vscode.window.showWarningMessage("This folder is not trusted. Open its report.html in a browser?", { modal: true, detail }, open);
  if (vscode.workspace.isTrusted || (await isWanted()) === open) await vscode.env.openExternal(vscode.Uri.file(file));
}

/** The picture of a ledger row, attacked again in the inspector with the same attack and the arm's model: its own file where it has one in the workspace. */
async function inspect(services: Services, directory: string, row: Extract<ReportIntent, { readonly kind: "inspect" }>): Promise<void> {
  const report = await readReport(directory);
  const armIndex = report?.arms.findIndex((arm) => arm.name === row.arm) ?? -1;
  const arm = report?.arms[armIndex];
  const keys = attackKeys(arm?.attacks.map((attack) => attack.attack.id) ?? []);
  const chosen = arm?.attacks[keys.findIndex((key) => key === row.attack || staticKey(key) === row.attack)];
  const image = (await ownFile(directory, row.index)) ?? path.join(directory, cleanThumbnail(row.index));
  if (!arm || !chosen || !(await exists(image)))
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `Image ${row.index} was not saved as a picture.`,
      `Only the first ${thumbnailCount} images of a run are saved.`,
    );
  const run = path.basename(directory);
  const found = await findModels(services.runs);
  const models = found.filter((model) => model.run === run);
  const owner = report?.arms.findIndex(({ name }) => name === (arm.network ?? arm.name)) ?? -1;
  const trained = path.join(directory, armModelFolder(owner, arm.network ?? arm.name), "model.json");
  const wanted = [trained, arm.model.params["file"]];
  const own = wanted.flatMap((file) => found.find((one) => one.path === file) ?? []);
  const model = own[0] ?? models[armIndex] ?? models[0];
  await vscode.commands.executeCommand(commands.attackThisImage, vscode.Uri.file(image), {
    ...(model ? { model: model.path } : {}),
    attack: chosen.attack.id,
    params: chosen.attack.params,
  });
}

/** The file of a test image; undefined where it has none, or none inside the open folders. */
async function ownFile(directory: string, index: number): Promise<string | undefined> {
  const { files, folder } = await readImageFacts(directory);
  const name = files[index];
  if (name === undefined || folder === "") return undefined;
  const file = path.resolve(folder, name);
  return rootFolders().some((root) => isInside(root, file)) && (await exists(file)) ? file : undefined;
}
