import path from "node:path";
import * as vscode from "vscode";
import { commands, settings } from "../../shared/contributions.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { type ContractProbe, type ProbeUpdate, probeSummary } from "../../shared/probe.ts";
import { probeContractProgress, requests } from "../../shared/protocol.ts";
import { chooseModel, pick } from "../choose.ts";
import { findData } from "../data.ts";
import { picturesKind } from "../fit.ts";
import type { Services } from "../services.ts";
import { rootFolders, setting, toPath } from "../workspace.ts";

/** Labelled pictures that are usually enough. */
const limit = 64;

/**
 * Finds out how a model takes its images from labelled data, with progress and cancel; says what was found, and writes it into the contract
 * beside the model when asked to. The value is the probe. @param resource the model; asked for when left out
 * @param data `kind:path` of the data; asked for when left out
 */
export async function probeContract(services: Services, resource?: unknown, data?: unknown): Promise<ContractProbe> {
  const model = toPath(resource) ?? (await chooseModel(services, { ask: true }));
  const dataset = typeof data === "string" ? data : await askData();
  const title = `Probing how ${path.basename(path.dirname(model))} takes its images`;
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const found = await vscode.window.withProgress(options, (progress, token) => run(services, { model, dataset }, progress, token));
  void tell(services, found);
  return found;
}

async function askData(): Promise<string> {
  const found = (await findData()).filter(({ kind }) => kind !== picturesKind);
  if (found.length === 0)
    throw new BulwarkError(
      "DATASET_EMPTY",
      "There are no labelled pictures in this folder.",
      "Add a folder of pictures with one subfolder for each class, or fetch a data set.",
    );
  const items = found.map(({ label, detail, spec }) => ({ label, description: detail, spec }));
  return (await pick(items, "Probe with which labelled pictures?")).spec;
}

type Report = vscode.Progress<{ increment?: number; message?: string }>;

async function run(
  services: Services,
  asked: { readonly model: string; readonly dataset: string },
  progress: Report,
  cancel: vscode.CancellationToken,
): Promise<ContractProbe> {
  const abort = new AbortController();
  cancel.onCancellationRequested(() => abort.abort());
  const engine = await services.engine.get();
  const token = `probe ${asked.model}`;
  let before = 0;
  const listener = engine.onProgress(probeContractProgress, token, ({ done, total }: ProbeUpdate) => {
    const now = (100 * done) / total;
    progress.report({ increment: now - before, message: `${Math.round(now)} %` });
    before = now;
  });
  const [workspace = path.dirname(asked.model)] = rootFolders();
  const params = { ...asked, split: "test", limit, seed: setting(settings.seed, 1), workspace, token } as const;
  try {
    return await services.engine.request(requests.probeContract, params, abort.signal);
  } finally {
    listener.dispose();
  }
}

const write = "Write Contract";
const evidence = "Show Evidence";

/** The decision in one sentence; what it rests on is on the page of the model. */
async function tell(services: Services, found: ContractProbe): Promise<void> {
  const buttons = [...(found.contract ? [write] : []), evidence];
  const chosen = await vscode.window.showInformationMessage(probeSummary(found), ...buttons);
  if (chosen === evidence) await vscode.commands.executeCommand(commands.inspectModel, vscode.Uri.file(found.model));
  if (chosen !== write) return;
  const { model, contract } = found;
  const { file } = await services.engine.request(requests.writeProbe, { model, contract });
  await vscode.window.showTextDocument(vscode.Uri.file(file));
}
