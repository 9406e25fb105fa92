import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { panels } from "../../shared/contributions.ts";
import { percent, probability } from "../../shared/format.ts";
import type { ExplainImageResult } from "../../shared/protocol.ts";
import { runFiles, runsFolder } from "../../shared/runs.ts";
import { isRecord, readJson } from "../files.ts";
import type { Services } from "../services.ts";
import { folderOf } from "./panel.ts";

const requestFile = "explanation.json";
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The picture, the map over it and the map alone, beside the editor; the run folder remembers the picture for the next reload. */
export async function showExplanation(services: Services, image: string, result: ExplainImageResult): Promise<vscode.WebviewPanel> {
  await writeFile(path.join(result.directory, requestFile), `${JSON.stringify({ image })}\n`);
  const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
  const panel = vscode.window.createWebviewPanel(panels.explanation, titleOf(image), column);
  draw(services, panel, image, result);
  return panel;
}

/** A panel that came back after a reload, from its run folder alone. */
export async function restoreExplanation(services: Services, panel: vscode.WebviewPanel, directory: string): Promise<void> {
  const request = await readJson(path.join(directory, requestFile));
  const result = await readJson(path.join(directory, runFiles.result));
  if (!isRecord(request) || typeof request["image"] !== "string" || !isRecord(result)) panel.dispose();
  else draw(services, panel, request["image"], { ...(result as unknown as ExplainImageResult), directory }); // written by our engine
}

const titleOf = (image: string): string => `Attention: ${path.basename(image)}`;

/** A page whose only script says which run it shows. */
function draw(services: Services, panel: vscode.WebviewPanel, image: string, result: ExplainImageResult): void {
  const media = vscode.Uri.joinPath(services.context.extensionUri, "media");
  const roots = [media, vscode.Uri.file(result.directory), vscode.Uri.file(path.dirname(image))];
  panel.webview.options = { enableScripts: true, localResourceRoots: roots };
  const source = panel.webview.cspSource;
  const nonce = randomBytes(18).toString("base64");
  const policy = `default-src 'none'; img-src ${source}; style-src ${source}; script-src 'nonce-${nonce}'`;
  const style = panel.webview.asWebviewUri(vscode.Uri.joinPath(media, "styles", "explanation.css"));
  const figure = (file: string, caption: string): string =>
    `<figure><img class="small" src="${panel.webview.asWebviewUri(vscode.Uri.file(file)).toString()}" alt="${escapeHtml(caption)}"><figcaption>${escapeHtml(caption)}</figcaption></figure>`;
  const figures = [
    figure(image, "picture"),
    figure(path.join(result.directory, result.overlay), `attention over the picture, layer ${result.layer}`),
    figure(path.join(result.directory, result.map), "attention alone"),
  ];
  const state = JSON.stringify({ runId: path.basename(result.directory) }).replaceAll("<", "\\u003c");
  panel.webview.html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${style.toString()}">
<title>${escapeHtml(titleOf(image))}</title>
</head>
<body>
<h1>${escapeHtml(path.basename(image))}</h1>
<p>${escapeHtml(sentence(result))}</p>
<div class="pictures">${figures.join("")}</div>
<script nonce="${nonce}">acquireVsCodeApi().setState(${state});</script>
</body>
</html>`;
}

function sentence({ prediction, degenerate, area }: ExplainImageResult): string {
  const where = degenerate
    ? "The map is empty: no part of the picture speaks for it."
    : `Attention covers ${percent(area)} of the picture.`;
  return `Predicted ${prediction.name} with probability ${probability(prediction.probability)}. ${where}`;
}

export function registerExplanation(services: Services): void {
  const serializer: vscode.WebviewPanelSerializer = {
    async deserializeWebviewPanel(panel, state) {
      const directory = await folderOf(state, runsFolder);
      if (directory === undefined) panel.dispose();
      else await restoreExplanation(services, panel, directory);
    },
  };
  services.context.subscriptions.push(vscode.window.registerWebviewPanelSerializer(panels.explanation, serializer));
}
