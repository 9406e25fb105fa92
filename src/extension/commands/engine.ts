import * as vscode from "vscode";
import { commands, settings } from "../../shared/contributions.ts";
import { type DeviceName, deviceNote } from "../../shared/devices.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { pick } from "../choose.ts";
import { examine } from "../doctor.ts";
import type { Services } from "../services.ts";
import { setting } from "../workspace.ts";

/** Names of the backends with what the doctor found; the choice is written to the settings and the engine restarts. */
export async function selectBackend(services: Services, name?: unknown): Promise<void> {
  const chosen = typeof name === "string" ? name : await askBackend(services);
  const target = vscode.workspace.workspaceFolders ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await vscode.workspace.getConfiguration().update(settings.backend, chosen, target);
}

async function askBackend(services: Services): Promise<string> {
  const current = setting(settings.backend, "auto");
  const { backends } = await examine(services);
  const items = [
    { label: "auto", description: "the fastest that works" },
    ...backends.map((found) => ({
      label: found.name,
      description: found.available ? (found.device ?? "") : `not available: ${found.reason ?? ""}`,
    })),
  ];
  return (
    await pick(
      items.map((item) => ({ ...item, picked: item.label === current })),
      "Select a backend",
    )
  ).label;
}

/** Devices with what the doctor found, the unavailable ones with the reason; the choice is written to the settings. */
export async function selectDevice(services: Services, name?: unknown): Promise<void> {
  const chosen = typeof name === "string" ? name : await askDevice(services);
  const target = vscode.workspace.workspaceFolders ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await vscode.workspace.getConfiguration().update(settings.device, chosen, target);
}

async function askDevice(services: Services): Promise<DeviceName> {
  const current = setting(settings.device, "auto");
  const report = await examine(services);
  const mark = (name: string): string => (name === current ? "$(check) " : "");
  const taken = report.devices.find(({ name }) => name === report.selectedDevice)?.title ?? report.selectedDevice;
  const items: (vscode.QuickPickItem & { readonly name: DeviceName; readonly why?: string | undefined })[] = [
    { name: "auto", label: `${mark("auto")}auto`, description: taken },
    ...report.devices.map((found) => ({
      name: found.name,
      label: `${mark(found.name)}${found.available ? "" : "$(circle-slash) "}${found.title}`,
      description: found.available ? deviceNote(found) : `not available: ${deviceNote(found)}`,
      why: found.available ? undefined : found.reason,
    })),
  ];
  const { name, label, why } = await pick(items, "Select a device for ONNX Runtime");
  if (why === undefined) return name;
  const title = label.replace(/\$\([^)]*\)\s*/g, "");
  throw new BulwarkError("BACKEND_UNAVAILABLE", `The device ${title} cannot be used: ${why}.`, "Choose another device, or run the doctor.");
}

export async function restartEngine(services: Services): Promise<unknown> {
  services.engine.stop();
  const { handshake } = await services.engine.get();
  return handshake;
}

export async function showLog(services: Services): Promise<void> {
  services.log.show(true);
}

export async function refreshViews(services: Services): Promise<void> {
  services.runs.refresh();
}

/** Behind the status bar item. */
export async function showStatus(services: Services): Promise<void> {
  const { active, waiting } = services.queue;
  const jobs = [...(active ? [active] : []), ...waiting];
  const item = (label: string, command: string, ...args: unknown[]) => ({ label, command, args });
  const items = [
    ...jobs.map((job) => item(`$(stop-circle) Cancel ${job.title}`, commands.cancelRun, job.id)),
    ...(active ? [item(`$(graph-line) Show ${active.title}`, commands.openTraining, active.id)] : []),
    item("$(shield) Attack Image…", commands.attackImage),
    item("$(play) Run Experiment…", commands.runExperiment),
    item("$(server-environment) Switch Device…", commands.selectDevice),
    item("$(chip) Select Backend…", commands.selectBackend),
    item("$(cloud-download) Install GPU Runtime…", commands.installGpuRuntime),
    item("$(pulse) Run Doctor", commands.runDoctor),
    item("$(debug-restart) Restart Engine", commands.restartEngine),
    item("$(output) Show Log", commands.showLog),
  ];
  const chosen = await pick(items, "Bulwark");
  await vscode.commands.executeCommand(chosen.command, ...chosen.args);
}
