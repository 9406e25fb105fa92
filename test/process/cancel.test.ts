import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Driver } from "../../src/shared/driver.ts";
import type { RunState } from "../../src/shared/runs.ts";
import { figuresOf, hashesOf, writeExperiment } from "./experiment.ts";
import { bulwark, cancelAt, type Finished, newWorkspace, readJson, start, untilEvent, type Workspace } from "./support.ts";

const samples = path.resolve(import.meta.dirname, "../../samples");
const model = path.join(samples, "models/papernot");
const seven = path.join(samples, "seven.png");

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeExperiment(workspace);
  expect((await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "whole")).code).toBe(0);
});
afterAll(() => workspace.remove());

const state = (name: string): RunState => readJson<RunState>(workspace.file(`${name}/state.json`));
const run = (out: string): string[] => ["run", "small.bulwark.jsonc", "--out", out];

describe("cancel", () => {
  it("asks the run's own process, which stops at its next step; resumed, it ends as one that was not", async () => {
    const out = workspace.file("stopped");
    const running = start(workspace, run("stopped"));
    const asked = await cancelAt(workspace, running, "stopped", (event) => event.kind === "step", "--json");
    expect([asked.code, JSON.parse(asked.stdout)]).toEqual([0, { run: "stopped", status: "cancelled" }]);
    expect((await running.finished).code).toBe(130);
    expect(readdirSync(out).filter((name) => /^(driver|cancel)\.json$/.test(name))).toEqual([]);
    expect((await bulwark(workspace, "resume", "stopped")).code).toBe(0);
    expect([figuresOf(out), hashesOf(out)]).toEqual([figuresOf(workspace.file("whole")), hashesOf(workspace.file("whole"))]);
  });

  it("stops an attack on a data set too", async () => {
    const words = ["--model", "whole", "--dataset", "arrays:data.npz", "--attack", "pgd", "--set", "steps=10000", "--out", "endless"];
    const running = start(workspace, ["attack", ...words]);
    const asked = await cancelAt(workspace, running, "endless", (event) => event.kind === "started");
    expect(asked.stdout).toBe("the run is cancelled\n");
    expect((await running.finished).code).toBe(130);
  });

  it("refuses a run that does not run, and signals no process that a file names", async () => {
    const stranger = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    mkdirSync(workspace.file("cloned"));
    const { sum: _, ...unsummed } = state("whole") as RunState & { sum?: string }; // with it, a changed state would be damaged
    const forged: readonly object[] = [{}, { pid: -1 }, { pid: stranger.pid }, { pid: process.pid }];
    try {
      for (const lock of forged) {
        writeFileSync(workspace.file("cloned/state.json"), JSON.stringify({ ...unsummed, status: "running", ...lock }));
        const driver = { version: 1, token: "00000000-0000-4000-8000-000000000000", host: "h", boot: "b", pids: null, started: "1" };
        writeFileSync(workspace.file("cloned/driver.json"), JSON.stringify({ ...driver, ...machine, runner: "local", beat: 1, ...lock }));
        const done = await bulwark(workspace, "cancel", "cloned");
        expect(done).toMatchObject({
          code: 3,
          stderr: expect.stringMatching(/^error RUN_INVALID: cloned is not running: it is interrupted/),
        });
      }
      expect((await bulwark(workspace, "cancel", "whole")).stderr).toMatch(/it is done/);
      expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
    } finally {
      stranger.kill("SIGKILL");
    }
  });

  /** This machine as a lock names it, from a lock that a process here has written. */
  let machine: Partial<Driver> = {};
  beforeAll(async () => {
    const running = start(workspace, run("look"));
    await untilEvent(running, workspace.file("look"), () => true);
    const { host, boot, pids } = readJson<Driver>(workspace.file("look/driver.json"));
    machine = { host, boot, pids };
    running.child.kill("SIGKILL");
    await running.finished;
  });
});

