import path from "node:path";
import * as vscode from "vscode";

/** A file is written in many steps: it counts as changed once it has been left alone for so long. */
const quiet = 400; // ms

/** Calls back once files of a folder that `concerns` have been written, made or deleted. */
export function watchFolder(directory: string, concerns: (name: string) => boolean, changed: () => void): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(vscode.Uri.file(directory), "*"));
  let timer: NodeJS.Timeout | undefined;
  const heard = ({ fsPath }: vscode.Uri): void => {
    if (!concerns(path.basename(fsPath))) return;
    clearTimeout(timer);
    timer = setTimeout(changed, quiet);
  };
  watcher.onDidChange(heard);
  watcher.onDidCreate(heard);
  watcher.onDidDelete(heard);
  return new vscode.Disposable(() => {
    clearTimeout(timer);
    watcher.dispose();
  });
}
