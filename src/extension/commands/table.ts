import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { showError } from "../messages.ts";
import type { Services } from "../services.ts";
import { requireTrust } from "../workspace.ts";
import { attackImage, attackThisImage } from "./attackImage.ts";
import { attackModel } from "./attackModel.ts";
import { compareModels } from "./compareModels.ts";
import { copySnippet } from "./copySnippet.ts";
import { refreshViews, restartEngine, selectBackend, selectDevice, showLog, showStatus } from "./engine.ts";
import { evaluateModel } from "./evaluateModel.ts";
import { evaluateExperiment, newExperiment, runExperiment, trainExperiment } from "./experiments.ts";
import { explainImage } from "./explainImage.ts";
import { fetchDataset } from "./fetchDataset.ts";
import { inspectModel } from "./inspectModel.ts";
import { installGpuRuntime } from "./installGpuRuntime.ts";
import { openPatchStudio } from "./openPatchStudio.ts";
import { previewData } from "./previewData.ts";
import { probeContract } from "./probeContract.ts";
import { rankPatches } from "./rankPatches.ts";
import { runDoctor } from "./runDoctor.ts";
import { cancelRun, deleteRun, openReport, openRun, openTraining, resumeRun, revealRun } from "./runs.ts";
import { trySample } from "./trySample.ts";

/** Arguments come from menus, lenses, trees, panels and scripts: each command checks its own. */
type Command = (services: Services, ...args: unknown[]) => Promise<unknown>;

const table: Readonly<Record<keyof typeof commands, Command>> = {
  attackThisImage,
  attackImage,
  explainImage,
  rankPatches,
  openPatchStudio,
  inspectModel,
  copySnippet,
  probeContract,
  evaluateModel,
  compareModels,
  attackModel,
  runExperiment,
  trainExperiment,
  evaluateExperiment,
  newExperiment,
  resumeRun,
  cancelRun,
  openRun,
  revealRun,
  openReport,
  openTraining,
  deleteRun,
  fetchDataset,
  previewData,
  runDoctor,
  selectBackend,
  selectDevice,
  installGpuRuntime,
  showStatus,
  showLog,
  restartEngine,
  refreshViews,
  trySample,
};

/** Commands that only look at what is there. All others need a folder that is trusted. */
const looks: ReadonlySet<string> = new Set<keyof typeof commands>([
  "openRun",
  "revealRun",
  "openReport",
  "openTraining",
  "previewData",
  "copySnippet",
  "showStatus",
  "showLog",
  "refreshViews",
]);

/** The result is the command's value; an error is shown, and the value is undefined. */
export function registerCommands(services: Services): void {
  for (const [name, command] of Object.entries(table)) {
    const id = commands[name as keyof typeof commands];
    const run = async (...args: unknown[]): Promise<unknown> => {
      try {
        if (!looks.has(name)) requireTrust();
        return await command(services, ...args);
      } catch (thrown) {
        showError(services.log, thrown);
        return undefined;
      }
    };
    services.context.subscriptions.push(vscode.commands.registerCommand(id, run));
  }
}
