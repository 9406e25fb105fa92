import { fork } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { settings } from "../shared/contributions.ts";
import { BulwarkError, cancelled, errorCode } from "../shared/errors.ts";
import { locateEngine } from "./engine/locate.ts";
import type { Services } from "./services.ts";
import { gpuRuntimeFolder } from "./services.ts";
import { setting } from "./workspace.ts";

export interface CliCall {
  readonly words: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** A line of its progress. */
  readonly onLine: (line: string) => void;
}

/** The command line that comes with the extension, in a process of its own. @returns what it prints. @throws what it says, CANCELLED */
export function runCli(services: Services, { words, cwd, signal, onLine }: CliCall): Promise<string> {
  const { execPath, env } = locateEngine({
    extensionPath: services.context.extensionPath,
    nodePath: setting(settings.nodePath, ""),
    threads: setting(settings.threads, 0),
    memory: setting(settings.memory, 0),
    gpuRuntime: gpuRuntimeFolder(services.context),
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
