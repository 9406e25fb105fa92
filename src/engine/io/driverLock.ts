import { randomUUID } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { beatSeconds, cancelRequest, createBeatWatch, type Driver, holderOf, parseDriver, patienceSeconds } from "../../shared/driver.ts";
import { BulwarkError, cancelled } from "../../shared/errors.ts";
import { runFiles } from "../../shared/runs.ts";
import { readText, systemCode, writeAtomic, writeError } from "./files.ts";
import { thisMachine } from "./machine.ts";

/** A run folder that this process alone drives, until it lets go of it. */
export interface DriverLock {
  /** Aborted when somebody asks the run to stop, and when the folder was taken over or removed. */
  readonly signal: AbortSignal;
  /** Why the folder is no longer this process's to write in; null as long as it is. */
  readonly lost: BulwarkError | null;
  release(): Promise<void>;
}
export interface LockOptions {
  /** Does not wait for a sign of life of a driver that cannot be asked. One that is alive on this machine keeps its run all the same. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly clock?: (() => number) | undefined;
  /** Hears that it takes a while. */
  readonly note?: ((text: string) => void) | undefined;
}

/** Tokens of the locks that this process holds: a lock of this process that is not among them was left behind. */
const held = new Set<string>();
const tickSeconds = 1;
/** Bytes. */
const longestLock = 1 << 16;

/**
 * Takes the lock of a run folder, and takes it over from a driver that is gone.
 * @throws RUN_LOCKED when somebody works on the run; NOT_WRITABLE, CANCELLED
 */
export async function takeLock(directory: string, o: LockOptions = {}): Promise<DriverLock> {
  const file = path.join(directory, runFiles.driver);
  const mine = newDriver();
  for (;;) {
    if (await create(file, mine)) return hold(directory, mine);
    const other = await readSettled(file);
    if (other === undefined) continue; // let go in the meantime
    if (other && !(await isGone(file, other, o))) throw locked(directory, other);
    if (await takeOver(file, other, mine)) return hold(directory, mine);
  }
}

/** Asks the process that drives a run to stop; false when none holds the lock. It stops at its next step. */
export async function requestCancel(directory: string): Promise<boolean> {
  const driver = await readDriver(path.join(directory, runFiles.driver));
  if (!driver) return false;
  await writeAtomic(path.join(directory, runFiles.cancel), cancelRequest(driver.token));
  return true;
}

/** The lock of a run folder: undefined where there is none, null where it is damaged. */
export async function readDriver(file: string): Promise<Driver | null | undefined> {
  try {
    return parseDriver(await readText(file, { most: longestLock, inside: path.dirname(file) }));
  } catch (thrown) {
    if (thrown instanceof BulwarkError && thrown.code === "FILE_NOT_FOUND") return undefined;
    throw writeError(thrown, file);
  }
}

function newDriver(): Driver {
  const { host, boot, pids, startOf } = thisMachine();
  const started = startOf(process.pid) ?? null;
  return { version: 1, token: randomUUID(), host, boot, pids, pid: process.pid, started, runner: "local", beat: 0 };
}

const text = (driver: Driver): string => `${JSON.stringify(driver)}\n`;

async function create(file: string, mine: Driver): Promise<boolean> {
  try {
    await fs.writeFile(file, text(mine), { flag: "wx" });
    return true;
  } catch (thrown) {
    if (systemCode(thrown) === "EEXIST") return false;
    throw writeError(thrown, file);
  }
}

/** A lock that was created a moment ago may still be empty. */
async function readSettled(file: string): Promise<Driver | null | undefined> {
  for (let attempt = 0; ; attempt++) {
    const driver = await readDriver(file);
    if (driver !== null || attempt === 5) return driver;
    await wait(200);
  }
}

