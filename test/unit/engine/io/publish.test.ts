import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeAtomic } from "../../../../src/engine/io/files.ts";
import {
  finishedPieces,
  isSameResult,
  type PieceFolder,
  type Publisher,
  pieceFolder,
  publish,
  readDone,
} from "../../../../src/engine/io/publish.ts";
import type { PieceDone } from "../../../../src/shared/plan.ts";

let run: string;
beforeEach(() => {
  run = path.join(mkdtempSync(path.join(os.tmpdir(), "bulwark-pieces-")), "run");
  mkdirSync(path.join(run, "pieces"), { recursive: true });
});
afterEach(() => rmSync(path.dirname(run), { recursive: true, force: true }));

const by = (worker: string, planHash = "plan"): Publisher => ({
  run,
  planHash,
  worker,
  host: "here",
  device: "cpu",
  version: "1.0.0",
  clock: () => 0,
});
const piece = { id: "attack-1", key: "attack:undefended:pgd:0-100" };
const writing =
  (text: string, seconds = "1") =>
  async (folder: PieceFolder): Promise<void> => {
    await writeAtomic(folder.file("numbers.txt"), text);
    await writeAtomic(folder.file("clock.json"), seconds);
  };
const left = (): string[] => readdirSync(path.join(run, "pieces")).sort();

describe("a piece", () => {
  it("appears with all its files and their hashes, and leaves no trace of its making", async () => {
    expect(await publish(by("a"), piece, writing("abc"))).toBe("published");
    expect(readdirSync(pieceFolder(run, piece.id)).sort()).toEqual(["clock.json", "done.json", "numbers.txt"]);
    // SHA-256 of "abc" (FIPS 180-4, example 1) and of "1".
    expect(await readDone(pieceFolder(run, piece.id))).toMatchObject({
      key: piece.key,
      worker: "a",
      attempt: 1,
      outputs: {
        "numbers.txt": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "clock.json": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
      },
    });
    expect(left()).toEqual([piece.id]);
    expect(readdirSync(path.join(run, "attempts"))).toEqual([]);
  });

  it("that fails is not there at all, and tells its own error", async () => {
    const failing = publish(by("a"), piece, async (folder) => {
      await writing("half")(folder);
      throw new Error("the network went away");
    });
    await expect(failing).rejects.toThrow("the network went away");
    expect(left()).toEqual([]);
  });

  it("that two have done is there once; times may differ", async () => {
    const both = await Promise.all([publish(by("a"), piece, writing("same", "1")), publish(by("b"), piece, writing("same", "2"))]);
    expect(both.sort()).toEqual(["elsewhere", "published"]);
    expect(left()).toEqual([piece.id]);
  });

  it("that two have done differently keeps the first, and the other beside it", async () => {
    await publish(by("a"), piece, writing("one"));
    expect(await publish(by("b"), piece, writing("two"))).toBe("conflict");
    expect(left()).toEqual([`.conflict-${piece.id}-b`, piece.id]);
    expect(readFileSync(path.join(pieceFolder(run, piece.id), "numbers.txt"), "utf8")).toBe("one");
  });

  it("counts the starts that came to no end", async () => {
    mkdirSync(path.join(run, "attempts"));
    writeFileSync(path.join(run, "attempts", `${piece.id}.1.json`), "{}"); // of a process that died
    await publish(by("a"), piece, writing("late"));
    expect(await readDone(pieceFolder(run, piece.id))).toMatchObject({ attempt: 2 });
  });
});

