import { spawn } from "node:child_process";
import { promises as fs } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { BulwarkError } from "../../shared/errors.ts";
import type { RunContext } from "../context.ts";
import { exists, temporaryName } from "../io/files.ts";
import { makeFolders } from "../io/makeFolders.ts";

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
}

/**
 * The tarball of a package, fetched by the user's own npm: its configuration names the registry, it checks the integrity and uses its
 * cache. The file is complete or absent.
 * @returns path of the tarball in `folder`. @throws NETWORK with npm's last lines, CANCELLED.
 */
export async function packFromNpm({ name, version }: NpmPackage, folder: string, ctx: RunContext): Promise<string> {
  const tarball = path.join(folder, `${name}-${version}.tgz`);
  if (await exists(tarball)) return tarball;
  const temporary = temporaryName(tarball);
  try {
    makeFolders(temporary);
    ctx.log(`npm pack ${name}@${version}`);
    await npm(["pack", `${name}@${version}`, "--ignore-scripts", "--silent", "--pack-destination", temporary], folder, ctx);
    const [packed] = (await fs.readdir(temporary)).filter((file) => file.endsWith(".tgz"));
    if (!packed) throw new BulwarkError("NETWORK", `npm did not fetch ${name}@${version}.`, "Run the command again.");
    await fs.rename(path.join(temporary, packed), tarball);
    return tarball;
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
}

async function npm(args: readonly string[], cwd: string, ctx: RunContext): Promise<void> {
  // npm is a command script on Windows, which only a shell can start; the arguments are ours and hold no special characters
  const shell = process.platform === "win32";
  const child = spawn("npm", shell ? args.map((word) => `"${word}"`) : args, { cwd, shell, stdio: ["ignore", "ignore", "pipe"] });
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-2000);
  });
  let ended: { code: number | null; error?: Error } | undefined;
  const end = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      ended = { code: null, error };
      resolve();
    });
    child.once("close", (code) => {
      ended ??= { code };
      resolve();
    });
  });
  try {
    while (!ended) {
      await Promise.race([end, wait(200)]);
      await ctx.checkpoint({ phase: "download", done: 0, total: 1 });
    }
  } finally {
    if (!ended) child.kill();
    await end;
  }
  if (ended.error) {
    throw new BulwarkError("NETWORK", `npm cannot be started (${ended.error.message}).`, "Install npm, or download the data by hand.");
  }
  if (ended.code !== 0) {
    throw new BulwarkError(
      "NETWORK",
      `npm could not download ${args[1]}.`,
      "Check the network and npm's registry and proxy settings, then run the command again.",
      { detail: output.trim() },
    );
  }
}