/** Whether a driver shows no sign of life. One that cannot be asked is watched for `patienceSeconds`. */
async function isGone(file: string, other: Driver, o: LockOptions): Promise<boolean> {
  const holder = holderOf(other, thisMachine());
  if (holder === "gone") return true;
  if (holder === "alive") return other.pid === process.pid && !held.has(other.token);
  if (o.force) return true;
  o.note?.(`waiting up to ${patienceSeconds} s to see whether ${other.host} still works on this run`);
  const watch = createBeatWatch(o.clock);
  for (let now: Driver | null | undefined = other; now; now = await readDriver(file)) {
    if (now.token !== other.token || now.beat !== other.beat) return false;
    if (!watch.isMoving(now)) return true;
    if (o.signal?.aborted) throw cancelled();
    await wait(500);
  }
  return true; // let go in the meantime
}

/**
 * Puts the new lock in the place of an abandoned one. Of several that try, one can create the claim on that very lock; and it looks once more
 * before it replaces anything.
 */
async function takeOver(file: string, other: Driver | null, mine: Driver): Promise<boolean> {
  const claim = `${file}.${other?.token ?? "damaged"}.tmp`;
  if (!(await create(claim, mine))) {
    const rival = await readDriver(claim);
    if (rival === undefined || (rival && holderOf(rival, thisMachine()) !== "gone")) await wait(100);
    else await fs.rm(claim, { force: true }); // its process died between two system calls
    return false;
  }
  try {
    const now = await readDriver(file);
    if (now === undefined || now?.token !== other?.token || now?.beat !== other?.beat) return false;
    await writeAtomic(file, text(mine));
    return true;
  } finally {
    await fs.rm(claim, { force: true });
  }
}

/** Beats and listens until it is released. */
function hold(directory: string, first: Driver): DriverLock {
  const [file, request] = [path.join(directory, runFiles.driver), path.join(directory, runFiles.cancel)];
  const abort = new AbortController();
  let mine = first;
  let lost: BulwarkError | null = null;
  let [ticks, ticking] = [0, Promise.resolve()];
  held.add(mine.token);
  const tick = async (): Promise<void> => {
    const asked = await readText(request, { most: longestLock, inside: directory }).catch(() => "");
    if (asked === cancelRequest(mine.token)) abort.abort(cancelled());
    const now = await readDriver(file);
    if (now?.token !== mine.token) {
      lost = now ? takenOver(directory, now) : removed(directory);
      abort.abort(lost);
      clearInterval(timer);
    } else if (++ticks % (beatSeconds / tickSeconds) === 0) {
      mine = { ...mine, beat: mine.beat + 1 };
      await writeAtomic(file, text(mine));
    }
  };
  // A beat that cannot be written (a full disk) is no reason to stop: the work itself finds out.
  const timer = setInterval(() => {
    ticking = ticking.then(tick).catch(() => undefined);
  }, tickSeconds * 1000).unref();
  return {
    signal: abort.signal,
    get lost() {
      return lost;
    },
    async release() {
      clearInterval(timer);
      await ticking;
      held.delete(mine.token);
      const now = await readDriver(file).catch(() => null);
      if (now?.token !== mine.token) return;
      await fs.rm(request, { force: true }).catch(() => undefined);
      await fs.rm(file, { force: true }).catch(() => undefined); // left behind, it is known to be of a process that has ended
    },
  };
}

function locked(directory: string, { host, pid }: Driver): BulwarkError {
  const name = path.basename(directory);
  return host === thisMachine().host
    ? new BulwarkError(
        "RUN_LOCKED",
        `Another process (${pid}) works on the run ${name}.`,
        `Wait for it, or stop it with \`bulwark cancel ${directory}\`.`,
      )
    : new BulwarkError(
        "RUN_LOCKED",
        `${host} works on the run ${name} (process ${pid}).`,
        `Wait, or stop it there; after ${patienceSeconds} s without a sign of life it can be taken over.`,
      );
}

const takenOver = (directory: string, { host, pid }: Driver): BulwarkError =>
  new BulwarkError(
    "RUN_LOCKED",
    `The run ${path.basename(directory)} was taken over by process ${pid} on ${host}.`,
    "Follow it there: this process has stopped.",
  );
const removed = (directory: string): BulwarkError =>
  new BulwarkError("RUN_NOT_FOUND", `The folder ${directory} was removed or emptied while the run wrote into it.`, "Start the run again.");
