import { promises as fs } from "node:fs";
import path from "node:path";
import { type PieceDone, pieceDone, planFiles } from "../../shared/plan.ts";
import { isNameInside } from "../../shared/runs.ts";
import { readAs } from "../../shared/shapes.ts";
import { flushFolder, readText, sha256, systemCode, writeAtomic, writeError } from "./files.ts";
import { makeFolders } from "./makeFolders.ts";
import { isResult } from "./occupied.ts";

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
  /** Files elsewhere in the run folder that the work has written, by their path in there. Asked when it is done. */
  readonly leaves?: () => readonly string[];
}

/** `conflict`: somebody else was first, with other content; ours lies beside it in `.conflict-<id>-<worker>`. */
export type Published = "published" | "elsewhere" | "conflict";

/** Measured times differ from one doing to the next: files of these names are not compared. */
export const clockFile = "clock.json";
const timed = new Set([clockFile, "training.json"]);
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
    const outputs = await hashesIn(directory, (await fs.readdir(directory)).sort());
    const left = await hashesIn(o.run, piece.leaves?.() ?? []);
    const leaves = Object.keys(left).length > 0 ? { leaves: left } : {};
    const { planHash, worker, host, device, version } = o;
    const seconds = (o.clock() - started) / 1000;
    const done: PieceDone = {
      key: piece.key,
      planHash,
      worker,
      host,
      device,
      version,
      attempt,
      outputs,
      ...leaves,
      seconds,
      ...shareOf(piece),
    };
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

const compared = ({ outputs }: Pick<PieceDone, "outputs">): (readonly [string, string])[] =>
  Object.entries(outputs)
    .filter(([name]) => !timed.has(path.posix.basename(name)))
    .sort(([a], [b]) => (a < b ? -1 : 1));

async function hashesIn(directory: string, names: readonly string[]): Promise<Record<string, string>> {
  const outputs: Record<string, string> = {};
  for (const name of names) outputs[name] = await sha256(path.join(directory, name));
  return outputs;
}

/** What a published folder says of itself; null where there is none that is whole. */
export async function readDone(folder: string): Promise<PieceDone | null> {
  const read = readAs(pieceDone, await readText(path.join(folder, planFiles.done)).catch(() => ""));
  return "value" in read ? read.value : null;
}

export interface FinishedPieces {
  /** Keys by the names of their folders. */
  readonly keys: ReadonlyMap<string, string>;
  readonly damaged: readonly DamagedPiece[];
}
/** A piece that has to be done again, since a file of it is not what was published any more. */
export interface DamagedPiece {
  readonly done: PieceDone;
  /** Its path in the run folder. */
  readonly file: string;
}

/**
 * The finished pieces of a plan, in a folder without links. Pieces of another plan are removed, so are those whose files are not what was published, with all that
 * they have left, and what processes left that died; call it before anybody works.
 */
export async function finishedPieces(run: string, planHash: string): Promise<FinishedPieces> {
  const folder = path.join(run, planFiles.pieces);
  const keys = new Map<string, string>();
  const damaged: DamagedPiece[] = [];
  for (const id of await fs.readdir(folder).catch(() => [] as string[])) {
    const done = leftBehind.test(id) ? null : await readDone(path.join(folder, id));
    const file = done?.planHash === planHash ? await otherFile(run, id, done) : undefined;
    if (done && file === null) keys.set(id, done.key);
    else await fs.rm(path.join(folder, id), { recursive: true, force: true });
    if (!done || typeof file !== "string") continue;
    damaged.push({ done, file });
    for (const name of Object.keys(done.leaves ?? {})) if (isResult(name)) await fs.rm(path.join(run, name), { force: true });
  }
  return { keys, damaged };
}

/** The first file that is not what was published: a disk, a copy or a person may have changed it since. Null where all are. */
async function otherFile(run: string, id: string, { outputs, leaves = {} }: PieceDone): Promise<string | null> {
  const own = Object.entries(outputs).map(([name, hash]) => [`${planFiles.pieces}/${id}/${name}`, hash] as const);
  for (const [name, hash] of [...own, ...Object.entries(leaves)])
    if (!isNameInside(name) || (await sha256(path.join(run, name), { inside: run }).catch(() => null)) !== hash) return name;
  return null;
}

/** Whether two doings of a piece came to the same, times apart. */
export function isSameResult(a: PieceDone, b: PieceDone): boolean {
  const [left, other] = [a, b].map(({ leaves = {}, ...done }) => [...compared(done), ...compared({ outputs: leaves })]);
  return JSON.stringify(left) === JSON.stringify(other);
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
