import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync } from "node:fs";
import { rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Type } from "@sinclair/typebox";
import { createBeatWatch } from "../../shared/driver.ts";
import { asBulwarkError, BulwarkError, type ErrorData, toErrorData } from "../../shared/errors.ts";
import { parseEvents, type RunEvent, type RunEventBody } from "../../shared/events.ts";
import { rebuiltState, statusOf, tellsState } from "../../shared/lifecycle.ts";
import { planFiles } from "../../shared/plan.ts";
import { runState } from "../../shared/runShapes.ts";
import { type RunKind, type RunState, runFiles, runsFolder, slug } from "../../shared/runs.ts";
import { num, readAs, type Shape } from "../../shared/shapes.ts";
import { type DriverLock, type LockOptions, readDriver, takeLock } from "./driverLock.ts";
import { chunksOf, openFile, readText, replaceAtomic, writeAtomic } from "./files.ts";
import { makeFolder } from "./folders.ts";
import { thisMachine } from "./machine.ts";
import { hasResults, isVacant, occupied, refuseLinks, removeHalfWritten, removeResults } from "./occupied.ts";
import { isAsWritten, withSum } from "./seal.ts";

/**
 * One run folder. Everything is written to a temporary name and renamed, except `events.jsonl`, which is only ever appended to;
 * so the folder is readable at any moment and what was finished survives a crash.
 */
export interface RunStore {
  readonly directory: string;
  readonly id: string;
  readonly state: RunState;
  /** Held until the run has settled. */
  readonly lock: DriverLock;
  /** What was found damaged when the folder was opened, and made again: for the user to know. */
  readonly warnings: readonly string[];
  /** Absolute path of a file of this run. */
  file(name: string): string;
  /** The same for a result that is about to be written: a run that goes on looks whether it is still what was written. */
  output(name: string): string;
  /** Names of the outputs since this was called last. */
  takeOutputs(): readonly string[];
  /** Appends one event, with its time, and returns it. */
  append(event: RunEventBody): RunEvent;
  update(change: Partial<Pick<RunState, "kind" | "status" | "progress" | "headline" | "error" | "title">>): Promise<void>;
  writeJson(name: string, value: unknown): Promise<void>;
}

export interface NewRun {
  /** The folder that has (or gets) `.bulwark/`. */
  readonly workspace: string;
  /** The run folder itself; made from time and title when left out. */
  readonly directory?: string | undefined;
  readonly kind: RunKind;
  readonly title: string;
  /** What was asked for, as far as it decides the results: a folder with the same may be written again, one with another may not. */
  readonly request?: unknown;
  /** Replaces the run that lies in `directory`, or writes among the files that lie there. */
  readonly force?: boolean | undefined;
  /** The lock of `directory`, where the caller has taken it already. */
  readonly lock?: DriverLock | undefined;
}

/** ISO 8601; the only clock of the day in the engine. */
export const now = (): string => new Date().toISOString();

