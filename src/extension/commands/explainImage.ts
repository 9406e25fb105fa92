import path from "node:path";
import * as vscode from "vscode";
import { requests } from "../../shared/protocol.ts";
import { askImage, chooseModel } from "../choose.ts";
import { newRunDirectory } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { activeImage, requireTrust, rootFolder, toPath } from "../workspace.ts";

/** Where the model looks: the map over the image opens beside the editor, the prediction is said in words. */
export async function explainImage(services: Services, resource?: unknown): Promise<unknown> {
  requireTrust();
  const image = toPath(resource) ?? activeImage() ?? (await askImage());
  const model = await chooseModel(services, { ask: false });
  const directory = newRunDirectory(rootFolder(image), `explain ${path.basename(image)}`);
  const params = { image, model, method: "gradCam", params: {}, directory };
  const options = { location: vscode.ProgressLocation.Window, title: `Explaining ${path.basename(image)}`, cancellable: false };
  const result = await vscode.window.withProgress(options, () => services.engine.request(requests.explainImage, params));
  services.runs.refresh();
  await vscode.commands.executeCommand("vscode.open", vscode.Uri.file(path.join(directory, result.overlay)), vscode.ViewColumn.Beside);
  const { name, probability } = result.prediction;
  const where = result.degenerate ? "the map is empty" : `attention covers ${(100 * result.area).toFixed(1)} % of the image`;
  void vscode.window.showInformationMessage(
    `${path.basename(image)}: ${name} (${probability.toFixed(2)}); ${where}, layer ${result.layer}.`,
  );
  return result;
}
