import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import type { BulwarkApi } from "../../src/extension/extension.ts";
import { type Inspector, inspectorPanel } from "../../src/extension/panels/inspector/inspector.ts";
import { commands } from "../../src/shared/contributions.ts";
import type { AttackImageResult } from "../../src/shared/protocol.ts";

/** The extension as this host runs it, activated. */
export async function bulwark(): Promise<BulwarkApi> {
  const extension = vscode.extensions.getExtension<BulwarkApi>("bulwark-ml.bulwark");
  assert.ok(extension, "the extension is installed in this host");
  return extension.activate();
}

/** The open folder: a copy of samples/. */
export function workspace(): string {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, "a folder is open");
  return folder.uri.fsPath;
}

/** Waits until `look` finds something; says what was missing otherwise. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 30,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Writes an experiment file into the open folder and shows it. */
export async function showExperiment(name: string, text: string): Promise<vscode.TextDocument> {
  const file = path.join(workspace(), `${name}.bulwark.jsonc`);
  writeFileSync(file, text);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(file));
  await vscode.window.showTextDocument(document);
  return document;
}

/** Position of the first occurrence of `text`, `offset` characters into it. */
export function positionOf(document: vscode.TextDocument, text: string, offset = 0): vscode.Position {
  const at = document.getText().indexOf(text);
  assert.notEqual(at, -1, `${text} is in the document`);
  return document.positionAt(at + offset);
}

/** A picture and a model of the samples, by their names: a search gives its findings in another order each time. */
export async function pictureAndModel(): Promise<{ image: string; model: string }> {
  const [image, ...otherImages] = await vscode.workspace.findFiles("seven.png");
  const [model, ...otherModels] = await vscode.workspace.findFiles("models/papernot/model.json");
  assert.ok(image && model, "the samples hold a picture and a model");
  assert.deepEqual([otherImages, otherModels], [[], []]);
  return { image: image.fsPath, model: model.fsPath };
}

/** The inspector of that picture after an attack. */
export async function attackedPicture(): Promise<{ inspector: Inspector; result: AttackImageResult }> {
  const { services } = await bulwark();
  const { image, model } = await pictureAndModel();
  const options = { model, attack: "pgd", params: { eps: 0.3, steps: 20, stepSize: 0.03 } };
  const result = await vscode.commands.executeCommand<AttackImageResult>(commands.attackThisImage, vscode.Uri.file(image), options);
  const inspector = inspectorPanel.get(services, image);
  assert.ok(inspector && result);
  return { inspector, result };
}

export const tabsOf = (viewType: string): vscode.Tab[] =>
  vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .filter((tab) => tab.input instanceof vscode.TabInputWebview && tab.input.viewType.endsWith(viewType));

/** The workbench tells of a new tab a little later than it shows it. */
export const oneTabOf = (viewType: string): Promise<boolean> => eventually(`one tab of ${viewType}`, () => tabsOf(viewType).length === 1);

/** The suite is a bundle of its own, so `instanceof` would compare with another copy of the class. */
export const hasCode =
  (code: string) =>
  (thrown: unknown): boolean =>
    thrown instanceof Error && thrown.name === "BulwarkError" && "code" in thrown && thrown.code === code;

export const closeAll = (): Thenable<unknown> => vscode.commands.executeCommand("workbench.action.closeAllEditors");
