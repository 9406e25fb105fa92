import { execFileSync } from "node:child_process";
import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRun, openRun, readRunEvents, readRunState } from "../../../../src/engine/io/runStore.ts";

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-strangers-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

describe("a run folder from elsewhere", () => {
  const finished = async (): Promise<string> => {
    const run = await createRun({ workspace: folder, kind: "train", title: "Theirs" });
    run.append({ kind: "warning", code: "X", message: "own" });
    await run.update({ status: "interrupted" });
    await run.lock.release();
    return run.directory;
  };
  const victim = (name: string): string => path.join(folder, name);

  for (const name of ["events.jsonl", "images", "model", "pieces", "checkpoints", "report.json", "attempts"])
    it(`is not written through a link called ${name}`, async () => {
      const directory = await finished();
      await fs.rm(path.join(directory, name), { force: true });
      await fs.mkdir(victim(`of-${name}`));
      await fs.symlink(victim(`of-${name}`), path.join(directory, name));
      await expect(openRun(directory)).rejects.toMatchObject({
        code: "NOT_WRITABLE",
        message: expect.stringContaining(`${name} is a link`),
      });
      expect(await fs.readdir(victim(`of-${name}`))).toEqual([]);
      expect(await fs.readdir(directory)).not.toContain("driver.json");
    });

  it("is not written through a link further down, nor into a pipe", async () => {
    const directory = await finished();
    await fs.mkdir(path.join(directory, "pieces"));
    await fs.symlink(folder, path.join(directory, "pieces", "train-1"));
    await expect(openRun(directory)).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    const other = await finished();
    await fs.rm(path.join(other, "events.jsonl"));
    execFileSync("mkfifo", [path.join(other, "events.jsonl")]);
    await expect(openRun(other)).rejects.toMatchObject({
      code: "NOT_WRITABLE",
      message: expect.stringContaining("neither a file nor a folder"),
    });
  });

  it("keeps a file of another name that is the same file as its events", async () => {
    const directory = await finished();
    await fs.link(path.join(directory, "events.jsonl"), victim("backup.jsonl"));
    const before = await fs.readFile(victim("backup.jsonl"), "utf8");
    const run = await openRun(directory);
    run.append({ kind: "warning", code: "X", message: "later" });
    await run.lock.release();
    expect(await fs.readFile(victim("backup.jsonl"), "utf8")).toBe(before);
    expect(
      (await readRunEvents(directory, ({ kind }) => kind === "warning")).map((event) => (event.kind === "warning" ? event.message : "")),
    ).toEqual(["own", "later"]);
  });

  it("is not believed where its state is a link, and tells nothing of the file there", async () => {
    const directory = await finished();
    await fs.rename(path.join(directory, "state.json"), victim("state.json"));
    await fs.symlink(victim("state.json"), path.join(directory, "state.json"));
    await expect(readRunState(directory)).rejects.toMatchObject({ code: "FILE_UNREADABLE", message: expect.stringContaining("is a link") });
  });

  it("leaves half-written files outside alone", async () => {
    const directory = await finished();
    await fs.mkdir(victim("mine"));
    await fs.writeFile(path.join(victim("mine"), "a.1-1.tmp"), "mine");
    await fs.symlink(victim("mine"), path.join(directory, "notes"));
    await (await openRun(directory)).lock.release();
    expect(await fs.readdir(victim("mine"))).toEqual(["a.1-1.tmp"]);
  });

  for (const link of [".bulwark", ".bulwark/runs"])
    it(`is not made where ${link} is a link`, async () => {
      const workspace = await fs.mkdtemp(path.join(folder, "ws-"));
      const elsewhere = await fs.mkdtemp(path.join(folder, "elsewhere-"));
      await fs.mkdir(path.dirname(path.join(workspace, link)), { recursive: true });
      await fs.symlink(elsewhere, path.join(workspace, link));
      await expect(createRun({ workspace, kind: "train", title: "T" })).rejects.toMatchObject({ code: "NOT_WRITABLE" });
      expect(await fs.readdir(elsewhere)).toEqual([]);
    });

  it("is read piece by piece, and a line without end is none of its events", async () => {
    const directory = await finished();
    const file = path.join(directory, "events.jsonl");
    const handle = await fs.open(file, "a");
    await handle.write(Buffer.alloc(5_000_000, "x"));
    await handle.write(`\n${JSON.stringify({ t: 1, kind: "note", message: "模型 ".repeat(40_000) })}\n`);
    await handle.close();
    expect((await readRunEvents(directory, () => true)).map(({ kind }) => kind)).toEqual(["warning", "note"]);
  });
});
