import * as vscode from "vscode";
import { pick } from "../choose.ts";
import { runCli } from "../cli.ts";
import type { Services } from "../services.ts";
import { rootFolder } from "../workspace.ts";

/** Data sets that can be fetched. */
export const fetchable = [
  { kind: "mnist", label: "MNIST", detail: "handwritten digits, 28 × 28, 12 MB" },
  { kind: "cifar10", label: "CIFAR-10", detail: "small photographs, 32 × 32, 170 MB" },
] as const;

/** The command line does it: the download is checked, can be taken up again, and is the same everywhere. */
export async function fetchDataset(services: Services, name?: unknown): Promise<unknown> {
  const root = rootFolder();
  const kind = typeof name === "string" ? name : await ask();
  const label = fetchable.find((one) => one.kind === kind)?.label ?? kind;
  const options = { location: vscode.ProgressLocation.Notification, title: `Fetching ${label}`, cancellable: true };
  const output = await vscode.window.withProgress(options, (progress, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort());
    const onLine = (message: string): void => progress.report({ message });
    return runCli(services, { words: ["fetch", kind, "--json"], cwd: root, signal: abort.signal, onLine });
  });
  services.runs.refresh();
  void vscode.window.setStatusBarMessage(`$(pass) ${label} is ready.`, 10_000);
  return JSON.parse(output) as unknown;
}

async function ask(): Promise<string> {
  const items = fetchable.map(({ kind, label, detail }) => ({ label, description: detail, name: kind }));
  return (await pick(items, "Which data set?")).name;
}
