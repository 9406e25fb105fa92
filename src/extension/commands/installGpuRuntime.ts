import { access, readFile } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { commands, settings } from "../../shared/contributions.ts";
import { BulwarkError, cancelled } from "../../shared/errors.ts";
import { bytes } from "../../shared/format.ts";
import { type RuntimePart, runtimeParts } from "../../shared/gpuRuntime.ts";
import { type DoctorReport, requests } from "../../shared/protocol.ts";
import { pick } from "../choose.ts";
import { locateEngine } from "../engine/locate.ts";
import { installedVersion, installPart, removePart } from "../runtime/install.ts";
import { findNpm } from "../runtime/npm.ts";
import { verdict } from "../runtime/verdict.ts";
import { gpuRuntimeFolder, type Services } from "../services.ts";
import { setting } from "../workspace.ts";

let running = false;

/** Asks, installs with npm under the extension's own storage, tries what came, and says what it found. */
export async function installGpuRuntime(services: Services): Promise<unknown> {
  requirePlatform();
  if (running) throw new BulwarkError("INSTALL_FAILED", "An installation is already running.", "Wait until it ends, or cancel it.");
  const root = gpuRuntimeFolder(services.context);
  const part = await choosePart(root);
  const version = installedVersion(part, root);
  if (version !== undefined && (await askWhatNow(part, version)) === "remove") return remove(services, part, root);
  const nodePath = setting(settings.nodePath, "");
  const env = environment(services, nodePath);
  findNpm(env, nodePath); // before asking, so that the user is not asked to confirm something that cannot work
  await askConsent(part, root);
  running = true;
  try {
    await install(services, part, root, nodePath, env);
  } finally {
    running = false;
  }
  return report(services, part);
}

/** Both parts exist for one platform alone. @throws BACKEND_UNAVAILABLE elsewhere, with what that platform has instead. */
function requirePlatform(): void {
  const platform = `${process.platform}-${process.arch}`;
  if (platform === "linux-x64") return;
  const instead: Readonly<Record<string, string>> = {
    win32: "DirectML and WebGPU are in this package already; choose one in bulwark.engine.device, or work in WSL.",
    darwin: "CoreML and WebGPU are in this package already; choose one in bulwark.engine.device.",
  };
  const fix = instead[process.platform] ?? "Leave the backend to auto.";
  throw new BulwarkError("BACKEND_UNAVAILABLE", `There is no GPU runtime to install for ${platform}, only for linux-x64.`, fix);
}

async function choosePart(root: string): Promise<RuntimePart> {
  const items = runtimeParts.map((part) => {
    const version = installedVersion(part, root);
    const state = version === undefined ? `about ${bytes(part.download)} to download` : `${version} is installed`;
    return { label: part.title, description: state, detail: `${part.package} ${part.version}; needs ${part.needs}`, part };
  });
  return (await pick(items, "Which GPU runtime?")).part;
}

async function askWhatNow(part: RuntimePart, version: string): Promise<"reinstall" | "remove"> {
  const items = [
    { label: "$(refresh) Reinstall", what: "reinstall" as const },
    { label: "$(trash) Remove", what: "remove" as const },
  ];
  return (await pick(items, `${part.title} ${version} is installed.`)).what;
}

async function askConsent(part: RuntimePart, root: string): Promise<void> {
  const detail = [
    `npm downloads ${part.package} ${part.version} from your package registry, and its install script the native part from ${part.host}: about ${bytes(part.download)}, and ${bytes(part.disk)} on the disk while it is being installed.`,
    `It needs ${part.needs}, which you install yourself.`,
    `Installs to ${path.join(root, part.id)}. Nothing is uploaded.`,
  ].join("\n\n");
  const agree = "Download and Install";
  const answer = await vscode.window.showInformationMessage(`Install ${part.title}?`, { modal: true, detail }, agree);
  if (answer !== agree) throw cancelled();
}

/** As the engine gets it, less what is meant for the engine. */
function environment({ context }: Services, nodePath: string): Record<string, string> {
  const { env } = locateEngine({
    extensionPath: context.extensionPath,
    nodePath,
    threads: 0,
    memory: 0,
    gpuRuntime: "",
    env: process.env,
    ownRuntime: process.execPath,
  });
  const { ELECTRON_RUN_AS_NODE: _, ...rest } = env;
  return rest;
}

async function install(
  { context, log }: Services,
  part: RuntimePart,
  root: string,
  nodePath: string,
  env: Record<string, string>,
): Promise<void> {
  const lock = await readFile(path.join(context.extensionPath, "media/locks", `${part.id}.json`), "utf8");
  const abort = new AbortController();
  const atEnd = { dispose: () => abort.abort() }; // the window closes
  context.subscriptions.push(atEnd);
  const options = { location: vscode.ProgressLocation.Notification, title: `Installing ${part.title}`, cancellable: true };
  try {
    await vscode.window.withProgress(options, (progress, token) => {
      token.onCancellationRequested(() => abort.abort());
      const onLine = (line: string): void => {
        log.info(line);
        progress.report({ message: line.length > 80 ? `${line.slice(0, 79)}…` : line });
      };
      return installPart({ part, lock, root, nodePath, env, signal: abort.signal, onLine });
    });
  } finally {
    context.subscriptions.splice(context.subscriptions.indexOf(atEnd), 1);
  }
}

async function remove(services: Services, part: RuntimePart, root: string): Promise<void> {
  await removePart(part, root);
  const left = await access(path.join(root, part.id)).then(
    () => true,
    () => false,
  );
  if (left) throw new BulwarkError("NOT_WRITABLE", `${path.join(root, part.id)} could not be removed.`, "Remove it by hand.");
  restartIfIdle(services);
  void vscode.window.showInformationMessage(`${part.title} is removed.`);
}

/** A busy engine keeps the runtime it started with; the next engine uses the new one. */
function restartIfIdle({ engine }: Services): void {
  if (engine.status.kind === "ready" && engine.status.busy === 0) engine.stop();
}

/** Tries what was installed, in a process of its own, and says what it found. */
async function report(services: Services, part: RuntimePart): Promise<DoctorReport> {
  restartIfIdle(services);
  const location = vscode.ProgressLocation.Notification;
  const report = await vscode.window.withProgress({ location, title: `Trying ${part.title}` }, () =>
    services.engine.request(requests.doctor, {}),
  );
  const { text, works, next } = verdict(part, report);
  services.log.info(text);
  const buttons = [
    { label: "Run Doctor", command: commands.runDoctor },
    ...(next ? [{ label: nextLabels[next], command: commands[next] }] : []),
  ];
  const show = works ? vscode.window.showInformationMessage : vscode.window.showWarningMessage;
  void show(text, ...buttons.map(({ label }) => label)).then((chosen) => {
    const button = buttons.find(({ label }) => label === chosen);
    if (button) void vscode.commands.executeCommand(button.command);
  });
  return report;
}

const nextLabels = { selectBackend: "Select Backend…", selectDevice: "Select Device…" } as const;
