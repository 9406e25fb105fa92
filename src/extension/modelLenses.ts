import { statSync } from "node:fs";
import path from "node:path";
import * as vscode from "vscode";
import { commands, settings } from "../shared/contributions.ts";
import { singleFileEndings } from "../shared/modelFormats.ts";
import { modelReferences } from "../shared/modelLines.ts";
import { isInside } from "./files.ts";
import type { Services } from "./services.ts";
import { rootFolders, setting } from "./workspace.ts";

const languages = ["python", "typescript", "typescriptreact", "javascript", "javascriptreact"].map((language) => ({
  scheme: "file",
  language,
}));

/** Evaluate and Inspect above lines of programs that save or load a model file of the workspace. */
export function registerModelLenses({ context }: Services): void {
  const changed = new vscode.EventEmitter<void>();
  const { subscriptions } = context;
  for (const glob of [`**/*.{${singleFileEndings.join(",")}}`, "**/model.json"]) {
    const watcher = vscode.workspace.createFileSystemWatcher(glob, false, true, false);
    subscriptions.push(
      watcher,
      watcher.onDidCreate(() => changed.fire()),
      watcher.onDidDelete(() => changed.fire()),
    );
  }
  const provider: vscode.CodeLensProvider = { onDidChangeCodeLenses: changed.event, provideCodeLenses: modelLenses };
  subscriptions.push(
    changed,
    vscode.languages.registerCodeLensProvider(languages, provider),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(settings.modelLenses)) changed.fire();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
  );
}

export function modelLenses(document: vscode.TextDocument): vscode.CodeLens[] {
  if (!vscode.workspace.isTrusted || !setting(settings.modelLenses, true)) return [];
  return modelReferences(document.getText(), document.languageId === "python").flatMap(({ line, path: named }) => {
    const file = modelFile(named, document.uri.fsPath);
    if (file === undefined) return [];
    const range = new vscode.Range(line, 0, line, 0);
    const uri = vscode.Uri.file(file).toString();
    const name = path.basename(file) === "model.json" ? path.basename(path.dirname(file)) : path.basename(file);
    return [
      new vscode.CodeLens(range, { title: `$(beaker) Evaluate robustness of ${name}`, command: commands.evaluateModel, arguments: [uri] }),
      new vscode.CodeLens(range, { title: "$(info) Inspect", command: commands.inspectModel, arguments: [uri] }),
    ];
  });
}

/** A file of the workspace: beside the program, or below a folder that is open. */
function modelFile(named: string, program: string): string | undefined {
  const places = [path.dirname(program), ...rootFolders()].map((folder) => path.resolve(folder, named));
  return places.find((place) => rootFolders().some((root) => isInside(root, place)) && isFile(place));
}

const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() === true;
