import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { duration, progressPercent } from "../../shared/format.ts";
import type { Services } from "../services.ts";

/** One item: what computes, or what is being computed. */
export function createStatusItem(services: Services): vscode.Disposable {
  const item = vscode.window.createStatusBarItem("bulwark.status", vscode.StatusBarAlignment.Left, 0);
  item.name = "Bulwark";
  item.command = commands.showStatus;
  const render = (): void => {
    const { text, tooltip } = describe(services);
    item.text = text;
    item.tooltip = tooltip;
    item.accessibilityInformation = { label: text.replace(/\$\([^)]*\)\s*/g, "") };
  };
  render();
  item.show();
  return vscode.Disposable.from(item, services.onActivity(render), services.runs.onChange(render));
}

export function describe({ engine, queue, runs }: Pick<Services, "engine" | "queue" | "runs">): { text: string; tooltip: string } {
  const active = queue.active;
  if (active) {
    const live = runs.live.get(active.id);
    const more = queue.waiting.length > 0 ? ` · ${queue.waiting.length} waiting` : "";
    if (!live) return { text: `$(sync~spin) ${active.title}${more}`, tooltip: `Bulwark: ${active.title} is starting` };
    const eta = live.etaSeconds === null ? "" : ` · ${duration(live.etaSeconds)}`;
    return { text: `$(sync~spin) ${live.phase} ${progressPercent(live.overall)}${eta}${more}`, tooltip: `Bulwark: ${active.title}` };
  }
  const { status } = engine;
  switch (status.kind) {
    case "stopped":
      return { text: "$(shield) Bulwark", tooltip: "Bulwark: the engine starts with the first request" };
    case "starting":
      return { text: "$(sync~spin) Bulwark", tooltip: "Bulwark: the engine is starting" };
    case "failed":
      return { text: "$(shield) Bulwark: no engine", tooltip: `${status.error.message} ${status.error.fix ?? ""}` };
    case "ready": {
      const { backend, device: full } = status.handshake;
      const device = shortDevice(full);
      return {
        text: `${status.busy > 0 ? "$(sync~spin)" : "$(shield)"} Bulwark: ${device}`,
        tooltip: `Bulwark backend: ${backend}, ${full}`,
      };
    }
  }
}

/** "ONNX Runtime, CPU, 2 threads" → "CPU ×2"; anything else as it is. */
export const shortDevice = (device: string): string => device.replace(/^ONNX Runtime, /, "").replace(/, (\d+) threads?$/, " ×$1");
