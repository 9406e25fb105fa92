import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { evaluates } from "../modelRuns.ts";
import { type FoundModel, findModels, findUnreadable, missingWeights, outlineOf, type UnreadableModel } from "../models.ts";
import type { Services } from "../services.ts";
import { shortPath } from "../workspace.ts";
import type { RunEntry } from "./runIndex.ts";
import { createTree, row, type Tree, type TreeNode } from "./tree.ts";

/** Models that can be opened, with what is known of them, then those that cannot. */
export function modelsTree(services: Services): Tree {
  return createTree(async () => {
    const runs = await services.runs.all();
    const models = await Promise.all((await findModels(services.runs)).map((model) => modelNode(model, runs)));
    return [...models, ...(await findUnreadable()).map(unreadableNode)];
  });
}

async function modelNode(model: FoundModel, runs: readonly RunEntry[]): Promise<TreeNode> {
  const outline = await outlineOf(model.path);
  const headline = await headlineOf(model, runs);
  const uri = vscode.Uri.file(model.path);
  const missing = await missingWeights(model.path);
  if (missing !== undefined)
    return problemNode(model.label, uri, { description: "weights missing", tooltip: `${model.detail}\n${missing} is not beside it.` });
  const item = row(model.label, {
    id: model.path,
    description: [headline, outline].filter(Boolean).join(" · ") || (model.run === undefined ? "tfjs" : "trained here"),
    tooltip: [model.detail, outline, headline].filter(Boolean).join("\n"),
    icon: model.run === undefined ? "symbol-structure" : "mortar-board",
    context: "model",
    command: { command: commands.inspectModel, title: "Inspect", arguments: [uri] },
  });
  return { item, uri };
}

/** A click opens its page, where the engine says why it cannot be opened and what to do. */
function unreadableNode({ path: file, format }: UnreadableModel): TreeNode {
  const label = path.basename(file) === "model.json" ? path.basename(path.dirname(file)) : path.basename(file);
  const tooltip = `${shortPath(file)}\n${format} models cannot be opened yet. Click to see what to do.`;
  return problemNode(label, vscode.Uri.file(file), { description: `not supported: ${format}`, tooltip });
}

function problemNode(label: string, uri: vscode.Uri, { description, tooltip }: { description: string; tooltip: string }): TreeNode {
  const item = row(label, {
    id: uri.fsPath,
    description,
    tooltip,
    icon: "warning",
    color: "problemsWarningIcon.foreground",
    context: "unreadable",
    command: { command: commands.inspectModel, title: "Why", arguments: [uri] },
  });
  return { item, uri };
}

/** Of the run that trained a model, or of the newest one that evaluated it. */
async function headlineOf(model: FoundModel, runs: readonly RunEntry[]): Promise<string | undefined> {
  if (model.run !== undefined)
    return model.isFirstArm ? (runs.find((run) => run.id === model.run)?.state.headline ?? undefined) : undefined;
  for (const run of runs) {
    if (run.state.status !== "done" || !run.state.headline) continue;
    if (await evaluates(run.directory, model.path)) return run.state.headline;
  }
  return undefined;
}
