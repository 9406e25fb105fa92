import { mkdirSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import path from "node:path";
import { asBulwarkError } from "../shared/errors.ts";
import { type RunState, runFiles, runsFolder, slug } from "../shared/runs.ts";
import { isRecord, makeFolder, readJson } from "./files.ts";
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

/** What a run folder says of itself, or undefined when it is none. */
export async function readRunState(directory: string): Promise<RunState | undefined> {
  const file = path.join(directory, runFiles.state);
  const read = await readJson(file);
  if (!isRecord(read) || read["version"] !== 1 || typeof read["status"] !== "string") return undefined;
  const state = read as unknown as RunState; // written by our engine; version 1 has this shape
  const run = path.basename(directory);
  const status = await liveStatus(directory, state);
  // A run writes how it ended before it lets go of its lock: it may have done both since its state was read.
  const later = status === "interrupted" ? await readJson(file) : null;
  if (isRecord(later) && later["status"] !== "running") return { ...(later as unknown as RunState), run }; // written by our engine
  return { ...state, run, status };
}
