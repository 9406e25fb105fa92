import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTail } from "../../../src/extension/eventTail.ts";
import {
  foldersIn,
  isOwnFolder,
  makeFolder,
  readInside,
  readJson,
  readShaped,
  readWhole,
  writeWhole,
} from "../../../src/extension/files.ts";
import { readRunState } from "../../../src/extension/runFolder.ts";
import { fields } from "../../../src/shared/shapes.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-files-"));
});
afterEach(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]): string => path.join(folder, ...names);
const pipe = (...names: string[]): void => void execFileSync("mkfifo", [at(...names)]); // to open one waits for ever

describe("files of a run folder, in the editor", () => {
  it("are regular files: a pipe, a device and a folder are none", async () => {
    pipe("pipe.json");
    symlinkSync("/dev/zero", at("endless.json"));
    mkdirSync(at("folder.json"));
    for (const name of ["pipe.json", "endless.json", "folder.json"]) {
      expect(await readShaped(at(name), fields), name).toBeUndefined();
      expect(await readInside(folder, name), name).toBeNull();
      expect(await readJson(at(name)), name).toBeUndefined();
    }
  });

  it("are not read through a link, which a file of a person's own may be", async () => {
    mkdirSync(at("run"));
    writeFileSync(at("secret.json"), '{"a":1}');
    symlinkSync(at("secret.json"), at("run", "state.json"));
    expect(await readWhole(at("run", "state.json"), fields)).toBeUndefined();
    expect(await readInside(at("run"), "state.json")).toBeNull();
    expect(await readJson(at("run", "state.json"))).toEqual({ a: 1 });
  });

  it("are written in place of a link, never through it", async () => {
    writeFileSync(at("mine.txt"), "mine");
    symlinkSync(at("mine.txt"), at("cards.json"));
    await writeWhole(at("cards.json"), "{}");
    expect([readFileSync(at("mine.txt"), "utf8"), readFileSync(at("cards.json"), "utf8")]).toEqual(["mine", "{}"]);
    mkdirSync(at("taken.json"));
    await expect(writeWhole(at("taken.json"), "{}")).rejects.toThrow();
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it.each([".bulwark", ".bulwark/runs"])("do not lie behind a link called %s", async (place) => {
    mkdirSync(at("elsewhere", "one"), { recursive: true });
    mkdirSync(path.dirname(at(place)), { recursive: true });
    symlinkSync(at("elsewhere"), at(place));
    expect(() => makeFolder(at(place, "new"))).toThrow(expect.objectContaining({ code: "NOT_WRITABLE" }));
    expect(readdirSync(at("elsewhere"))).toEqual(["one"]);
    expect(await foldersIn(at(place))).toEqual([]);
    expect(await isOwnFolder(at(place, "one"))).toBe(false);
  });
});

describe("a run whose state is lost", () => {
  const plan = {
    ...{ version: 1, bulwark: "0.1.0", planHash: "p", experimentHash: "e", dataHash: "d" },
    run: { kind: "experiment", title: "Mine", createdAt: "2026-01-01T00:00:00.000Z" },
  };
  const run = (state: string | null): string => {
    mkdirSync(at("run"), { recursive: true });
    writeFileSync(at("run", "plan.json"), JSON.stringify(plan));
    writeFileSync(at("run", "events.jsonl"), '{"t":1,"kind":"progress","phase":"x","done":1,"total":4,"etaSeconds":null,"overall":0.25}\n');
    if (state !== null) writeFileSync(at("run", "state.json"), state);
    return at("run");
  };

  it.each([null, "", "{", '{"version":1}'])("is listed with what plan and events say: %j", async (state) => {
    expect(await readRunState(run(state))).toMatchObject({ title: "Mine", status: "interrupted", progress: 0.25 });
  });

  it("ends as its last events say, however long they are", async () => {
    const directory = run(null);
    appendFileSync(at("run", "events.jsonl"), '{"t":1,"kind":"note","message":"x"}\n'.repeat(10_000));
    appendFileSync(at("run", "events.jsonl"), '{"t":2,"kind":"cancelled"}\n');
    expect(await readRunState(directory)).toMatchObject({ title: "Mine", status: "cancelled" });
  });

  it("is damaged where the plan is lost as well, and none where it never was one", async () => {
    const directory = run("{");
    rmSync(at("run", "plan.json"));
    expect(await readRunState(directory)).toMatchObject({ status: "failed", error: { code: "RUN_INVALID" } });
    rmSync(at("run", "state.json"));
    expect(await readRunState(directory)).toBeUndefined();
  });

  it("is not held up by pipes in place of its files", async () => {
    const directory = run(null);
    for (const name of ["state.json", "plan.json", "events.jsonl", "driver.json"]) {
      rmSync(at("run", name), { force: true });
      pipe("run", name);
    }
    expect(await readRunState(directory)).toBeUndefined();
  });
});

describe("the tail of a run's events", () => {
  const note = (message: string): string => `{"t":1,"kind":"note","message":${JSON.stringify(message)}}\n`;
  const messages = async (tail: ReturnType<typeof createTail>): Promise<string[]> =>
    (await tail()).events.map((event) => (event.kind === "note" ? event.message : event.kind));

  it("is whole lines, letters of several bytes and all", async () => {
    const [file, line] = [at("events.jsonl"), Buffer.from(note("ε ≤ 8/255"))];
    const tail = createTail(file);
    expect(await tail()).toEqual({ events: [], restarted: false });
    const middle = line.indexOf(0xe2) + 1; // within "≤"
    writeFileSync(file, line.subarray(0, middle));
    expect(await messages(tail)).toEqual([]);
    appendFileSync(file, Buffer.concat([line.subarray(middle), Buffer.from(note("next"))]));
    expect(await messages(tail)).toEqual(["ε ≤ 8/255", "next"]);
  });

  it("begins again where the file has become shorter, is gone or is a pipe", async () => {
    const file = at("events.jsonl");
    const tail = createTail(file);
    writeFileSync(file, note("one") + note("two"));
    expect(await messages(tail)).toEqual(["one", "two"]);
    writeFileSync(file, note("new"));
    expect(await tail()).toMatchObject({ restarted: true, events: [{ message: "new" }] });
    renameSync(file, at("away"));
    pipe("events.jsonl");
    expect(await tail()).toEqual({ events: [], restarted: true });
    expect(existsSync(file)).toBe(true);
  });
});
