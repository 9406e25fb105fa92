import path from "node:path";
import * as vscode from "vscode";

/** Lets the user choose a name and writes there; says where. */
export async function saveAs(suggested: string, bytes: Uint8Array): Promise<vscode.Uri | undefined> {
  const target = await vscode.window.showSaveDialog({ defaultUri: vscode.Uri.file(suggested) });
  if (!target) return undefined;
  await vscode.workspace.fs.writeFile(target, bytes);
  void vscode.window.showInformationMessage(`Saved ${vscode.workspace.asRelativePath(target)}.`);
  return target;
}

/** A chart or table that a panel made; `name` proposes a file name. */
export async function saveDataUrl(root: string, name: string, dataUrl: string): Promise<void> {
  const bytes = bytesOfDataUrl(dataUrl);
  if (bytes) await saveAs(path.join(root, path.basename(name)), bytes);
}

/** Bytes of `data:…;base64,…` or of a percent-encoded data URL; undefined for anything else. */
export function bytesOfDataUrl(url: string): Uint8Array | undefined {
  const match = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url);
  if (!match) return undefined;
  const [, base64, body = ""] = match;
  return base64 ? Buffer.from(body, "base64") : Buffer.from(decodeURIComponent(body), "utf8");
}
