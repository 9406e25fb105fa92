import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { asBulwarkError, BulwarkError, toErrorData } from "../../shared/errors.ts";
import { parseEvents, type RunEvent, type RunEventBody } from "../../shared/events.ts";
import { statusOf } from "../../shared/lifecycle.ts";
import { type RunKind, type RunState, runFiles, runsFolder, slug } from "../../shared/runs.ts";
import { writeAtomic } from "./files.ts";

/**
 * One run folder. Everything is written to a temporary name and renamed, except `events.jsonl`, which is only ever appended to;
 * so the folder is readable at any moment and what was finished survives a crash.
 */
export interface RunStore {
  readonly directory: string;
  readonly id: string;
  readonly state: RunState;
  /** Absolute path of a file of this run. */
  file(name: string): string;
  /** Appends one event, with its time, and returns it. */
  append(event: RunEventBody): RunEvent;
  update(
    change: Partial<Pick<RunState, "kind" | "status" | "progress" | "headline" | "completed" | "error" | "title" | "pid">>,
  ): Promise<void>;
  /** Records a finished piece, such as "train:undefended". */
  complete(key: string): Promise<void>;
  writeJson(name: string, value: unknown): Promise<void>;
}

export interface NewRun {
  /** The folder that has (or gets) `.bulwark/`. */
  readonly workspace: string;
  /** The run folder itself; made from time and title when left out. */
  readonly directory?: string | undefined;
  readonly kind: RunKind;
  readonly title: string;
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
  try {
    mkdirSync(path.dirname(base), { recursive: true });
  } catch (thrown) {
    throw asBulwarkError(thrown) ?? thrown;
  }
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
 * A new run folder with its `state.json`; status "running" by this process.
 * @throws NOT_WRITABLE, DISK_FULL
 */
export async function createRun(run: NewRun): Promise<RunStore> {
  try {
    const directory = run.directory ? path.resolve(run.directory) : newRunDirectory(run.workspace, run.title);
    await mkdir(directory, { recursive: true });
    const id = path.basename(directory);
    const createdAt = now();
    const state: RunState = {
      version: 1,
      run: id,
      kind: run.kind,
      title: run.title,
      status: "running",
      createdAt,
      updatedAt: createdAt,
      pid: process.pid,
      progress: 0,
      headline: null,
      completed: [],
      error: null,
    };
    await rm(path.join(directory, runFiles.events), { force: true });
    await writeState(directory, state);
    return storeOf(directory, state);
  } catch (thrown) {
    throw asBulwarkError(thrown) ?? thrown;
  }
}

/** Goes on writing to a run that is there; the status becomes "running" again. RUN_NOT_FOUND, RUN_INVALID. */
export async function openRun(directory: string): Promise<RunStore> {
  const absolute = path.resolve(directory);
  const state: RunState = { ...(await readRunState(absolute)), status: "running", pid: process.pid, error: null, updatedAt: now() };
  const events = path.join(absolute, runFiles.events);
  // A line torn by a crash would swallow the next one.
  if (existsSync(events) && !readFileSync(events, "utf8").endsWith("\n")) appendFileSync(events, "\n");
  await writeState(absolute, state);
  return storeOf(absolute, state);
}

/** What a run folder says of itself; "running" by a process that is gone reads as "interrupted". RUN_NOT_FOUND, RUN_INVALID. */
export async function readRunState(directory: string): Promise<RunState> {
  const file = path.join(directory, runFiles.state);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch {
    throw new BulwarkError("RUN_NOT_FOUND", `${directory} is not a run folder.`, "Give a folder under .bulwark/runs.");
  }
  let state: RunState;
  try {
    state = JSON.parse(text) as RunState;
  } catch {
    throw new BulwarkError("RUN_INVALID", `${file} is damaged.`, "Start the run again into another folder.");
  }
  if (state.version !== 1 || !Array.isArray(state.completed))
    throw new BulwarkError("RUN_INVALID", `${file} was written by another version.`, "Start the run again into another folder.");
  return { ...state, status: statusOf(state) };
}

export async function readRunEvents(directory: string): Promise<RunEvent[]> {
  try {
    return parseEvents(await readFile(path.join(directory, runFiles.events), "utf8"));
  } catch {
    return [];
  }
}

const writeState = (directory: string, state: RunState): Promise<void> =>
  writeAtomic(path.join(directory, runFiles.state), `${JSON.stringify(state, null, 1)}\n`);

function storeOf(directory: string, first: RunState): RunStore {
  const start = performance.now();
  let state = first;
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
    id: first.run,
    get state() {
      return state;
    },
    file: (name) => path.join(directory, name),
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
    complete: (key) => (state.completed.includes(key) ? Promise.resolve() : update({ completed: [...state.completed, key] })),
    async writeJson(name, value) {
      const file = path.join(directory, name);
      await guard(mkdir(path.dirname(file), { recursive: true }));
      await guard(writeAtomic(file, `${JSON.stringify(value, null, 1)}\n`));
    },
  };
}

/**
 * Runs `body`, and writes how it ended: "done", "cancelled" or "failed" with the error. Rethrows. When even that cannot be written
 * (a full disk), the dead process makes the run read as "interrupted".
 */
export async function settle<T>(store: RunStore, body: () => Promise<T>, tell: (event: RunEventBody) => void): Promise<T> {
  try {
    const value = await body();
    await store.update({ status: "done", progress: 1, pid: null });
    return value;
  } catch (thrown) {
    const error = toErrorData(thrown);
    const isCancel = error.code === "CANCELLED";
    try {
      tell(isCancel ? { kind: "cancelled" } : { kind: "failed", error });
    } catch {
      // The original error is the one to report.
    }
    const short = { code: error.code, message: error.message, fix: error.fix ?? null };
    await store.update({ status: isCancel ? "cancelled" : "failed", pid: null, error: isCancel ? null : short }).catch(() => undefined);
    throw asBulwarkError(thrown) ?? thrown;
  }
}
