import { mkdirSync } from "node:fs";
import { rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { asBulwarkError } from "../shared/errors.ts";
import { parseEvents } from "../shared/events.ts";
import { rebuiltState } from "../shared/lifecycle.ts";
import { planFiles } from "../shared/plan.ts";
import { runState } from "../shared/runShapes.ts";
import { type RunState, runFiles, runsFolder, slug } from "../shared/runs.ts";
import { makeFolder, readEnd, readShaped, readText, readWhole } from "./files.ts";
import { liveStatus } from "./runDriver.ts";

/**
 * A run folder that nobody has: `20260314-150926-quickstart` under the workspace's `.bulwark/runs`. It is made here, since two requests of
 * one second would take the same name otherwise. @throws NOT_WRITABLE, DISK_FULL
 */
export function newRunDirectory(root: string, title: string, at: Date = new Date()): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  const time = `${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
  const base = path.join(root, runsFolder, `${day}-${time}-${slug(title).toLowerCase()}`);
  try {
    makeFolder(path.dirname(base));
    for (let attempt = 1; ; attempt++) {
      const directory = attempt === 1 ? base : `${base}-${attempt}`;
      if (isMade(directory)) return directory;
    }
  } catch (thrown) {
    throw asBulwarkError(thrown) ?? thrown;
  }
}

function isMade(directory: string): boolean {
  try {
    mkdirSync(directory);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") return false;
    throw thrown;
  }
}

/** Takes the folder away again when nothing was written into it; says whether. */
export const dropEmpty = (directory: string): Promise<boolean> =>
  rmdir(directory).then(
    () => true,
    () => false,
  );

/** What a run folder says of itself, or undefined when it is none. A lost state is made again from what
 * lies beside it; where that does not tell, a damaged one is a failed run that says so. */
export async function readRunState(directory: string): Promise<RunState | undefined> {
  const file = path.join(directory, runFiles.state);
  const read = await readShaped(file, runState);
  const run = path.basename(directory);
  const state = read && "value" in read ? read.value : await rebuilt(directory);
  if (!state) return read && "wrong" in read ? damagedState(run, read.wrong, await changedAt(file)) : undefined;
  const status = await liveStatus(directory, state);
  // A run writes how it ended before it lets go of its lock: it may have done both since its state was read.
  const later = status === "interrupted" ? await readWhole(file, runState) : undefined;
  return later && later.status !== "running" ? { ...later, run } : { ...state, run, status };
}

/** Bytes at the end of the events: how the run ended, or how far it was. */
const lastEvents = 65_536;

/** A lost or damaged state, from the plan and the events beside it, as the engine makes it again when the run is resumed. */
async function rebuilt(directory: string): Promise<RunState | null> {
  const plan = await readText(path.join(directory, planFiles.plan), { links: false });
  if (plan === undefined) return null;
  const events = await readEnd(path.join(directory, runFiles.events), lastEvents, { links: false });
  return rebuiltState(path.basename(directory), plan, parseEvents(events ?? ""));
}

const changedAt = (file: string): Promise<string> =>
  stat(file).then(
    ({ mtime }) => mtime.toISOString(),
    () => "",
  );

function damagedState(run: string, wrong: string, at: string): RunState {
  const error = {
    code: "RUN_INVALID",
    message: `${runFiles.state} of the run ${run} is damaged: ${wrong}.`,
    fix: "Start the run again, or delete it.",
  };
  const times = { createdAt: at, updatedAt: at };
  return { version: 1, run, kind: "experiment", title: run, status: "failed", ...times, progress: 0, headline: null, error };
}
