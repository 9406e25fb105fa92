import path from "node:path";
import * as vscode from "vscode";
import type { ExplainImageResult } from "../../shared/protocol.ts";
import { webviewUri } from "./host.ts";

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The picture, the map over it and the map alone, as a page without scripts. */
export function showExplanation(extensionUri: vscode.Uri, image: string, result: ExplainImageResult): vscode.WebviewPanel {
  const media = vscode.Uri.joinPath(extensionUri, "media");
  const title = `Attention: ${path.basename(image)}`;
  const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
  const localResourceRoots = [media, vscode.Uri.file(result.directory), vscode.Uri.file(path.dirname(image))];
  const panel = vscode.window.createWebviewPanel("bulwark.explanation", title, column, { enableScripts: false, localResourceRoots });
  const source = panel.webview.cspSource;
  const style = panel.webview.asWebviewUri(vscode.Uri.joinPath(media, "styles", "explanation.css"));
  const figure = (file: string, caption: string): string =>
    `<figure><img class="small" src="${webviewUri(panel, file)}" alt="${escapeHtml(caption)}"><figcaption>${escapeHtml(caption)}</figcaption></figure>`;
  const figures = [
    figure(image, "picture"),
    figure(path.join(result.directory, result.overlay), `attention over the picture, layer ${result.layer}`),
    figure(path.join(result.directory, result.map), "attention alone"),
  ];
  panel.webview.html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src ${source}; style-src ${source}">
<link rel="stylesheet" href="${style.toString()}">
<title>${escapeHtml(title)}</title>
</head>
<body>
<h1>${escapeHtml(path.basename(image))}</h1>
<p>${escapeHtml(sentence(result))}</p>
<div class="pictures">${figures.join("")}</div>
</body>
</html>`;
  return panel;
}

function sentence({ prediction, degenerate, area }: ExplainImageResult): string {
  const where = degenerate
    ? "The map is empty: no part of the picture speaks for it."
    : `Attention covers ${(100 * area).toFixed(1)} % of the picture.`;
  return `Predicted ${prediction.name} with probability ${prediction.probability.toPrecision(3)}. ${where}`;
}
