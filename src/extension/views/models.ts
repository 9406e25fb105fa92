import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { runFiles } from "../../shared/runs.ts";
import { isRecord, readJson } from "../files.ts";
import { type FoundModel, findModels } from "../models.ts";
import type { Services } from "../services.ts";
import type { RunEntry } from "./runIndex.ts";
import { createTree, row, type Tree, type TreeNode } from "./tree.ts";

export function modelsTree(services: Services): Tree {
  return createTree(async () => {
    const runs = await services.runs.all();
    const models = await findModels(services.runs);
    return Promise.all(
      models.map(async (model): Promise<TreeNode> => {
        const headline = await headlineOf(model, runs);
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
      }),
    );
  });
}

/** Of the run that trained a model, or of the newest one that evaluated it. */
async function headlineOf(model: FoundModel, runs: readonly RunEntry[]): Promise<string | undefined> {
  if (model.run !== undefined)
    return model.isFirstArm ? (runs.find((run) => run.id === model.run)?.state.headline ?? undefined) : undefined;
  for (const run of runs) {
    if (run.state.status !== "done" || !run.state.headline) continue;
    const experiment = await readJson(path.join(run.directory, runFiles.experiment));
    const used = isRecord(experiment) && isRecord(experiment["model"]) ? experiment["model"]["file"] : undefined;
    if (used === model.path || used === path.dirname(model.path)) return run.state.headline;
  }
  return undefined;
}
