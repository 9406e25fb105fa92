import path from "node:path";
import * as vscode from "vscode";
import { askImage, chooseModel, lastAttack } from "../choose.ts";
import { isRecord } from "../files.ts";
import { inspectorPanel } from "../panels/inspector/inspector.ts";
import type { Services } from "../services.ts";
import { activeImage, toPath } from "../workspace.ts";

/** `{model}` from a page or a script; menus hand other things as second argument. */
const modelOf = (options: unknown): string | undefined =>
  isRecord(options) && typeof options["model"] === "string" ? options["model"] : undefined;

/** Where the model looks: the Inspector without an attack, or, where the image was attacked with this model, of both images. */
export async function explainImage(services: Services, resource?: unknown, options?: unknown): Promise<unknown> {
  const image = toPath(resource) ?? activeImage() ?? (await askImage());
  const model = modelOf(options) ?? (await chooseModel(services, { ask: false }));
  const request = { image, model, attack: lastAttack(services, model) ?? { id: "fgsm", params: {} }, defenses: [] };
  const inspector = await inspectorPanel.find(services, { ...request, isIdle: true });
  inspector.look(request);
  const progress = { location: vscode.ProgressLocation.Window, title: `Explaining ${path.basename(image)}`, cancellable: false };
  return vscode.window.withProgress(progress, () => inspector.card("attention", { explanation: null, iteration: null }));
}
