import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { findModels } from "../models.ts";
import type { Services } from "../services.ts";
import { createTree, row, type Tree, type TreeNode } from "./tree.ts";

export function modelsTree(services: Services): Tree {
  return createTree(async () => {
    const runs = await services.runs.all();
    const models = await findModels(services.runs);
    return models.map((model): TreeNode => {
      const headline = runs.find((run) => run.id === model.run)?.state.headline ?? undefined;
      const uri = vscode.Uri.file(model.path);
      const item = row(model.label, {
        id: model.path,
        description: headline ?? (model.run === undefined ? "tfjs" : "trained here"),
        tooltip: model.detail,
        icon: model.run === undefined ? "symbol-structure" : "mortar-board",
        context: "model",
        command: { command: commands.inspectModel, title: "Inspect", arguments: [uri] },
      });
      return { item, uri };
    });
  });
}
