import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type DriverLock, requestCancel, takeLock } from "../../../../src/engine/io/driverLock.ts";
import { thisMachine } from "../../../../src/engine/io/machine.ts";
import { createBeatWatch, type Driver, holderOf, machineOf, parseDriver } from "../../../../src/shared/driver.ts";

let directory: string;
const locks: DriverLock[] = [];
beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "bulwark-lock-"));
});
afterEach(async () => {
  for (const lock of locks.splice(0)) await lock.release();
  rmSync(directory, { recursive: true, force: true });
});

const file = (name: string): string => path.join(directory, name);
const take = async (o: Parameters<typeof takeLock>[1] = {}): Promise<DriverLock> => {
  const lock = await takeLock(directory, o);
  locks.push(lock);
  return lock;
};
const written = (): Driver | null => parseDriver(readFileSync(file("driver.json"), "utf8"));
const own: Driver = {
  version: 1,
  token: "00000000-0000-4000-8000-000000000000",
  ...thisMachine(),
  pid: process.pid,
  started: thisMachine().startOf(process.pid) ?? null,
  runner: "local",
  beat: 3,
};
const leave = (change: Partial<Driver>): void => writeFileSync(file("driver.json"), `${JSON.stringify({ ...own, ...change })}\n`);
const aborted = (lock: DriverLock): Promise<void> =>
  new Promise((resolve) => (lock.signal.aborted ? resolve() : lock.signal.addEventListener("abort", () => resolve(), { once: true })));

describe("the lock of a run folder", () => {
  it("has one holder, and leaves nothing behind", async () => {
    const first = await take();
    expect(written()).toMatchObject({ pid: process.pid, host: os.hostname(), runner: "local", beat: 0 });
    await expect(takeLock(directory)).rejects.toMatchObject({ code: "RUN_LOCKED", message: expect.stringContaining(String(process.pid)) });
    await expect(takeLock(directory, { force: true })).rejects.toMatchObject({ code: "RUN_LOCKED" }); // alive: force or not
    await first.release();
    expect(readdirSync(directory)).toEqual([]);
    await take();
  });

  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const abandoned: readonly (readonly [string, () => void])[] = [
    ["of a process that has ended", () => leave({ pid: dead })],
    ["of a process whose number another one has now", () => leave({ pid: process.ppid, started: "1" })],
    ["that an earlier part of this process left", () => leave({})],
    ["that is empty", () => writeFileSync(file("driver.json"), "")],
    ["that names every process", () => leave({ pid: -1 })],
  ];
  for (const [what, write] of abandoned)
    it(`is taken over from a lock ${what}`, async () => {
      write();
      await take();
      expect(written()).toMatchObject({ pid: process.pid, started: own.started, beat: 0 });
      expect(readdirSync(directory)).toEqual(["driver.json"]);
    });

  it("goes to one of many that want an abandoned one", async () => {
    leave({ pid: dead });
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => take()));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "RUN_LOCKED" });
  });

  it("of another machine is respected while its beat moves, and taken over when it has stood still", async () => {
    leave({ host: "another", beat: 7 });
    const notes: string[] = [];
    const timer = setTimeout(() => leave({ host: "another", beat: 8 }), 600);
    await expect(takeLock(directory, { note: (text) => notes.push(text) })).rejects.toMatchObject({
      code: "RUN_LOCKED",
      message: expect.stringContaining("another"),
    });
    clearTimeout(timer);
    expect(notes).toEqual([expect.stringContaining("35 s")]);
    let now = 0;
    await take({ clock: () => (now += 20_000) });
    expect(written()).toMatchObject({ host: os.hostname(), beat: 0 });
  });

  it("of another machine is taken at once by force", async () => {
    leave({ host: "another" });
    await take({ force: true, clock: () => 0 });
    expect(written()?.host).toBe(os.hostname());
  });

  it("of another machine is not waited for by who is cancelled", async () => {
    leave({ host: "another" });
    await expect(takeLock(directory, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("a run that is asked to stop", () => {
  it("hears a request for its own lock, and none for another one", async () => {
    const lock = await take();
    writeFileSync(file("cancel.json"), `{"token":"${own.token}"}\n`);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(lock.signal.aborted).toBe(false);
    expect(await requestCancel(directory)).toBe(true);
    await aborted(lock);
    expect([lock.signal.reason, lock.lost]).toEqual([expect.objectContaining({ code: "CANCELLED" }), null]);
    await lock.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("is not asked where nobody holds the lock", async () => {
    expect(await requestCancel(directory)).toBe(false);
    expect(readdirSync(directory)).toEqual([]);
  });

  it("stops when another has taken its folder over, and leaves that one's lock alone", async () => {
    const lock = await take();
    leave({ host: "another" });
    await aborted(lock);
    expect(lock.lost).toMatchObject({ code: "RUN_LOCKED" });
    await lock.release();
    expect(written()?.host).toBe("another");
  });

  it("stops when its folder is gone", async () => {
    const lock = await take();
    rmSync(directory, { recursive: true });
    await aborted(lock);
    expect(lock.lost).toMatchObject({ code: "RUN_NOT_FOUND" });
  });
});

describe("who holds a lock", () => {
  const stat = (state: string, start: number): string => `7 (a) b) ${state} ${Array.from({ length: 18 }, () => "0").join(" ")} ${start} 0`;
  const linux = (files: Readonly<Record<string, string>>) =>
    machineOf({ host: "h", read: (name) => files[name] ?? null, link: () => "pid:[1]", isThere: () => true });
  const boot = { "/proc/sys/kernel/random/boot_id": "b\n" };
  const driver: Driver = { ...own, host: "h", boot: "b", pids: "pid:[1]", pid: 7, started: "42" };

  it("is told on Linux by when its process started", () => {
    expect(holderOf(driver, linux({ ...boot, "/proc/7/stat": stat("S", 42) }))).toBe("alive");
    expect(holderOf(driver, linux({ ...boot, "/proc/7/stat": stat("S", 43) }))).toBe("gone");
    expect(holderOf(driver, linux({ ...boot, "/proc/7/stat": stat("Z", 42) }))).toBe("gone");
    expect(holderOf(driver, linux(boot))).toBe("gone");
    for (const other of [{ host: "i" }, { boot: "c" }, { pids: "pid:[2]" }])
      expect(holderOf({ ...driver, ...other }, linux({ ...boot, "/proc/7/stat": stat("S", 42) }))).toBe("elsewhere");
  });

  it("is told elsewhere by its number and its beat", () => {
    const machine = (isThere: boolean) => machineOf({ host: "h", read: () => null, link: () => null, isThere: () => isThere });
    const plain = { ...driver, boot: null, pids: null, started: null };
    expect(holderOf(plain, machine(false))).toBe("gone");
    expect(holderOf(plain, machine(true))).toBe("unproven");
    let now = 0;
    const watch = createBeatWatch(() => now);
    const moving = [0, 34_999, 35_000, 35_001].map((at) => {
      now = at;
      return watch.isMoving(plain);
    });
    expect(moving).toEqual([true, true, false, false]);
    expect(watch.isMoving({ ...plain, beat: plain.beat + 1 })).toBe(true);
  });

  it("is nobody where the file is no lock", () => {
    for (const text of ["", "[]", "null", '{"version":1}', JSON.stringify({ ...own, pid: 0 }), JSON.stringify({ ...own, token: "../x" })])
      expect(parseDriver(text)).toBeNull();
    expect(parseDriver(JSON.stringify(own))).toMatchObject({ pid: process.pid });
  });
});
