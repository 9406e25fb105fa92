import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { panels } from "../../shared/contributions.ts";
import type { SentPicture, ToWebview } from "../../shared/panels.ts";
import type { Shape } from "../../shared/shapes.ts";
import { readMessage } from "./messages.ts";

export type PanelName = keyof typeof panels;

/** The host's end of one webview: full state on `ready`, updates after it, intents back. */
export interface PanelHost<State, Update> {
  readonly panel: vscode.WebviewPanel;
  /** A webview that was closed is not spoken to. */
  readonly isClosed: boolean;
  /** Sends the full state (now, and again whenever the webview was loaded anew). */
  show(state: State): void;
  /** Sends a small change, and pictures that it names; `next` is the whole state after it. */
  update(update: Update, next: State, pictures?: readonly SentPicture[]): void;
  /** Address of a file, as the webview's `img` wants it. */
  uri(file: string): string;
}
export interface HostOptions<Intent> {
  readonly extensionUri: vscode.Uri;
  readonly name: PanelName;
  /** Folders whose images may be shown, beside those of the extension. */
  readonly roots: readonly string[];
  /** What its webview may say. */
  readonly intents: Shape<Intent>;
  readonly onIntent: (intent: Intent) => void;
  /** A message was dropped: why. */
  readonly onMisfit: (why: string) => void;
  readonly onClose: () => void;
}

/** Takes over a panel, new or restored. */
export function hostPanel<State, Update, Intent extends { readonly kind: string }>(
  panel: vscode.WebviewPanel,
  o: HostOptions<Intent>,
): PanelHost<State, Update> {
  const { webview } = panel;
  webview.options = { enableScripts: true, localResourceRoots: resourceRoots(o) };
  const icon = (name: string): vscode.Uri => vscode.Uri.joinPath(o.extensionUri, "media", "icons", name);
  panel.iconPath = { light: icon("bulwark-light.svg"), dark: icon("bulwark.svg") };
  let state: State | undefined;
  let isReady = false;
  let isClosed = false;
  const post = (message: ToWebview<State, Update>): void => {
    if (isReady && !isClosed) void webview.postMessage(message);
  };
  webview.onDidReceiveMessage((message: unknown) => {
    const known = readMessage(o.intents, message);
    if (typeof known === "string") return o.onMisfit(known);
    if (known.type === "ready") {
      isReady = true;
      if (state !== undefined) post({ type: "state", state });
    } else if (known.type === "intent") o.onIntent(known.intent);
  });
  panel.onDidDispose(() => {
    isClosed = true;
    o.onClose();
  });
  webview.html = html(webview, o.extensionUri, o.name);
  return {
    panel,
    get isClosed() {
      return isClosed;
    },
    show(next) {
      state = next;
      post({ type: "state", state });
    },
    update(update, next, pictures = []) {
      state = next;
      post({ type: "update", update, pictures });
    },
    uri: (file) => webview.asWebviewUri(vscode.Uri.file(file)).toString(),
  };
}

function resourceRoots(o: Pick<HostOptions<never>, "extensionUri" | "roots">): vscode.Uri[] {
  const own = ["dist", "media"].map((folder) => vscode.Uri.joinPath(o.extensionUri, folder));
  return [...own, ...o.roots.map((root) => vscode.Uri.file(root))];
}

/**
 * Scripts only with the nonce, everything else only from the extension and the folders of what is shown. The toolkit tries with an empty style element
 * whether the browser knows :focus-visible, and takes that element's nonce from the meta tag.
 */
function html(webview: vscode.Webview, extensionUri: vscode.Uri, name: PanelName): string {
  const nonce = randomBytes(18).toString("base64");
  const file = (...parts: string[]): string => webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, ...parts)).toString();
  const source = webview.cspSource;
  const policy = [
    "default-src 'none'",
    `img-src ${source} data: blob:`,
    `style-src ${source} 'nonce-${nonce}'`,
    `font-src ${source}`,
    `script-src 'nonce-${nonce}'`,
    // Panels read pictures of the run folder into canvases.
    `connect-src ${source}`,
  ].join("; ");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta property="csp-nonce" content="${nonce}">
<link rel="stylesheet" href="${file("dist", "codicon.css")}">
<link rel="stylesheet" href="${file("dist", "webview", `${name}.css`)}">
<title>Bulwark</title>
</head>
<body>
<div id="app"></div>
<script nonce="${nonce}" src="${file("dist", "webview", `${name}.js`)}"></script>
</body>
</html>`;
}
