import path from "node:path";
import * as vscode from "vscode";
import { BulwarkError } from "../../shared/errors.ts";
import { askExperiment } from "../choose.ts";
import { findData } from "../data.ts";
import { experimentTemplate, type TemplateParts } from "../experimentTemplate.ts";
import { exists } from "../files.ts";
import { picturesKind } from "../fit.ts";
import { findModels, isGrayscale } from "../models.ts";
import { trainingPanel } from "../panels/training.ts";
import { dropEmpty } from "../runFolder.ts";
import { announceDone, newestTrained, type RunMode, type StartedRun, startExperiment } from "../runs.ts";
import type { Services } from "../services.ts";
import { activeResource, requireTrust, toPath } from "../workspace.ts";

const isExperiment = (file: string | undefined): file is string => file?.endsWith(".bulwark.jsonc") === true;

/** The experiment that was clicked, else the one in front, else a question. */
async function fileOf(resource: unknown): Promise<string> {
  const clicked = toPath(resource);
  if (clicked !== undefined) return clicked;
  const active = activeResource()?.fsPath;
  return isExperiment(active) ? active : askExperiment();
}

export const runExperiment = (services: Services, resource?: unknown): Promise<unknown> => run(services, resource, "run");
export const trainExperiment = (services: Services, resource?: unknown): Promise<unknown> => run(services, resource, "train");

/** With the models that the newest run of this file has trained. */
export async function evaluateExperiment(services: Services, resource?: unknown): Promise<unknown> {
  const file = await fileOf(resource);
  const trained = await newestTrained(services, file);
  return run(services, file, "evaluate", trained?.directory);
}

/** @param finished is called when the run is done; without it a message says so */
export async function run(
  services: Services,
  resource: unknown,
  mode: RunMode,
  model?: string,
  finished: (run: StartedRun) => void = ({ directory, at }) => void announceDone(directory, at),
): Promise<unknown> {
  requireTrust();
  const file = await fileOf(resource);
  if (!(await exists(file))) throw new BulwarkError("FILE_NOT_FOUND", `There is no file ${file}.`, "Check the path.");
  await vscode.workspace.textDocuments.find((document) => document.uri.fsPath === file)?.save();
  const started = startExperiment(services, file, mode, model);
  const session =
    mode === "evaluate"
      ? undefined
      : trainingPanel.open(services, { directory: started.directory, title: path.basename(started.directory) });
  try {
    const result = await started.result;
    finished(started);
    return result;
  } catch (thrown) {
    // Nothing was written, so there is nothing to draw.
    if (await dropEmpty(started.directory)) session?.panel.dispose();
    throw thrown;
  }
}

/** A model of the folder first, then one that a run has trained; the person's own pictures before sets that everybody has. */
async function partsOf(services: Services, folder: string): Promise<TemplateParts> {
  const [model] = await findModels(services.runs);
  const labelled = (await findData()).filter(({ kind }) => kind !== picturesKind);
  const data = labelled.find(({ kind }) => kind === "imageFolder" || kind === "arrays") ?? labelled[0];
  const relative = (file: string): string => path.relative(folder, file).split(path.sep).join("/");
  return {
    model: model && relative(model.path),
    isGrayscale: model !== undefined && (await isGrayscale(model.path)),
    data: data && { kind: data.kind, path: data.spec === data.kind ? "" : relative(data.directory) },
  };
}

export async function newExperiment(services: Services, name?: unknown): Promise<unknown> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  if (!folder) throw new BulwarkError("USAGE", "No folder is open.", "Open a folder first.");
  const given =
    typeof name === "string" ? name : await vscode.window.showInputBox({ prompt: "Name of the experiment", value: "experiment" });
  if (!given) return undefined;
  const uri = vscode.Uri.joinPath(folder.uri, `${given.replace(/(\.bulwark)?(\.jsonc?)?$/, "")}.bulwark.jsonc`);
  if (await exists(uri.fsPath)) {
    await vscode.window.showTextDocument(uri);
    return uri;
  }
  await vscode.workspace.fs.writeFile(uri, Buffer.from(experimentTemplate(await partsOf(services, folder.uri.fsPath)), "utf8"));
  await vscode.window.showTextDocument(uri);
  return uri;
}
