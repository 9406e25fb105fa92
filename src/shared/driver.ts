/**
 * Who works on a run: `driver.json` in its folder, written by the process that drives it and removed when it ends. What can be decided
 * without a disk is here; engine and extension read the files.
 */
export interface Driver {
  readonly version: 1;
  /** Random; a request to cancel has to name it, so that one for an earlier process stops no later one. */
  readonly token: string;
  readonly host: string;
  /** Start of the operating system and space of process ids (Linux); null where they cannot be told. */
  readonly boot: string | null;
  readonly pids: string | null;
  readonly pid: number;
  /** When the process started, in the kernel's own count; null where that cannot be told. A process id alone may be a stranger's. */
  readonly started: string | null;
  readonly runner: "local";
  /** Grows every `beatSeconds`. A counter and no time of day: clocks of two machines are never compared. */
  readonly beat: number;
}

export const beatSeconds = 10;
/** Without a sign of life for so long on the reader's own monotonic clock, a driver counts as gone. */
export const patienceSeconds = 35;

/** The machine that this code runs on. */
export interface Machine extends Pick<Driver, "host" | "boot" | "pids"> {
  /** When a process started; null when there is no such process, undefined when there is one but its start cannot be told. */
  startOf(pid: number): string | null | undefined;
}

/** What has to be asked of the system; each answers null or false where it cannot tell. */
export interface System {
  readonly host: string;
  read(file: string): string | null;
  link(file: string): string | null;
  isThere(pid: number): boolean;
}

/** Linux says in /proc which start of the system this is, in which space of process ids, and when each process began; others do not. */
export function machineOf(system: System): Machine {
  const boot = system.read("/proc/sys/kernel/random/boot_id")?.trim() ?? null;
  const startOf = (pid: number): string | null | undefined =>
    boot === null ? (system.isThere(pid) ? undefined : null) : startIn(system.read(`/proc/${pid}/stat`));
  return { host: system.host, boot, pids: system.link("/proc/self/ns/pid"), startOf };
}

/** Field 22 of /proc/<pid>/stat, in clock ticks since the system started. The name in brackets may hold anything, brackets too. */
function startIn(stat: string | null): string | null {
  if (stat === null) return null;
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? null : (fields[18] ?? null); // a zombie does nothing any more
}

/**
 * Whether the process behind a lock lives. `unproven`: a process of that number is on this machine, but may be another; `elsewhere`: it is on
 * a machine that cannot be asked, or on this one before it was started anew. Only the beat decides about these two.
 */
export type Holder = "alive" | "gone" | "unproven" | "elsewhere";

export function holderOf(driver: Driver, machine: Machine): Holder {
  if (driver.host !== machine.host || driver.boot !== machine.boot || driver.pids !== machine.pids) return "elsewhere";
  const started = machine.startOf(driver.pid);
  if (started === null) return "gone";
  if (started === undefined || driver.started === null) return "unproven";
  return started === driver.started ? "alive" : "gone";
}

/** `driver.json` as it was read; null when it is damaged or was written by somebody else. */
export function parseDriver(text: string): Driver | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== "object" || read === null) return null;
  const { version, token, host, pid, beat } = read as Partial<Record<keyof Driver, unknown>>;
  const isOurs = version === 1 && typeof token === "string" && /^[0-9a-f-]{36}$/.test(token) && typeof host === "string";
  const isWhole = isOurs && Number.isSafeInteger(pid) && Number(pid) > 0 && Number.isSafeInteger(beat);
  return isWhole ? (read as Driver) : null; // version 1 has this shape
}

/** `cancel.json`: asks the process that holds this very lock to stop at its next step. */
export const cancelRequest = (token: string): string => `${JSON.stringify({ token })}\n`;

/** Remembers beats that were seen, to tell a driver that works from one that has stopped. */
export interface BeatWatch {
  /** False once the beat of a driver has stood still for `patienceSeconds`; one that is seen for the first time counts as moving. */
  isMoving(driver: Driver): boolean;
}

/** @param clock milliseconds, monotonic */
export function createBeatWatch(clock: () => number = () => performance.now()): BeatWatch {
  const seen = new Map<string, { readonly beat: number; readonly at: number }>();
  return {
    isMoving({ token, beat }) {
      const last = seen.get(token);
      if (last?.beat === beat) return clock() - last.at < patienceSeconds * 1000;
      seen.set(token, { beat, at: clock() });
      return true;
    },
  };
}