describe("the finished pieces of a plan", () => {
  it("are those that are whole and of this plan; the rest is removed", async () => {
    await publish(by("a"), piece, writing("ours"));
    await publish(by("a", "another plan"), { id: "attack-2", key: "attack:b" }, writing("theirs"));
    mkdirSync(path.join(run, "pieces/.tmp-attack-3-dead"));
    mkdirSync(pieceFolder(run, "attack-4"));
    writeFileSync(path.join(pieceFolder(run, "attack-4"), "done.json"), '{"key":'); // torn
    const { keys, damaged } = await finishedPieces(run, "plan");
    expect([[...keys], damaged]).toEqual([[[piece.id, piece.key]], []]);
    expect(left()).toEqual([piece.id]);
  });

  it("are not those whose files have changed or gone since", async () => {
    const other = { id: "attack-2", key: "attack:b" };
    await publish(by("a"), piece, writing("ours"));
    await publish(by("a"), other, writing("ours"));
    await publish(by("a"), { id: "attack-3", key: "attack:c" }, writing("ours"));
    writeFileSync(path.join(pieceFolder(run, piece.id), "numbers.txt"), "0urs");
    rmSync(path.join(pieceFolder(run, other.id), "numbers.txt"));
    const { keys, damaged } = await finishedPieces(run, "plan");
    expect([...keys.keys()]).toEqual(["attack-3"]);
    expect(damaged.map(({ done, file }) => [done.key, file])).toEqual([
      [piece.key, "pieces/attack-1/numbers.txt"],
      [other.key, "pieces/attack-2/numbers.txt"],
    ]);
    expect(left()).toEqual(["attack-3"]);
  });

  it("are not those whose files elsewhere in the run have changed or gone: what they left is removed", async () => {
    const leaving = (names: readonly string[]) => async (folder: PieceFolder) => {
      for (const name of names) await writeAtomic(path.join(run, name), name);
      await writing("ours")(folder);
    };
    const leaves = ["model/weights.bin", "model/model.json"];
    await publish(by("a"), { ...piece, leaves: () => leaves }, leaving(leaves));
    await publish(by("a"), { id: "attack-2", key: "attack:b", leaves: () => ["records.json"] }, leaving(["records.json"]));
    expect([...(await finishedPieces(run, "plan")).keys.keys()]).toEqual([piece.id, "attack-2"]);
    writeFileSync(path.join(run, "model/weights.bin"), "m0del/weights.bin");
    const { keys, damaged } = await finishedPieces(run, "plan");
    expect([[...keys.keys()], damaged.map(({ file }) => file)]).toEqual([["attack-2"], ["model/weights.bin"]]);
    expect([readdirSync(path.join(run, "model")), existsSync(path.join(run, "records.json"))]).toEqual([[], true]);
  });

  it("remove nothing that a run does not write, whatever a file of the folder says", async () => {
    const names = ["../outside.txt", "notes.txt", "model/../../outside.txt"];
    const outside = path.join(run, "../outside.txt");
    for (const file of [outside, path.join(run, "notes.txt")]) writeFileSync(file, "mine");
    await publish(by("a"), piece, writing("ours"));
    const done = path.join(pieceFolder(run, piece.id), "done.json");
    const leaves = Object.fromEntries(names.map((name) => [name, "0"]));
    writeFileSync(done, JSON.stringify({ ...JSON.parse(readFileSync(done, "utf8")), leaves }));
    expect((await finishedPieces(run, "plan")).damaged.map(({ file }) => file)).toEqual(["../outside.txt"]);
    expect([existsSync(outside), existsSync(path.join(run, "notes.txt"))]).toEqual([true, true]);
    rmSync(outside);
  });

  it("have come to the same result where they differ in times alone", async () => {
    const done = async (text: string, seconds: string, left: string) => {
      rmSync(pieceFolder(run, piece.id), { recursive: true, force: true });
      await publish(by("a"), { ...piece, leaves: () => ["left.txt"] }, async (folder) => {
        await writeAtomic(path.join(run, "left.txt"), left);
        await writing(text, seconds)(folder);
      });
      return (await readDone(pieceFolder(run, piece.id))) as PieceDone;
    };
    const first = await done("one", "1", "one");
    expect(isSameResult(first, await done("one", "2", "one"))).toBe(true);
    expect(isSameResult(first, await done("two", "1", "one"))).toBe(false);
    expect(isSameResult(first, await done("one", "1", "two"))).toBe(false);
  });

  it("are none where nothing was begun", async () => {
    rmSync(path.join(run, "pieces"), { recursive: true });
    expect((await finishedPieces(run, "plan")).keys.size).toBe(0);
    expect(existsSync(path.join(run, "pieces"))).toBe(false);
  });
});
