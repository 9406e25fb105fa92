import { promises as fs } from "node:fs";
import path from "node:path";
import { type PieceDone, planFiles } from "../../shared/plan.ts";
import { readText, sha256, systemCode, writeAtomic, writeError } from "./files.ts";
import { makeFolders } from "./makeFolders.ts";

/** A folder that is being filled. Files are written there by the functions of this room, which flush them to the disk. */
export interface PieceFolder {
  readonly directory: string;
  file(name: string): string;
}

/** Who publishes, and for which plan. */
export interface Publisher {
  readonly run: string;
  readonly planHash: string;
  /** Unique among those who work on the run at the same time: part of folder names. */
  readonly worker: string;
  readonly host: string;
  readonly device: string;
  readonly version: string;
  /** Milliseconds of a monotonic clock. */
  readonly clock: () => number;
}
export interface Publication {
  /** Name of the piece's folder. */
  readonly id: string;
  readonly key: string;
  /** Of the work, what was not there when it began; all of it when left out. Asked when it is done. */
  readonly share?: () => number;
}

/** `conflict`: somebody else was first, with other content; ours lies beside it in `.conflict-<id>-<worker>`. */
export type Published = "published" | "elsewhere" | "conflict";

/** Measured times differ from one doing to the next: a file of this name is not compared. */
export const clockFile = "clock.json";
const leftBehind = /^\.tmp-/;
const taken = new Set(["ENOTEMPTY", "EEXIST", "EPERM"]);

export const pieceFolder = (run: string, id: string): string => path.join(run, planFiles.pieces, id);

/**
 * Does a piece of work whose files appear all at once or not at all: they are written beside, flushed, and the folder is renamed into
 * place, which only the first of several can do. Whoever is second compares.
 * @throws what `work` throws, DISK_FULL, NOT_WRITABLE; nothing is left but the attempt
 */
export async function publish(o: Publisher, piece: Publication, work: (folder: PieceFolder) => Promise<void>): Promise<Published> {
  const attempt = await beginAttempt(o, piece);
  const target = pieceFolder(o.run, piece.id);
  const directory = path.join(o.run, planFiles.pieces, `.tmp-${piece.id}-${o.worker}`);
  const started = o.clock();
  try {
    await fs.rm(directory, { recursive: true, force: true });
    makeFolders(directory);
    await work({ directory, file: (name) => path.join(directory, name) });
    const outputs = await hashesIn(directory);
    const { planHash, worker, host, device, version } = o;
    const seconds = (o.clock() - started) / 1000;
    const done: PieceDone = { key: piece.key, planHash, worker, host, device, version, attempt, outputs, seconds, ...shareOf(piece) };
    await writeAtomic(path.join(directory, planFiles.done), `${JSON.stringify(done, null, 1)}\n`);
    await flushFolder(directory);
    const published = await move(directory, target, done);
    await flushFolder(path.dirname(target));
    return published;
  } catch (thrown) {
    await fs.rm(directory, { recursive: true, force: true }).catch(() => undefined); // the first error is the one to tell
    throw writeError(thrown, target);
  } finally {
    await endAttempt(o, piece, attempt);
  }
}

function shareOf({ share }: Publication): Pick<PieceDone, "share"> {
  const done = share?.() ?? 1;
  return done < 1 ? { share: done } : {};
}

async function move(directory: string, target: string, done: PieceDone): Promise<Published> {
  try {
    await fs.rename(directory, target);
    return "published";
  } catch (thrown) {
    if (!taken.has(systemCode(thrown) ?? "")) throw thrown;
    const first = await readDone(target);
    if (first === null) throw thrown;
    if (first.worker === done.worker) return "published"; // the answer to our own rename was lost
    const isSame = JSON.stringify(compared(first)) === JSON.stringify(compared(done));
    if (isSame) await fs.rm(directory, { recursive: true, force: true });
    else await fs.rename(directory, path.join(path.dirname(target), `.conflict-${path.basename(target)}-${done.worker}`));
    return isSame ? "elsewhere" : "conflict";
  }
}

const compared = ({ outputs }: PieceDone): (readonly [string, string])[] =>
  Object.entries(outputs)
    .filter(([name]) => name !== clockFile)
    .sort(([a], [b]) => (a < b ? -1 : 1));

async function hashesIn(directory: string): Promise<Record<string, string>> {
  const names = (await fs.readdir(directory)).sort();
  const outputs: Record<string, string> = {};
  for (const name of names) outputs[name] = await sha256(path.join(directory, name));
  return outputs;
}

/** What a published folder says of itself; null where there is none that is whole. */
export async function readDone(folder: string): Promise<PieceDone | null> {
  try {
    return JSON.parse(await readText(path.join(folder, planFiles.done))) as PieceDone;
  } catch {
    return null;
  }
}

/**
 * Keys of the finished pieces of a plan, by the names of their folders. Pieces of another plan are removed, so are those whose files are not
 * what was published, and what processes left that died; call it before anybody works.
 */
export async function finishedPieces(run: string, planHash: string): Promise<Map<string, string>> {
  const folder = path.join(run, planFiles.pieces);
  const finished = new Map<string, string>();
  for (const id of await fs.readdir(folder).catch(() => [] as string[])) {
    const done = leftBehind.test(id) ? null : await readDone(path.join(folder, id));
    if (done?.planHash === planHash && (await isWhole(path.join(folder, id), done))) finished.set(id, done.key);
    else await fs.rm(path.join(folder, id), { recursive: true, force: true });
  }
  return finished;
}

/** Every file is there and is what was published: a disk, a copy or a person may have changed it since. */
async function isWhole(folder: string, { outputs }: PieceDone): Promise<boolean> {
  for (const [name, hash] of Object.entries(outputs ?? {}))
    if ((await sha256(path.join(folder, name)).catch(() => null)) !== hash) return false;
  return outputs !== undefined;
}

/** Makes the file that says "begun"; the first number that nobody has taken. It is still there where a process died over the piece. */
async function beginAttempt({ run, worker, host }: Publisher, { id }: Publication): Promise<number> {
  const folder = path.join(run, planFiles.attempts);
  try {
    makeFolders(folder);
  } catch (thrown) {
    throw writeError(thrown, folder);
  }
  for (let attempt = 1; ; attempt++) {
    const file = path.join(folder, `${id}.${attempt}.json`);
    try {
      await fs.writeFile(file, `${JSON.stringify({ worker, host })}\n`, { flag: "wx" });
      return attempt;
    } catch (thrown) {
      if (systemCode(thrown) !== "EEXIST") throw writeError(thrown, file);
    }
  }
}

async function endAttempt({ run }: Publisher, { id }: Publication, attempt: number): Promise<void> {
  await fs.rm(path.join(run, planFiles.attempts, `${id}.${attempt}.json`), { force: true }).catch(() => undefined);
}

/** A rename is only on the disk when its folder is. Some systems flush no folders; there is nothing better to do then. */
async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // not on this system
  }
}
