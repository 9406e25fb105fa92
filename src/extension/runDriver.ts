import { readFileSync, readlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { cancelRequest, createBeatWatch, type Driver, machineOf, parseDriver } from "../shared/driver.ts";
import { statusOf } from "../shared/lifecycle.ts";
import { type RunState, type RunStatus, runFiles } from "../shared/runs.ts";
import { readText, writeWhole } from "./files.ts";

const orNull = (look: () => string): string | null => {
  try {
    return look();
  } catch {
    return null;
  }
};

/** Asks whether there is such a process; signal 0 is none. */
const isThere = (pid: number): boolean => orNull(() => String(process.kill(pid, 0))) !== null;

const machine = machineOf({
  host: os.hostname(),
  read: (file) => orNull(() => readFileSync(file, "utf8")),
  link: (file) => orNull(() => readlinkSync(file)),
  isThere,
});
const watch = createBeatWatch();

/** Bytes. A lock has a few hundred. */
const mostOfLock = 65_536;

async function readDriver(directory: string): Promise<Driver | null> {
  return parseDriver((await readText(path.join(directory, runFiles.driver), { links: false, most: mostOfLock })) ?? "");
}

/** The status of a run by its lock: what state.json says of a process is nobody's word. */
export const liveStatus = async (directory: string, state: RunState): Promise<RunStatus> =>
  state.status === "running" ? statusOf(state, await readDriver(directory), { machine, watch }) : state.status;

/**
 * Asks the process that holds the lock of a run to stop at its next step, by a file beside the lock; false when none holds it. No signal is sent:
 * a process id in a workspace may be anybody's.
 */
export async function requestCancel(directory: string): Promise<boolean> {
  const driver = await readDriver(directory);
  if (driver === null) return false;
  await writeWhole(path.join(directory, runFiles.cancel), cancelRequest(driver.token));
  return true;
}
