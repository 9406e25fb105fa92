import path from "node:path";
import * as vscode from "vscode";
import { settings } from "../shared/contributions.ts";
import { createCatalog, type LiveCatalog } from "./catalog.ts";
import { createWarmEngine, type WarmEngine } from "./engine/engine.ts";
import { locateEngine } from "./engine/locate.ts";
import { type EngineProcess, type LogLine, type StartOptions, startEngine } from "./engine/process.ts";
import { createQueue, type RunQueue } from "./engine/queue.ts";
import type { OpenPanels } from "./panels/panel.ts";
import { createRunIndex, type RunIndex } from "./views/runIndex.ts";
import { requireTrust, rootFolder, rootFolders, setting, usePlaces } from "./workspace.ts";

type ComputeChoice = Pick<StartOptions, "backend" | "device">;

/** Made once in `activate`; commands, panels and views get it as their first argument. */
export interface Services {
  readonly context: vscode.ExtensionContext;
  readonly log: vscode.LogOutputChannel;
  readonly catalog: LiveCatalog;
  readonly engine: WarmEngine;
  readonly queue: RunQueue;
  readonly runs: RunIndex;
  readonly panels: OpenPanels;
  /** Engine or queue changed. */
  readonly onActivity: vscode.Event<void>;
  /** A process for one run, with backend and device of the settings or others. @throws UNTRUSTED, ENGINE_START, BACKEND_UNAVAILABLE */
  startProcess(choice?: ComputeChoice): Promise<EngineProcess>;
}

export function createServices(context: vscode.ExtensionContext): Services {
  usePlaces(context);
  const log = vscode.window.createOutputChannel("Bulwark", { log: true });
  const activity = new vscode.EventEmitter<void>();
  const changed = (): void => activity.fire();
  const runs = createRunIndex();
  const startProcess: Services["startProcess"] = (choice) => start(context, log, choice);
  const catalog = createCatalog();
  const startWarm = async (): Promise<EngineProcess> => {
    const started = await startProcess();
    await catalog.restore(started, (thrown) => log.warn(`A plugin is not used any more: ${String(thrown)}`));
    return started;
  };
  const engine = createWarmEngine(startWarm, changed);
  const queue = createQueue(changed);
  context.subscriptions.push(log, activity, runs, catalog, { dispose: () => engine.stop() }, { dispose: () => queue.cancelAll() });
  return {
    context,
    log,
    catalog,
    engine,
    queue,
    runs,
    panels: new Map(),
    onActivity: activity.event,
    startProcess,
  };
}

/** Where “Install GPU Runtime” puts things: this computer's storage of the extension, outside every workspace. */
export const gpuRuntimeFolder = (context: vscode.ExtensionContext): string => path.join(context.globalStorageUri.fsPath, "gpu-runtime");

async function start(context: vscode.ExtensionContext, log: vscode.LogOutputChannel, choice?: ComputeChoice): Promise<EngineProcess> {
  requireTrust();
  const toLog: LogLine = (level, line) => log[level](line);
  const location = locateEngine({
    extensionPath: context.extensionPath,
    nodePath: setting(settings.nodePath, ""),
    threads: setting(settings.threads, 0),
    memory: setting(settings.memory, 0),
    gpuRuntime: gpuRuntimeFolder(context),
    env: process.env,
    ownRuntime: process.execPath,
  });
  const cwd = rootFolders().length > 0 ? rootFolder() : context.extensionPath;
  const engine = await startEngine({
    location,
    cwd,
    backend: choice?.backend ?? setting(settings.backend, "auto"),
    device: choice?.device ?? setting(settings.device, "auto"),
    log: toLog,
  });
  engine.onDevice((_device, message) => log.warn(message));
  const { version, node, backend, device } = engine.handshake;
  log.info(`Engine ${version} started: process ${engine.pid}, Node ${node}, ${backend}, ${device}.`);
  return engine;
}
