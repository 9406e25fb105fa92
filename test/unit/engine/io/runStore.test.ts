import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRun, openRun, type RunStore, readRunEvents, readRunState, runId, settle } from "../../../../src/engine/io/runStore.ts";
import { BulwarkError, cancelled } from "../../../../src/shared/errors.ts";
import type { RunEventBody } from "../../../../src/shared/events.ts";
import { runFiles } from "../../../../src/shared/runs.ts";

let workspace: string;
beforeEach(() => {
  workspace = mkdtempSync(path.join(os.tmpdir(), "bulwark-runs-"));
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));
const create = (title = "My run!") => createRun({ workspace, kind: "experiment", title });

/** What a plan says beside the run that it is of. */
const hashes = { version: 1, bulwark: "0.1.0", planHash: "p", experimentHash: "e", dataHash: "d" };

describe("a run folder", () => {
  it("is named by day, time and title", () => {
    expect(runId("My run!", new Date(2026, 2, 14, 15, 9, 26))).toBe("20260314-150926-my-run");
  });

  it("is never shared by two runs of one second", async () => {
    const runs = await Promise.all(Array.from({ length: 5 }, () => create()));
    expect(new Set(runs.map((run) => run.directory)).size).toBe(5);
    expect(readdirSync(path.join(workspace, ".bulwark/runs"))).toHaveLength(5);
  });

  it("keeps how far it was when it is opened again", async () => {
    const run = await create();
    await run.update({ progress: 0.25, headline: "clean 98.0 %" });
    await run.lock.release();
    const again = await openRun(run.directory);
    expect(again.state).toMatchObject({ status: "running", progress: 0.25, headline: "clean 98.0 %" });
  });

  it("writes updates in the order they were asked for", async () => {
    const run = await create();
    await Promise.all([0.1, 0.2, 0.3, 0.9].map((progress) => run.update({ progress })));
    expect((await readRunState(run.directory)).progress).toBe(0.9);
    expect(readdirSync(run.directory).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("is rid of what a process that died had half-written, when it is opened again", async () => {
    const run = await create();
    for (const name of ["state.json.999999-12.tmp", "images/a.png.999999-3.tmp", "inspector.json.999999-1.tmp"]) {
      mkdirSync(path.dirname(run.file(name)), { recursive: true });
      writeFileSync(run.file(name), "{");
    }
    await run.lock.release();
    await openRun(run.directory);
    const left = readdirSync(run.directory, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tmp"));
    expect(left).toEqual(["inspector.json.999999-1.tmp"]); // the editor's own, which may be at work
  });

  it("reads a torn last event as nothing and starts the next on a line of its own", async () => {
    const run = await create();
    run.append({ kind: "warning", message: "one" });
    appendFileSync(run.file("events.jsonl"), '{"t":1,"kind":"warn');
    await run.lock.release();
    const again = await openRun(run.directory);
    again.append({ kind: "warning", message: "two" });
    const messages = (await readRunEvents(run.directory, () => true)).map((event) => (event.kind === "warning" ? event.message : ""));
    expect(messages).toEqual(["one", "two"]);
  });

  it("reads lines that are no events as nothing", async () => {
    const run = await create();
    run.append({ kind: "warning", message: "one" });
    appendFileSync(run.file("events.jsonl"), '{garbage\nnull\n[]\n1\n"x"\n{}\n{"kind":1,"t":1}\n{"kind":"warning"}\n');
    run.append({ kind: "warning", message: "two" });
    expect((await readRunEvents(run.directory, () => true)).map((event) => event.kind === "warning" && event.message)).toEqual([
      "one",
      "two",
    ]);
  });

  it.each([
    ["missing", () => null],
    ["empty", () => ""],
    ["torn", (text: string) => text.slice(0, text.length / 2)],
    ["null", () => "null"],
    ["changed by a flipped bit", (text: string) => text.replace("My run!", "Iy run!")],
  ])("makes a state.json that is %s again from the plan and the events", async (_, damage) => {
    const run = await create();
    const { kind, title, createdAt } = run.state;
    await run.writeJson("plan.json", { ...hashes, run: { kind, title, createdAt } });
    run.append({ kind: "progress", phase: "x", done: 1, total: 4, etaSeconds: null, overall: 0.25 });
    const state = run.file("state.json");
    const left = damage(readFileSync(state, "utf8"));
    if (left === null) rmSync(state);
    else writeFileSync(state, left);
    expect(await readRunState(run.directory)).toMatchObject({ kind, title, createdAt, status: "running", progress: 0.25 });
    await run.lock.release();
    expect((await readRunState(run.directory)).status).toBe("interrupted");
    const again = await openRun(run.directory);
    expect(again.warnings).toEqual(["state.json was missing or damaged and has been rebuilt."]);
    expect(JSON.parse(readFileSync(state, "utf8"))).toMatchObject({ kind, title, createdAt, status: "running" });
    await again.lock.release();
    expect((await openRun(run.directory)).warnings).toEqual([]);
  });

  it.each([
    [
      { kind: "done", report: "report.json" },
      { status: "done", progress: 1, error: null },
    ],
    [{ kind: "cancelled" }, { status: "cancelled", error: null }],
    [
      { kind: "failed", error: { code: "DISK_FULL", message: "Full.", fix: "Free some." } },
      { status: "failed", error: { code: "DISK_FULL", message: "Full.", fix: "Free some." } },
    ],
  ] as const)("knows from the events how a run ended whose state.json is lost: %o", async (event, expected) => {
    const run = await create();
    await run.writeJson("plan.json", { ...hashes, run: { kind: "experiment", title: "x", createdAt: run.state.createdAt } });
    run.append(event as RunEventBody);
    rmSync(run.file("state.json"));
    expect(await readRunState(run.directory)).toMatchObject(expected);
  });

  it("does not guess what a run was whose plan is lost too", async () => {
    const run = await create();
    writeFileSync(run.file("state.json"), "{");
    await expect(readRunState(run.directory)).rejects.toMatchObject({ code: "RUN_INVALID" });
    rmSync(run.file("state.json"));
    await expect(readRunState(run.directory)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  });

  it("is running as long as a process proves it by the lock, and interrupted afterwards", async () => {
    const run = await create();
    expect((await readRunState(run.directory)).status).toBe("running");
    const lock = JSON.parse(readFileSync(run.file("driver.json"), "utf8"));
    const statusWith = async (change: object) => {
      writeFileSync(run.file("driver.json"), JSON.stringify({ ...lock, ...change }));
      return (await readRunState(run.directory)).status;
    };
    expect(await statusWith({ pid: spawnSync(process.execPath, ["-e", ""]).pid })).toBe("interrupted");
    expect(await statusWith({ pid: process.ppid })).toBe("interrupted"); // alive, but started at another moment
    expect(await statusWith({ pid: -1 })).toBe("interrupted");
    expect(await statusWith({ host: "another-machine" })).toBe("elsewhere");
    expect(await statusWith({})).toBe("running");
    await run.lock.release();
    expect((await readRunState(run.directory)).status).toBe("interrupted");
  });

  it("takes no run onto another, nor onto files of somebody else, unless forced", async () => {
    const directory = path.join(workspace, "mine");
    const start = (request: unknown, force = false) => createRun({ workspace, directory, kind: "attack", title: "x", request, force });
    const first = await start({ eps: 0.1 });
    for (const name of ["result.json", runFiles.dataset, runFiles.ledger]) await first.writeJson(name, { n: 1 });
    writeFileSync(first.file("notes.txt"), "keep");
    await settle(
      first,
      async () => undefined,
      () => undefined,
    );
    await expect(start({ eps: 0.2 })).rejects.toMatchObject({ code: "RUN_EXISTS", fix: expect.stringContaining("--force") });
    expect(existsSync(first.file("result.json"))).toBe(true);
    expect(readdirSync(directory)).not.toContain("driver.json");
    const same = await start({ eps: 0.1 });
    await same.lock.release();
    const other = await start({ eps: 0.2 }, true);
    expect(readdirSync(directory).sort()).toEqual(["driver.json", "notes.txt", "state.json"]);
    await other.lock.release();
    const foreign = path.join(workspace, "foreign");
    mkdirSync(foreign);
    writeFileSync(path.join(foreign, "report.html"), "mine");
    const into = (force: boolean) => createRun({ workspace, directory: foreign, kind: "attack", title: "x", force });
    await expect(into(false)).rejects.toMatchObject({ code: "RUN_EXISTS" });
    expect(readdirSync(foreign)).toEqual(["report.html"]);
    await (await into(true)).lock.release();
    expect(readFileSync(path.join(foreign, "report.html"), "utf8")).toBe("mine");
  });

  it("gives way where it ended before it had any result, and nowhere else", async () => {
    const directory = path.join(workspace, "mistaken");
    const start = (request: unknown) => createRun({ workspace, directory, kind: "attack", title: "x", request });
    const failing = async (request: unknown, write: (run: RunStore) => Promise<void> | void) => {
      const run = await start(request);
      for (const name of ["plan.json", "batches.json", runFiles.experiment, runFiles.dataset]) await run.writeJson(name, {});
      mkdirSync(run.file("pieces/images-0123456789abcdef"), { recursive: true });
      const fail = async (): Promise<never> => {
        await write(run);
        throw new BulwarkError("LABEL_RANGE", "There is no class 12.", "Use 0 to 9.");
      };
      await expect(settle(run, fail, (event) => run.append(event))).rejects.toMatchObject({ code: "LABEL_RANGE" });
    };
    await failing({ eps: 1 }, () => undefined);
    expect((await readRunState(directory)).status).toBe("failed");
    await failing({ eps: 2 }, () => undefined); // the mistake is corrected, and the command line repeated
    await failing({ eps: 3 }, (run) => mkdirSync(run.file("pieces/clean-0123456789abcdef")));
    await expect(start({ eps: 4 })).rejects.toMatchObject({ code: "RUN_EXISTS" });
    expect(readdirSync(path.join(directory, "pieces")).sort()).toEqual(["clean-0123456789abcdef", "images-0123456789abcdef"]);
    rmSync(path.join(directory, "pieces"), { recursive: true });
    for (const name of ["model", "notes.txt", "checkpoints", "adversarial.npz"]) {
      mkdirSync(path.join(directory, name));
      await expect(start({ eps: 4 })).rejects.toMatchObject({ code: "RUN_EXISTS" });
      rmSync(path.join(directory, name), { recursive: true });
    }
    const again = await start({ eps: 4 });
    expect(readdirSync(directory).sort()).toEqual(["driver.json", "state.json"]);
    await again.lock.release();
  });

  it("says what is wrong with a folder that is none", async () => {
    await expect(readRunState(workspace)).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    writeFileSync(path.join(workspace, "state.json"), '{"version":1,');
    await expect(readRunState(workspace)).rejects.toMatchObject({ code: "RUN_INVALID" });
  });

  it("cannot be made where a file is in the way, and says so", async () => {
    writeFileSync(path.join(workspace, "taken"), "");
    const made = createRun({ workspace, directory: path.join(workspace, "taken"), kind: "attack", title: "x" });
    await expect(made).rejects.toThrow();
    expect(existsSync(path.join(workspace, "taken/state.json"))).toBe(false);
  });
});

describe("how a run ends", () => {
  const end = async (body: () => Promise<unknown>) => {
    const run = await create();
    await run.writeJson("report.json", { earlier: true });
    const thrown: unknown = await settle(run, body, (event) => run.append(event)).then(
      () => null,
      (error: unknown) => error,
    );
    const state = await readRunState(run.directory);
    const kinds = (await readRunEvents(run.directory, () => true)).map((event) => event.kind);
    expect(JSON.parse(readFileSync(run.file("report.json"), "utf8"))).toEqual({ earlier: true });
    expect(readdirSync(run.directory)).not.toContain("driver.json");
    return { thrown, state, kinds };
  };

  it("done", async () => {
    const { thrown, state, kinds } = await end(async () => 7);
    expect([thrown, state.status, state.progress, kinds]).toEqual([null, "done", 1, []]);
  });

  it("cancelled", async () => {
    const { thrown, state, kinds } = await end(() => Promise.reject(cancelled()));
    expect(thrown).toMatchObject({ code: "CANCELLED" });
    expect([state.status, state.error, kinds]).toEqual(["cancelled", null, ["cancelled"]]);
  });

  it("failed, with the code and the fix of a full disk", async () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", path: "/x/weights.bin" });
    const { thrown, state, kinds } = await end(() => Promise.reject(full));
    expect(thrown).toBeInstanceOf(BulwarkError);
    expect(state).toMatchObject({ status: "failed", error: { code: "DISK_FULL" } });
    expect(state.error?.message).toContain("/x/weights.bin");
    expect(kinds).toEqual(["failed"]);
  });
});
