import * as vscode from "vscode";
import { views } from "../../shared/contributions.ts";
import { singleFileEndings } from "../../shared/modelFormats.ts";
import type { Services } from "../services.ts";
import { dataTree } from "./data.ts";
import { findingsTree } from "./findings.ts";
import { modelsTree } from "./models.ts";
import { runsTree } from "./runs.ts";
import { createStatusItem } from "./status.ts";
import type { Tree } from "./tree.ts";

export interface Trees {
  readonly models: Tree;
  readonly data: Tree;
  readonly runs: Tree;
  readonly findings: Tree;
}

export function registerViews(services: Services): Trees {
  const trees: Trees = { models: modelsTree(services), data: dataTree(), runs: runsTree(services), findings: findingsTree(services) };
  const all = Object.values(trees) as Tree[];
  const refreshAll = (): void => {
    for (const tree of all) tree.refresh();
  };
  const watcher = vscode.workspace.createFileSystemWatcher(`**/{model.json,${singleFileEndings.map((ending) => `*.${ending}`).join(",")}}`);
  services.context.subscriptions.push(
    vscode.window.registerTreeDataProvider(views.models, trees.models),
    vscode.window.registerTreeDataProvider(views.data, trees.data),
    vscode.window.registerTreeDataProvider(views.runs, trees.runs),
    vscode.window.registerTreeDataProvider(views.findings, trees.findings),
    services.runs.onChange(refreshAll),
    services.onActivity(() => trees.runs.refresh()),
    watcher,
    watcher.onDidCreate(() => trees.models.refresh()),
    watcher.onDidDelete(() => trees.models.refresh()),
    createStatusItem(services),
  );
  return trees;
}
