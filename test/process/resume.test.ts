import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/shared/events.ts";
import type { RunState } from "../../src/shared/runs.ts";
import { figuresOf, hashesOf, writeExperiment } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, start, untilEvent, type Workspace } from "./support.ts";

let workspace: Workspace;
let whole: string;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeExperiment(workspace);
  whole = workspace.file("whole");
  const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "whole", "--json");
  expect(done.stderr).not.toContain("error");
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({ run: "whole" });
});
afterAll(() => workspace.remove());

const state = (name: string): RunState => readJson<RunState>(workspace.file(`${name}/state.json`));

describe("a run that is killed", () => {
  it("in training, in an attack and between epochs ends as the one that was not", async () => {
    const out = workspace.file("killed");
    const moments: readonly ((event: RunEvent) => boolean)[] = [
      (event) => event.kind === "step" && event.epoch === 2,
      (event) => event.kind === "phase" && event.attack === "pgd",
      (event) => event.kind === "epoch" && event.arm === "again" && event.epoch === 1,
    ];
    let words = ["run", "small.bulwark.jsonc", "--out", "killed"];
    for (const moment of moments) {
      const running = start(workspace, words);
      await untilEvent(running, out, moment);
      running.child.kill("SIGKILL");
      expect((await running.finished).signal).toBe("SIGKILL");
      expect(state("killed").status).toBe("running"); // what a killed process leaves behind; its lock tells
      words = ["resume", "killed"];
    }
    const done = await bulwark(workspace, "resume", "killed", "--quiet");
    expect(done).toMatchObject({ code: 0, stderr: "" });
    expect(state("killed")).toMatchObject({ status: "done", progress: 1 });
    expect(figuresOf(out)).toEqual(figuresOf(whole));
    expect(hashesOf(out)).toEqual(hashesOf(whole));
    expect(Object.keys(hashesOf(out))).toEqual(
      expect.arrayContaining(["model/weights.bin", "model-again/weights.bin", "adversarial-pgd.npz"]),
    );
  });

  it("for more memory than was granted says so, and ends as the one that was not once it is granted", async () => {
    const stopped = await start(workspace, ["run", "small.bulwark.jsonc", "--out", "tight"], { BULWARK_MEMORY: "0.1" }).finished;
    expect(stopped.code).toBe(3);
    expect(stopped.stderr).toMatch(/error OUT_OF_MEMORY: .*bulwark\.engine\.memory/);
    expect((await bulwark(workspace, "resume", "tight", "--quiet")).code).toBe(0);
    expect(hashesOf(workspace.file("tight"))).toEqual(hashesOf(whole));
  });

  it("leaves nothing half-written behind when it is done", () => {
    const names = readdirSync(workspace.file("killed"), { recursive: true, encoding: "utf8" });
    expect(names.filter((name) => /\.tmp$|^partial\/.|^checkpoints\/.|^driver\.json$/.test(name))).toEqual([]);
  });
});

describe("a run that is asked to stop", () => {
  it("stops at the next step, says how to go on, and ends as the one that was not", async () => {
    const out = workspace.file("stopped");
    const running = start(workspace, ["run", "small.bulwark.jsonc", "--out", "stopped"]);
    await untilEvent(running, out, (event) => event.kind === "step");
    running.child.kill("SIGINT");
    const { code, stderr, stdout } = await running.finished;
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("bulwark resume stopped");
    expect(state("stopped")).toMatchObject({ status: "cancelled", error: null });
    const kept = workspace.file("stopped/experiment.json");
    const written = readFileSync(kept, "utf8");
    writeFileSync(kept, written.replace('"steps": 20', '"steps": 2000'));
    const refused = await bulwark(workspace, "resume", "stopped");
    expect(refused).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/RUN_INVALID: .*experiment\.json has changed since the run began/),
    });
    writeFileSync(kept, written);
    expect((await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "stopped")).code).toBe(0); // the same command goes on as well
    expect(hashesOf(out)).toEqual(hashesOf(whole));
  });
});

describe("the same command again", () => {
  it("trains nothing and finds the same", async () => {
    const before = hashesOf(whole);
    const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "whole");
    expect(done.code).toBe(0);
    expect(done.stderr).toMatch(/undefended: trained model reused/);
    expect(done.stderr).not.toMatch(/epoch 1/);
    expect(done.stdout).toMatch(/reused/);
    expect(hashesOf(whole)).toEqual(before);
  });

  it("with another experiment is refused, and changes nothing", async () => {
    const before = hashesOf(whole);
    await writeExperiment(workspace, { attacks: [{ kind: "fgsm", eps: 0.05 }], expect: [{ metric: "attacked.accuracy", min: 1.01 }] });
    const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "whole");
    expect(done).toMatchObject({ code: 3, stderr: expect.stringMatching(/^error RUN_EXISTS: .*whole holds another run.* — .*--force/m) });
    expect(hashesOf(whole)).toEqual(before);
    expect(state("whole").status).toBe("done");
  });

  it("with another experiment and --force starts over and says so", async () => {
    const done = await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "whole", "--force");
    expect(done.code).toBe(2); // an accuracy above 1 is never met
    expect(done.stderr).toMatch(/another experiment/);
    expect(done.stderr).toMatch(/trained model reused/); // only the attacks changed
    expect(done.stdout).toMatch(/NOT MET/);
    expect(Object.keys(hashesOf(whole)).filter((name) => name.includes("pgd"))).toEqual([]);
  });
});

