import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { packageExtension } from "../../scripts/package.mjs";
import { installExtension } from "../harness/workbench.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** Folder of installed extensions: the packed VSIX and nothing else. */
    extensions: string;
  }
}

/** Packs the extension once and installs it the way a user does. */
export default async function setup(project: TestProject): Promise<() => void> {
  if (!existsSync("dist/extension.cjs")) execFileSync(process.execPath, ["esbuild.mjs"], { stdio: "inherit" });
  mkdirSync("artifacts/screenshots", { recursive: true });
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-extensions-"));
  installExtension(await packageExtension(), folder);
  project.provide("extensions", folder);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove); // also where an interrupted run never gets to the teardown
  return remove;
}
