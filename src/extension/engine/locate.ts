import { existsSync } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { noTelemetry } from "../../shared/telemetry.ts";

/** Everything that `fork` needs to start the engine. */
export interface EngineLocation {
  readonly file: string;
  readonly execPath: string;
  readonly env: Readonly<Record<string, string>>;
}
export interface LocateOptions {
  readonly extensionPath: string;
  /** `bulwark.engine.nodePath`; empty for the runtime that VS Code itself runs on. */
  readonly nodePath: string;
  /** 0 = as many as there are cores. */
  readonly threads: number;
  /** Gigabytes that it may hold; 0 for what the machine has. */
  readonly memory: number;
  /** Folder that “Install GPU Runtime” fills; empty for none. The user's own BULWARK_GPU_RUNTIME comes first. */
  readonly gpuRuntime: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ownRuntime: string;
}

/** Variables by which VS Code or a debugger would change how a child Node behaves. */
const foreign = /^(VSCODE_|ELECTRON_|NODE_OPTIONS$|NODE_CHANNEL)/;

/** @throws ENGINE_START when the bundle or the chosen Node is not there. */
export function locateEngine(o: LocateOptions): EngineLocation {
  const file = path.join(o.extensionPath, "dist", "engine.cjs");
  if (!existsSync(file))
    throw new BulwarkError("ENGINE_START", "The engine is missing from the installed extension.", "Install Bulwark again.", {
      detail: file,
    });
  if (o.nodePath !== "" && !existsSync(o.nodePath))
    throw new BulwarkError(
      "ENGINE_START",
      `There is no Node at ${o.nodePath}.`,
      "Correct the setting bulwark.engine.nodePath, or clear it to use VS Code's own Node.",
    );
  const env: Record<string, string> = {};
  for (const [key, value] of Object.entries(o.env)) if (value !== undefined && !foreign.test(key)) env[key] = value;
  Object.assign(env, noTelemetry);
  // Electron only behaves as Node when told so; a plain Node ignores the variable.
  if (o.nodePath === "") env["ELECTRON_RUN_AS_NODE"] = "1";
  if (o.threads > 0) env["BULWARK_THREADS"] = String(o.threads);
  if (o.memory > 0) env["BULWARK_MEMORY"] = String(o.memory);
  if (o.gpuRuntime !== "") env["BULWARK_GPU_RUNTIME"] ??= o.gpuRuntime;
  return { file, execPath: o.nodePath === "" ? o.ownRuntime : o.nodePath, env };
}