/** `20260314-150926-quickstart`, in local time as a person reads it. */
export function runId(title: string, at: Date = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}-${slug(title).toLowerCase()}`;
}

/** A folder that nobody else has: two runs of one second get -2, -3 … Creating it decides, so two processes cannot get the same one. */
export function newRunDirectory(workspace: string, title: string): string {
  const base = path.join(workspace, runsFolder, runId(title));
  makeFolder(path.dirname(base));
  for (let attempt = 1; ; attempt++) {
    const directory = attempt === 1 ? base : `${base}-${attempt}`;
    try {
      mkdirSync(directory);
      return directory;
    } catch (thrown) {
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST")) throw asBulwarkError(thrown) ?? thrown;
    }
  }
}

/**
 * A new run folder with its lock and its `state.json`; status "running" by this process. A folder that holds anything else is refused.
 * @throws RUN_EXISTS, RUN_LOCKED, NOT_WRITABLE, DISK_FULL
 */
export async function createRun(run: NewRun): Promise<RunStore> {
  let lock = run.lock;
  try {
    const directory = run.directory ? path.resolve(run.directory) : newRunDirectory(run.workspace, run.title);
    makeFolder(directory);
    lock ??= await takeLock(directory, run);
    const request = run.request === undefined ? undefined : hashOf({ kind: run.kind, request: run.request });
    await clear(directory, run, request);
    const createdAt = now();
    const state: RunState = {
      version: 1,
      run: path.basename(directory),
      kind: run.kind,
      title: run.title,
      status: "running",
      createdAt,
      updatedAt: createdAt,
      ...(request === undefined ? {} : { request }),
      progress: 0,
      headline: null,
      error: null,
    };
    await rm(path.join(directory, runFiles.events), { force: true });
    await refuseLinks(directory);
    await writeState(directory, state);
    return storeOf(directory, state, lock, []);
  } catch (thrown) {
    await lock?.release();
    throw asBulwarkError(thrown) ?? thrown;
  }
}

const isExperiment = (kind: RunKind): boolean => kind === "experiment" || kind === "train" || kind === "evaluate";
const hashOf = (value: unknown): string => createHash("sha256").update(JSON.stringify(value)).digest("hex");

/**
 * Makes room for a run where it may be: in an empty folder, in the folder of the same request, over a run that ended before it had any
 * result, anywhere by force.
 */
async function clear(directory: string, { kind, force = false }: NewRun, request: string | undefined): Promise<void> {
  if (await isVacant(directory)) return;
  const state = await readRunState(directory).catch(() => null);
  if (state !== null && request !== undefined && state.request === request) return removeHalfWritten(directory);
  if (!force && (state === null || (await hasResults(directory)))) throw occupied(directory, state);
  if (state !== null) await removeResults(directory, { keepModels: isExperiment(state.kind) && isExperiment(kind) });
}

/**
 * Goes on writing to a run that is there; the status becomes "running" again. A lost `state.json` is made again from what lies beside it.
 * @throws RUN_NOT_FOUND, RUN_INVALID, RUN_LOCKED
 */
export async function openRun(directory: string, o: { readonly lock?: DriverLock } & LockOptions = {}): Promise<RunStore> {
  const absolute = path.resolve(directory);
  await readRunState(absolute); // no lock where there is no run
  const lock = o.lock ?? (await takeLock(absolute, o));
  try {
    await refuseLinks(absolute);
    await removeHalfWritten(absolute);
    const warnings = (await writtenState(absolute)) === null ? [`${runFiles.state} was missing or damaged and has been rebuilt.`] : [];
    const state: RunState = { ...(await readRunState(absolute)), status: "running", error: null, updatedAt: now() };
    await readyEvents(path.join(absolute, runFiles.events));
    await writeState(absolute, state);
    return storeOf(absolute, state, lock, warnings);
  } catch (thrown) {
    await lock.release();
    throw thrown;
  }
}

/** Events are the one file that is written in place. */
async function readyEvents(file: string): Promise<void> {
  const facts = await stat(file).catch(() => null);
  if (!facts) return;
  // Another name of the same file, as backups by hard links make them, keeps its content.
  if (facts.nlink > 1) await replaceAtomic(file, (temporary) => writeFile(temporary, chunksOf(file)));
  const handle = await openFile(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, Math.max(0, facts.size - 1));
    if (bytesRead === 1 && buffer.toString() !== "\n") appendFileSync(file, "\n"); // a line torn by a crash would swallow the next one
  } finally {
    await handle.close();
  }
}

/**
 * What a run folder says of itself. "running" without a process that holds its lock reads as "interrupted", with one on another machine as
 * "elsewhere". @throws RUN_NOT_FOUND, RUN_INVALID
 */
export async function readRunState(directory: string): Promise<RunState> {
  const state = await foundState(directory);
  if (state.status !== "running") return state;
  const driver = await readDriver(path.join(directory, runFiles.driver));
  const status = statusOf(state, driver ?? null, { machine: thisMachine(), watch });
  // A run writes how it ended before it lets go of its lock: it may have done both since its state was read.
  const later = status === "interrupted" ? await foundState(directory) : state;
  return later.status === "running" ? { ...state, status } : later;
}

async function foundState(directory: string): Promise<RunState> {
  const written = await writtenState(directory);
  if (written) return written;
  const events = await readRunEvents(directory, tellsState);
  const rebuilt = rebuiltState(path.basename(path.resolve(directory)), await textOf(directory, planFiles.plan), events);
  if (rebuilt) return rebuilt;
  const file = path.join(directory, runFiles.state);
  throw existsSync(file)
    ? new BulwarkError("RUN_INVALID", `${file} is damaged.`, "Start the run again into another folder.")
    : new BulwarkError("RUN_NOT_FOUND", `${directory} is not a run folder.`, "Give a folder under .bulwark/runs.");
}

/** `state.json` as it was written; null where it is missing or damaged. @throws RUN_INVALID for one of another version */
async function writtenState(directory: string): Promise<RunState | null> {
  const text = await textOf(directory, runFiles.state);
  const read = readAs(runState, text);
  if ("value" in read) return isAsWritten(read.value) ? read.value : null;
  const versioned = readAs(ofAnyVersion, text);
  if ("wrong" in versioned || versioned.value.version === 1) return null;
  const file = path.join(directory, runFiles.state);
  throw new BulwarkError("RUN_INVALID", `${file} was written by another version.`, "Start the run again into another folder.");
}
const ofAnyVersion: Shape<{ readonly version: number }> = Type.Object({ version: num });

/** "" where there is none. @throws FILE_UNREADABLE, also for what leads out of the folder */
async function textOf(directory: string, name: string): Promise<string> {
  try {
    return await readText(path.join(directory, name), { inside: directory });
  } catch (thrown) {
    if (thrown instanceof BulwarkError && thrown.code === "FILE_UNREADABLE") throw thrown;
    return "";
  }
}

const watch = createBeatWatch();

/** Longer lines are no events. */
const longestEvent = 1 << 20;

/** The events of a run that `isWanted` accepts, in order, read in chunks since a long run has many; none if they cannot be read. */
export async function readRunEvents(directory: string, isWanted: (event: RunEvent) => boolean): Promise<RunEvent[]> {
  const found: RunEvent[] = [];
  const decoder = new TextDecoder();
  let [rest, isEndless] = ["", false];
  const take = (text: string): void => void found.push(...parseEvents(text).filter(isWanted));
  try {
    for await (const bytes of chunksOf(path.join(directory, runFiles.events), { inside: directory })) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      if (isEndless && lines.length > 1) isEndless = lines.shift() === undefined;
      rest = lines.pop() ?? "";
      isEndless ||= rest.length > longestEvent;
      if (isEndless) rest = "";
      take(lines.join("\n"));
    }
    take(rest);
  } catch {
    // What was read so far is what there is.
  }
  return found;
}

/** With a sum over it, less one that it was read with. */
function writeState(directory: string, state: RunState & { readonly sum?: string }): Promise<void> {
  const { sum: _, ...rest } = state;
  return writeAtomic(path.join(directory, runFiles.state), `${JSON.stringify(withSum(rest), null, 1)}\n`);
}

function storeOf(directory: string, first: RunState, lock: DriverLock, warnings: readonly string[]): RunStore {
  const start = performance.now();
  let state = first;
  let outputs = new Set<string>();
  let writing: Promise<void> = Promise.resolve();
  const guard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (thrown) {
      throw asBulwarkError(thrown) ?? thrown;
    }
  };
  const update: RunStore["update"] = (change) => {
    state = { ...state, ...change, updatedAt: now() };
    const snapshot = state;
    writing = writing.catch(() => undefined).then(() => writeState(directory, snapshot));
    return guard(writing);
  };
  return {
    directory,
    lock,
    id: first.run,
    get state() {
      return state;
    },
    warnings,
    file: (name) => path.join(directory, name),
    output(name) {
      outputs.add(name);
      return path.join(directory, name);
    },
    takeOutputs() {
      const taken = [...outputs];
      outputs = new Set();
      return taken;
    },
    append(body) {
      const event: RunEvent = { t: Math.round(performance.now() - start) / 1000, ...body };
      try {
        appendFileSync(path.join(directory, runFiles.events), `${JSON.stringify(event)}\n`);
      } catch (thrown) {
        throw asBulwarkError(thrown) ?? thrown;
      }
      return event;
    },
    update,
    async writeJson(name, value) {
      await guard(writeAtomic(path.join(directory, name), `${JSON.stringify(value, null, 1)}\n`));
    },
  };
}

/**
 * Runs `body`, writes how it ended ("done", "cancelled", or "failed" with the error) and lets go of the folder. Rethrows. When even that cannot be
 * written (a full disk), the released lock makes the run read as "interrupted". A folder that was taken over is left to who has it now.
 */
export async function settle<T>(store: RunStore, body: () => Promise<T>, tell: (event: RunEventBody) => void): Promise<T> {
  try {
    const value = await body();
    await store.update({ status: "done", progress: 1 });
    return value;
  } catch (thrown) {
    if (store.lock.lost) throw store.lock.lost;
    await writeEnd(store, toErrorData(thrown), tell);
    throw asBulwarkError(thrown) ?? thrown;
  } finally {
    await store.lock.release();
  }
}

async function writeEnd(store: RunStore, error: ErrorData, tell: (event: RunEventBody) => void): Promise<void> {
  const isCancel = error.code === "CANCELLED";
  try {
    tell(isCancel ? { kind: "cancelled" } : { kind: "failed", error });
  } catch {
    // The original error is the one to report.
  }
  const short = { code: error.code, message: error.message, fix: error.fix ?? null };
  await store.update({ status: isCancel ? "cancelled" : "failed", error: isCancel ? null : short }).catch(() => undefined);
}
