import { open } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { runFiles } from "../shared/runs.ts";
import { exists, foldersIn } from "./files.ts";
import type { RunIndex } from "./views/runIndex.ts";
import { shortPath } from "./workspace.ts";

export interface FoundModel {
  /** model.json */
  readonly path: string;
  readonly label: string;
  readonly detail: string;
  /** The run that trained it. */
  readonly run: string | undefined;
  /** The run's headline is about its first arm. */
  readonly isFirstArm: boolean;
}

/** tfjs layers models of the workspace and models that finished runs have trained, newest run first. */
export async function findModels(runs: RunIndex): Promise<FoundModel[]> {
  const files = await vscode.workspace.findFiles("**/model.json", "**/{node_modules,.git,.bulwark}/**", 200);
  const models: FoundModel[] = [];
  for (const { fsPath } of files.sort((a, b) => a.fsPath.localeCompare(b.fsPath)))
    if (await isLayersModel(fsPath))
      models.push({
        path: fsPath,
        label: path.basename(path.dirname(fsPath)),
        detail: shortPath(fsPath),
        run: undefined,
        isFirstArm: false,
      });
  return [...models, ...(await trainedModels(runs))];
}

async function trainedModels(runs: RunIndex): Promise<FoundModel[]> {
  const models: FoundModel[] = [];
  for (const run of await runs.all())
    for (const folder of await foldersIn(run.directory)) {
      const file = path.join(run.directory, folder, "model.json");
      if ((folder === runFiles.model || folder.startsWith(`${runFiles.model}-`)) && (await exists(file))) {
        const arm = folder.slice(runFiles.model.length + 1);
        models.push({
          path: file,
          label: `${run.state.title}${arm ? ` · ${arm}` : ""}`,
          detail: shortPath(file),
          run: run.id,
          isFirstArm: arm === "",
        });
      }
    }
  return models;
}

/** A layers model, not a graph model or any other JSON that is called model.json. */
async function isLayersModel(file: string): Promise<boolean> {
  const head = await headOf(file);
  return head.includes('"modelTopology"') && !/"format"\s*:\s*"graph-model"/.test(head);
}

/** The first layer of a model file takes one channel. */
export const isGrayscale = async (file: string): Promise<boolean> =>
  /"batch_?[iI]nput_?[sS]hape"\s*:\s*\[\s*null\s*,\s*\d+\s*,\s*\d+\s*,\s*1\s*\]/.test(await headOf(file));

/** The beginning of a file is enough: topologies can be long. Empty when it cannot be read. */
async function headOf(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    return "";
  }
}
