import { fork } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import * as vscode from "vscode";
import { settings } from "../../shared/contributions.ts";
import { BulwarkError, cancelled, errorCode } from "../../shared/errors.ts";
import { pick } from "../choose.ts";
import { locateEngine } from "../engine/locate.ts";
import type { Services } from "../services.ts";
import { requireTrust, rootFolder, setting } from "../workspace.ts";

/** The command line does it: the download is checked, can be taken up again, and is the same everywhere. */
export async function fetchDataset(services: Services, name?: unknown): Promise<unknown> {
  requireTrust();
  const root = rootFolder();
  const items = [
    { label: "mnist", description: "handwritten digits, 28 × 28, 12 MB" },
    { label: "cifar10", description: "small photographs, 32 × 32, 170 MB" },
  ];
  const kind = typeof name === "string" ? name : (await pick(items, "Which data set?")).label;
  const options = { location: vscode.ProgressLocation.Notification, title: `Fetching ${kind}`, cancellable: true };
  const output = await vscode.window.withProgress(options, (progress, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort());
    return runCli(services, ["fetch", kind, "--json"], root, abort.signal, (message) => progress.report({ message }));
  });
  services.runs.refresh();
  void vscode.window.showInformationMessage(`${kind} is there.`);
  return JSON.parse(output) as unknown;
}

function runCli(services: Services, words: string[], cwd: string, signal: AbortSignal, onLine: (line: string) => void): Promise<string> {
  const { execPath, env } = locateEngine({
    extensionPath: services.context.extensionPath,
    nodePath: setting(settings.nodePath, ""),
    threads: 0,
    gpuRuntime: "",
    env: process.env,
    ownRuntime: process.execPath,
  });
  const file = path.join(services.context.extensionPath, "dist", "cli.cjs");
  return new Promise((resolve, reject) => {
    const child = fork(file, words, { execPath, execArgv: [], env, cwd, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    signal.addEventListener("abort", () => child.kill("SIGINT"), { once: true });
    let output = "";
    let last = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
    if (child.stderr)
      createInterface({ input: child.stderr }).on("line", (line) => {
        last = line;
        services.log.info(line);
        onLine(line);
      });
    child.once("error", (error) => reject(new BulwarkError("ENGINE_START", error.message, "Check bulwark.engine.nodePath.")));
    child.once("close", (code) => {
      if (code === 0) resolve(output);
      else reject(signal.aborted ? cancelled() : cliError(last));
    });
  });
}

/** `error CODE: message — fix`, the last line that the command line prints. */
function cliError(line: string): BulwarkError {
  const match = /^error ([A-Z_]+): (.*?)(?: — (.*))?$/.exec(line);
  if (!match) return new BulwarkError("BUG", line || "bulwark exited without output.", "Show the log.");
  const [, code = "BUG", message = "", fix] = match;
  return new BulwarkError(errorCode(code), message, fix);
}
