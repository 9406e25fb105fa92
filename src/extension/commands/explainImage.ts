import path from "node:path";
import * as vscode from "vscode";
import { requests } from "../../shared/protocol.ts";
import { askImage, chooseModel } from "../choose.ts";
import { showExplanation } from "../panels/explanation.ts";
import { newRunDirectory } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { activeImage, requireTrust, rootFolder, toPath } from "../workspace.ts";

/** Where the model looks, beside the editor. */
export async function explainImage(services: Services, resource?: unknown): Promise<unknown> {
  requireTrust();
  const image = toPath(resource) ?? activeImage() ?? (await askImage());
  const model = await chooseModel(services, { ask: false });
  const directory = newRunDirectory(rootFolder(image), `explain ${path.basename(image)}`);
  const params = { image, model, method: "gradCam", params: {}, directory };
  const options = { location: vscode.ProgressLocation.Window, title: `Explaining ${path.basename(image)}`, cancellable: false };
  const result = await vscode.window.withProgress(options, () => services.engine.request(requests.explainImage, params));
  services.runs.refresh();
  await showExplanation(services, image, result);
  return result;
}