describe("two at once", () => {
  const lockedOut = (run: string): RegExp => new RegExp(`^error RUN_LOCKED: Another process \\(\\d+\\) works on the run ${run}\\.`, "m");
  /** At once: one of them works, and the others are locked out, but for one that begins when the work is done. */
  const expectOneWorker = (run: string, done: readonly Finished[]): void => {
    expect(done.map(({ code }) => code)).toContain(0);
    for (const { code, stderr } of done) if (code !== 0) expect([code, stderr]).toEqual([3, expect.stringMatching(lockedOut(run))]);
    expect(hashesOf(workspace.file(run))).toEqual(hashesOf(workspace.file("whole")));
  };

  it("in one folder: one works, the other says who does", async () => {
    const first = start(workspace, run("two"));
    await untilEvent(first, workspace.file("two"), (event) => event.kind === "step");
    first.child.kill("SIGSTOP"); // so that it is not done before the others have begun
    const others = await Promise.all([0, 1].map(() => bulwark(workspace, ...run("two"))));
    first.child.kill("SIGCONT");
    for (const other of others) expect(other).toMatchObject({ code: 3, stderr: expect.stringMatching(lockedOut("two")) });
    expectOneWorker("two", [await first.finished]);
  });

  it("in one folder from the first moment on: one works", async () => {
    expectOneWorker("three", await Promise.all([0, 1, 2].map(() => bulwark(workspace, ...run("three")))));
  });

  it("resume a killed run: one goes on", async () => {
    const running = start(workspace, run("killed"));
    await untilEvent(running, workspace.file("killed"), (event) => event.kind === "step" && event.epoch === 2);
    running.child.kill("SIGKILL");
    await running.finished;
    expectOneWorker("killed", await Promise.all([0, 1].map(() => bulwark(workspace, "resume", "killed"))));
  });

  it("a run whose folder is removed ends with a sentence", async () => {
    const running = start(workspace, run("gone"));
    await untilEvent(running, workspace.file("gone"), (event) => event.kind === "step");
    running.child.kill("SIGSTOP"); // else it may write into the folder while that is emptied
    rmSync(workspace.file("gone"), { recursive: true });
    running.child.kill("SIGCONT");
    const { code, stderr } = await running.finished;
    expect([code, stderr]).toEqual([3, expect.stringMatching(/^error (RUN_NOT_FOUND|FILE_NOT_FOUND): /m)]);
  });
});

describe("--out", () => {
  const attack = (id: string, ...more: string[]) => [
    "attack",
    "--model",
    model,
    "--image",
    seven,
    "--attack",
    id,
    "--out",
    "attacked",
    ...more,
  ];
  const result = (): string => readFileSync(workspace.file("attacked/result.json"), "utf8");

  it("takes one attack; the same again is the same, another is refused or forced", async () => {
    expect((await bulwark(workspace, ...attack("fgsm"))).code).toBe(0);
    const first = result();
    const refused = await bulwark(workspace, ...attack("pgd", "--set", "steps=2"));
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/^error RUN_EXISTS: .*fgsm seven\.png.* — .*--out.*--force/m) });
    expect(result()).toBe(first);
    expect((await bulwark(workspace, ...attack("fgsm"))).code).toBe(0);
    expect((await bulwark(workspace, ...attack("pgd", "--set", "steps=2", "--force"))).code).toBe(0);
    expect(JSON.parse(result()).attack.id).toBe("pgd");
    expect(readdirSync(workspace.file("attacked/images")).filter((name) => name.includes("fgsm"))).toEqual([]);
    expect((await bulwark(workspace, ...run("attacked"))).stderr).toMatch(/^error RUN_EXISTS: /m);
  });

  it("leaves a report of somebody else alone", async () => {
    for (const name of ["report.html", "result.json"]) {
      const folder = `of-${name}`;
      mkdirSync(workspace.file(folder));
      workspace.write(`${folder}/${name}`, "mine");
      for (const words of [run(folder), [...attack("fgsm"), "--out", folder], ["rank", "--image", seven, "--patch", "7", "--out", folder]])
        expect(await bulwark(workspace, ...words)).toMatchObject({ code: 3, stderr: expect.stringMatching(/^error RUN_EXISTS: /m) });
      expect(readdirSync(workspace.file(folder))).toEqual([name]);
      expect(readFileSync(workspace.file(`${folder}/${name}`), "utf8")).toBe("mine");
    }
    expect((await bulwark(workspace, "report", "of-report.html")).stderr).toMatch(/^error RUN_NOT_FOUND: /m);
    expect(existsSync(workspace.file("of-report.html/state.json"))).toBe(false);
  });
});