describe("a single attack that is killed", () => {
  const words = [
    "attack",
    "--model",
    "whole/model",
    "--dataset",
    "arrays:data.npz",
    "--attack",
    "pgd",
    "--set",
    "steps=400",
    "--set",
    "eps=0.02",
  ];

  it("goes on by its folder alone, or by the same command, and ends as the one that was not", async () => {
    expect((await bulwark(workspace, ...words, "--out", "at-once")).code).toBe(0);
    const expected = hashesOf(workspace.file("at-once"));
    for (const [out, again] of [
      ["by-folder", ["resume", "by-folder", "--json"]],
      ["by-command", [...words, "--out", "by-command", "--json"]],
    ] as const) {
      const running = start(workspace, [...words, "--out", out]);
      await untilEvent(running, workspace.file(out), (event) => event.kind === "phase" && event.attack === "pgd");
      running.child.kill("SIGKILL");
      await running.finished;
      const done = await bulwark(workspace, ...again);
      expect(done.code).toBe(0);
      expect(JSON.parse(done.stdout)).toMatchObject({ run: out, attack: { id: "pgd" }, images: expect.any(Array) });
      expect(hashesOf(workspace.file(out))).toEqual(expected);
      expect(readdirSync(workspace.file(out)).filter((name) => ["pieces", "attempts", "driver.json"].includes(name))).toEqual([]);
    }
  });

  it("does what was done only once", async () => {
    const phases = (out: string) =>
      readFileSync(workspace.file(`${out}/events.jsonl`), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as RunEvent)
        .flatMap((event) => (event.kind === "phase" ? [event.phase] : []));
    const read = phases("by-folder").filter((phase) => phase === "Reading the test images");
    expect(read).toHaveLength(1);
  });
});

describe("a finished run", () => {
  it.each(["killed", "by-folder"])("is left as it is, and its result is told again: %s", async (name) => {
    const before = readFileSync(workspace.file(`${name}/events.jsonl`), "utf8");
    const again = await bulwark(workspace, "resume", name, "--json");
    expect(again.stderr).toContain("the run is finished: there is nothing to go on with");
    expect(JSON.parse(again.stdout)).toMatchObject({ run: name });
    expect([again.code, state(name).status]).toEqual([0, "done"]);
    expect(readFileSync(workspace.file(`${name}/events.jsonl`), "utf8")).toBe(before);
  });

  it("whose report is damaged gets it again", async () => {
    const figures = figuresOf(workspace.file("killed"));
    writeFileSync(workspace.file("killed/report.json"), "{");
    expect((await bulwark(workspace, "resume", "killed", "--quiet")).code).toBe(0);
    expect(figuresOf(workspace.file("killed"))).toEqual(figures);
  });
});

describe("data that change", () => {
  const words = ["run", "small.bulwark.jsonc", "--out", "changing"];

  it("after a run are no reason to replace it: the same command is refused, and goes on where they were put back", async () => {
    await writeExperiment(workspace, { attacks: [{ kind: "fgsm", eps: 0.05 }], compare: [] });
    expect((await bulwark(workspace, ...words)).code).toBe(0);
    const before = hashesOf(workspace.file("changing"));
    const data = readFileSync(workspace.file("data.npz"));
    const changed = Uint8Array.from(data);
    const at = changed.length / 2; // within the images, which come first
    changed[at] = (changed[at] as number) ^ 1;
    workspace.write("data.npz", changed);
    const refused = await bulwark(workspace, ...words);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/error RUN_EXISTS: .*changing holds a run on other data/) });
    expect([state("changing").status, hashesOf(workspace.file("changing"))]).toEqual(["done", before]);
    const attack = ["attack", "--model", "changing/model", "--dataset", "arrays:data.npz", "--attack", "fgsm", "--out", "one"];
    expect((await bulwark(workspace, ...attack)).code).toBe(0);
    workspace.write("data.npz", data);
    expect((await bulwark(workspace, ...attack)).stderr).toMatch(/error RUN_EXISTS: .*one holds a run on other data/);
    expect((await bulwark(workspace, ...words)).code).toBe(0);
  });

  it("that come after a run has failed for want of them let the same command go on", async () => {
    const data = readFileSync(workspace.file("data.npz"));
    rmSync(workspace.file("data.npz"));
    const early = ["run", "small.bulwark.jsonc", "--out", "early"];
    expect((await bulwark(workspace, ...early)).code).toBe(3);
    workspace.write("data.npz", data);
    expect((await bulwark(workspace, ...early)).code).toBe(0);
  });
});

describe("a piece that was changed after it was finished", () => {
  it("is done again", async () => {
    const out = workspace.file("tampered");
    const words = ["run", "small.bulwark.jsonc", "--out", "tampered"];
    await writeExperiment(workspace, {
      attacks: [
        { kind: "fgsm", eps: 0.5 },
        { kind: "pgd", eps: 0.02, steps: 400 },
      ],
      compare: [],
    });
    const running = start(workspace, words);
    await untilEvent(running, out, (event) => event.kind === "phase" && event.attack === "pgd");
    running.child.kill("SIGKILL");
    await running.finished;
    const folder = readdirSync(`${out}/pieces`).find((name) => name.startsWith("attack-")) as string;
    const outcome = `${out}/pieces/${folder}/outcome.json`;
    const text = readFileSync(outcome, "utf8");
    expect(text).toContain('"success":true');
    writeFileSync(outcome, text.replaceAll('"success":true', '"success":false'));
    expect((await bulwark(workspace, "resume", "tampered")).code).toBe(0);
    expect((await bulwark(workspace, "run", "small.bulwark.jsonc", "--out", "untouched")).code).toBe(0);
    expect(figuresOf(out)).toEqual(figuresOf(workspace.file("untouched")));
  });
});
