import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, statfs, writeFile } from "node:fs/promises";
import path from "node:path";
import { BulwarkError, cancelled } from "../../shared/errors.ts";
import { bytes } from "../../shared/format.ts";
import type { RuntimePart } from "../../shared/gpuRuntime.ts";
import { namesIn } from "../files.ts";
import { type NpmOptions, npmInstall } from "./npm.ts";

export interface InstallOptions extends Omit<NpmOptions, "cwd"> {
  readonly part: RuntimePart;
  /** `package-lock.json`: of every package the version and the SHA-512. */
  readonly lock: string;
  /** Holds one folder for each part. */
  readonly root: string;
}

const gone = { recursive: true, force: true, maxRetries: 5, retryDelay: 200 } as const;

/** Version of a part that is there and whole. */
export function installedVersion(part: RuntimePart, root: string): string | undefined {
  const home = path.join(root, part.id, "node_modules", part.package);
  if (!hasProof(home, part.proof)) return undefined;
  try {
    const { version } = JSON.parse(readFileSync(path.join(home, "package.json"), "utf8")) as { version?: unknown };
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

function hasProof(folder: string, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return existsSync(folder);
  if (first !== "*") return hasProof(path.join(folder, first), rest);
  return existsSync(folder) && readdirSync(folder).some((name) => hasProof(path.join(folder, name), rest));
}

/**
 * Fetches a part into a new folder and puts that in place of an old one when it is whole: given up or broken off, it leaves everything as it was.
 * @throws INSTALL_FAILED, CHECKSUM, NETWORK, DISK_FULL, NOT_WRITABLE, CANCELLED
 */
export async function installPart(o: InstallOptions): Promise<void> {
  const { part, root } = o;
  await mkdir(root, { recursive: true });
  await removeLeftovers(root);
  await requireSpace(part, root);
  const work = await mkdtemp(path.join(root, `${part.id}.new-${process.pid}-`));
  try {
    // npm 12 runs the install scripts of those packages alone that are named as allowed.
    const allowScripts = { [`${part.package}@${part.version}`]: true };
    const manifest = { private: true, dependencies: { [part.package]: part.version }, allowScripts };
    await writeFile(path.join(work, "package.json"), JSON.stringify(manifest));
    await writeFile(path.join(work, "package-lock.json"), o.lock);
    await npmInstall({ ...o, cwd: work, env: { ...o.env, ...part.environment } });
    if (!hasProof(path.join(work, "node_modules", part.package), part.proof))
      throw new BulwarkError(
        "INSTALL_FAILED",
        `${part.package} came without its native part; nothing was installed.`,
        `Its install script fetches it from ${part.host}: the log has its output. Then try again.`,
      );
    if (o.signal.aborted) throw cancelled();
    await replace(work, path.join(root, part.id));
  } finally {
    await rm(work, gone);
  }
}

export const removePart = (part: RuntimePart, root: string): Promise<void> => rm(path.join(root, part.id), gone);

async function replace(work: string, target: string): Promise<void> {
  const old = `${work}.old`;
  if (existsSync(target)) await rename(target, old);
  try {
    await rename(work, target);
  } catch (thrown) {
    if (existsSync(old)) await rename(old, target);
    throw thrown;
  }
  await rm(old, gone);
}

/** What an installation left that ended with its window. Another window's is still at work. */
async function removeLeftovers(root: string): Promise<void> {
  for (const name of await namesIn(root)) {
    const pid = /\.new-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && Number(pid) !== process.pid && !isAlive(Number(pid))) await rm(path.join(root, name), gone);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}

async function requireSpace({ title, disk }: RuntimePart, root: string): Promise<void> {
  const { bavail, bsize } = await statfs(root);
  const free = bavail * bsize;
  if (free < disk)
    throw new BulwarkError(
      "DISK_FULL",
      `${title} takes about ${bytes(disk)} while it is being installed, and ${bytes(free)} are free in ${root}.`,
      "Free some space, then try again.",
    );
}
