import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { BulwarkError, cancelled } from "../../shared/errors.ts";

export interface NpmOptions {
  readonly cwd: string;
  /** The user's environment, less what is VS Code's own. */
  readonly env: Readonly<Record<string, string>>;
  /** `bulwark.engine.nodePath`: the npm beside it is taken first. */
  readonly nodePath: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Install scripts run, whatever the user's npm is set to: the native part comes with them. Nothing is installed for the whole machine. */
const words = [
  "install",
  "--ignore-scripts=false",
  "--foreground-scripts",
  "--location=project",
  "--no-package-lock",
  "--no-audit",
  "--no-fund",
  "--no-update-notifier",
  "--loglevel=http",
];
const keptLines = 200;
const graceSeconds = 2;

/** @throws INSTALL_FAILED when there is none. */
export function findNpm(env: Readonly<Record<string, string>>, nodePath: string): string {
  const folders = [...(nodePath === "" ? [] : [path.dirname(nodePath)]), ...(env["PATH"] ?? "").split(path.delimiter)];
  const found = folders.filter((folder) => folder !== "").map((folder) => path.join(folder, "npm"));
  const npm = found.find((file) => existsSync(file));
  if (npm === undefined)
    throw new BulwarkError(
      "INSTALL_FAILED",
      "npm was not found; it is needed for the installation.",
      "Install Node.js (it includes npm) and restart VS Code, or set bulwark.engine.nodePath to a Node that has npm.",
    );
  return npm;
}

/** `npm install` of what the folder's package.json says. @throws INSTALL_FAILED, NETWORK, DISK_FULL, NOT_WRITABLE, CANCELLED */
export async function npmInstall(o: NpmOptions): Promise<void> {
  const npm = findNpm(o.env, o.nodePath);
  const PATH = [path.dirname(npm), o.env["PATH"]].filter(Boolean).join(path.delimiter); // npm is itself a script for `node`
  // A process group of its own, so that install scripts end with it.
  const child = spawn(npm, words, { cwd: o.cwd, env: { ...o.env, PATH }, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      last.push(line);
      if (last.length > keptLines) last.shift();
      o.onLine(line);
    });
  const stop = (): void => endGroup(child);
  o.signal.addEventListener("abort", stop, { once: true });
  if (o.signal.aborted) stop();
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (error) =>
      reject(new BulwarkError("INSTALL_FAILED", `npm cannot be run: ${error.message}.`, "Reinstall Node.js.")),
    );
    child.once("close", resolve);
  }).finally(() => o.signal.removeEventListener("abort", stop));
  if (o.signal.aborted) throw cancelled();
  if (code !== 0) throw explainNpm(last.join("\n"), code);
}

function endGroup(child: ChildProcess): void {
  const send = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  };
  send("SIGTERM");
  const timer = setTimeout(() => send("SIGKILL"), graceSeconds * 1000);
  child.once("close", () => clearTimeout(timer));
}

/** npm's and the install scripts' last words as one sentence and a remedy. */
export function explainNpm(said: string, code: number | null): BulwarkError {
  const error = (kind: "NETWORK" | "DISK_FULL" | "NOT_WRITABLE" | "INSTALL_FAILED", message: string, fix: string): BulwarkError =>
    new BulwarkError(kind, message, fix, { detail: said });
  const host =
    /(?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/.exec(said)?.[1] ?? /(?:hostname: '|https?:\/\/)([\w.:-]+)/.exec(said)?.[1] ?? "the server";
  if (/ENOSPC|no space left on device/i.test(said))
    return error("DISK_FULL", "The disk is full; nothing was installed.", "Free some space, then try again.");
  if (/\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT)\b/.test(said))
    return error(
      "NETWORK",
      `${host} cannot be reached; nothing was installed.`,
      "Check the connection, and the proxy in npm's settings (npm config get proxy) and in HTTPS_PROXY; then try again.",
    );
  if (/UNABLE_TO_VERIFY|SELF_SIGNED_CERT|CERT_HAS_EXPIRED|DEPTH_ZERO/.test(said))
    return error(
      "NETWORK",
      `The certificate of ${host} is not trusted; nothing was installed.`,
      "Add your company's certificate with NODE_EXTRA_CA_CERTS.",
    );
  if (/\bE40[134]\b|\bETARGET\b|status(?: code)?\s*=?\s*40[34]/i.test(said))
    return error("NETWORK", `${host} does not have the package; nothing was installed.`, "Check npm's registry (npm config get registry).");
  if (/\b(EACCES|EPERM|EROFS)\b/.test(said))
    return error("NOT_WRITABLE", "npm may not write there; nothing was installed.", "Check the permissions that the log names.");
  return error("INSTALL_FAILED", `npm ended with code ${code ?? "none"}; nothing was installed.`, "The log has npm's output.");
}
