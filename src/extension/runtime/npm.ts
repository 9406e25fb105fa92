import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
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

/**
 * What the lock file says, and nothing else: every package has its SHA-512 in it. Install scripts run, whatever the user's npm is set to: the
 * native part comes with them. Nothing is installed for the whole machine, and no project around the folder is looked for.
 */
const words = [
  "ci",
  "--ignore-scripts=false",
  "--foreground-scripts",
  "--location=project",
  "--no-audit",
  "--no-fund",
  "--no-update-notifier",
  "--loglevel=http",
];
const keptLines = 200;
const graceSeconds = 2;

/** npm as a program for Node, and the Node that runs it: both by their whole path, so that no shell and no folder decides what is run. */
export interface Npm {
  readonly node: string;
  readonly script: string;
}

/** @throws INSTALL_FAILED when there is none. */
export function findNpm(env: Readonly<Record<string, string>>, nodePath: string): Npm {
  const searched = (env["PATH"] ?? env["Path"] ?? "").split(path.delimiter);
  // A relative entry would mean another folder wherever npm is started.
  const folders = [...(nodePath === "" ? [] : [path.dirname(nodePath)]), ...searched].filter((folder) => path.isAbsolute(folder));
  const fileIn = (names: readonly string[]) => (folder: string) =>
    names.map((name) => path.join(folder, name)).filter((one) => existsSync(one));
  const [node = nodePath] = [...(nodePath === "" ? [] : [nodePath]), ...folders.flatMap(fileIn(["node", "node.exe"]))];
  const scripts = folders.flatMap((folder) => scriptIn(folder) ?? []);
  const [script] = scripts;
  if (node === "" || script === undefined)
    throw new BulwarkError(
      "INSTALL_FAILED",
      "npm was not found; it is needed for the installation.",
      "Install Node.js (it includes npm) and restart VS Code, or set bulwark.engine.nodePath to a Node that has npm.",
    );
  return { node, script };
}

/** Beside Node, as Windows has it, or in the libraries of the same installation; what distributions put elsewhere is linked to. */
function scriptIn(folder: string): string | undefined {
  const cli = path.join("node_modules", "npm", "bin", "npm-cli.js");
  const usual = [path.join(folder, cli), path.join(folder, "..", "lib", cli)].find((file) => existsSync(file));
  if (usual !== undefined || !existsSync(path.join(folder, "npm"))) return usual;
  const linked = realpathSync(path.join(folder, "npm"));
  return path.basename(linked) === "npm-cli.js" ? linked : undefined;
}

/** `npm ci` of what the folder's package.json and lock file say. @throws INSTALL_FAILED, CHECKSUM, NETWORK, DISK_FULL, NOT_WRITABLE, CANCELLED */
export async function npmInstall(o: NpmOptions): Promise<void> {
  const { node, script } = findNpm(o.env, o.nodePath);
  const PATH = [path.dirname(node), o.env["PATH"]].filter(Boolean).join(path.delimiter); // install scripts ask for `node`
  // A process group of its own, so that install scripts end with it.
  const child = spawn(node, [script, ...words, `--prefix=${o.cwd}`], {
    cwd: o.cwd,
    env: { ...o.env, PATH },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
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
  const error = (
    kind: "NETWORK" | "CHECKSUM" | "DISK_FULL" | "NOT_WRITABLE" | "INSTALL_FAILED",
    message: string,
    fix: string,
  ): BulwarkError => new BulwarkError(kind, message, fix, { detail: said });
  const host =
    /(?:ENOTFOUND|EAI_AGAIN) ([\w.-]+)/.exec(said)?.[1] ?? /(?:hostname: '|https?:\/\/)([\w.:-]+)/.exec(said)?.[1] ?? "the server";
  if (/\bEINTEGRITY\b/.test(said))
    return error(
      "CHECKSUM",
      `${host} sent a package that differs from the one Bulwark was built with; nothing was installed.`,
      "Check npm's registry (npm config get registry).",
    );
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
