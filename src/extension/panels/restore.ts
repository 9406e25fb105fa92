import path from "node:path";
import * as vscode from "vscode";
import { panels } from "../../shared/contributions.ts";
import { studioFolder } from "../../shared/patchStudio.ts";
import { runsFolder } from "../../shared/runs.ts";
import { exists, isRecord } from "../files.ts";
import type { Services } from "../services.ts";
import { rootFolders } from "../workspace.ts";
import { restoreExplanation } from "./explanation.ts";
import { attachInspector } from "./inspector.ts";
import { readKept, readRequest } from "./inspectorFile.ts";
import { attachReport } from "./report.ts";
import { restoreStudio } from "./studio/studio.ts";
import { attachTraining } from "./training.ts";

/** After a window reload all a panel knows is `{runId}`; everything else is read from the run folder again. */
export function registerSerializers(services: Services): void {
  const register = (viewType: string, attach: (panel: vscode.WebviewPanel, directory: string) => unknown, folder = runsFolder): void => {
    const serializer: vscode.WebviewPanelSerializer = {
      async deserializeWebviewPanel(panel, state) {
        const directory = await runDirectory(state, folder);
        if (directory === undefined) panel.dispose();
        else await attach(panel, directory);
      },
    };
    services.context.subscriptions.push(vscode.window.registerWebviewPanelSerializer(viewType, serializer));
  };
  register(panels.inspector, (panel, directory) => restoreInspector(services, panel, directory));
  register(panels.training, (panel, directory) => attachTraining(services, panel, directory));
  register(panels.explanation, (panel, directory) => restoreExplanation(services, panel, directory));
  register(panels.patchStudio, (panel, directory) => restoreStudio(services, panel, directory), studioFolder);
  register(panels.report, (panel, directory) => attachReport(services, panel, directory));
}

export async function restoreInspector(services: Services, panel: vscode.WebviewPanel, directory: string): Promise<void> {
  const request = await readRequest(directory);
  if (!request) {
    panel.dispose();
    return;
  }
  attachInspector(services, panel, request).restore(directory, request, await readKept(directory));
}

/** The folder of `{runId}` in one of the open folders; an id that is a path is refused. */
export async function runDirectory(state: unknown, folder = runsFolder): Promise<string | undefined> {
  const id = isRecord(state) ? state["runId"] : undefined;
  if (typeof id !== "string" || id === "" || id !== path.basename(id) || id.startsWith(".")) return undefined;
  for (const root of rootFolders()) {
    const directory = path.join(root, folder, id);
    if (await exists(directory)) return directory;
  }
  return undefined;
}
