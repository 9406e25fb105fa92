import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BatchRecord } from "../../../../src/engine/experiment/batchRecord.ts";
import { writeAtomic } from "../../../../src/engine/io/files.ts";

let folder: string;
const file = (name = "batches.json"): string => path.join(folder, name);
let warnings: string[] = [];
const store = { file, writeJson: (name: string, value: unknown) => writeAtomic(file(name), JSON.stringify(value)) };
const record = (): BatchRecord => new BatchRecord(store, (message) => warnings.push(message));
const chosen = { forward: 7, gradient: 5 };
const sizesOf = (arm: string): Promise<unknown> => record().sizesOf(arm, 100, () => chosen);
const kept = (): Record<string, unknown> => JSON.parse(readFileSync(file(), "utf8"));

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "bulwark-batches-"));
  warnings = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the batches that a run keeps", () => {
  it("are those it was begun with, for each arm", async () => {
    expect(await sizesOf("plain")).toEqual(chosen); // a folder of a version that kept none
    writeFileSync(file(), JSON.stringify({ plain: { forward: 100, gradient: 1 } }));
    expect(await sizesOf("plain")).toEqual({ forward: 100, gradient: 1 });
    expect(await sizesOf("robust")).toEqual(chosen);
    expect(kept()).toEqual({ plain: { forward: 100, gradient: 1 }, robust: chosen });
    expect(warnings).toEqual([]);
  });

  it.each(["", "{", "null", "[]", "3", '"plain"'])("are chosen anew where the file holds %j", async (text) => {
    writeFileSync(file(), text);
    expect(await sizesOf("plain")).toEqual(chosen);
    expect(kept()).toEqual({ plain: chosen });
    expect(warnings).toEqual(["batches.json is damaged; the sizes of batches are chosen again, which changes no result."]);
  });

  it.each([
    ["forward", 0],
    ["forward", -1],
    ["gradient", 2.5],
    ["gradient", "6"],
    ["gradient", null],
    ["forward", 101],
    ["gradient", 1e300],
  ])("are chosen anew where %s is %j", async (need, size) => {
    writeFileSync(file(), JSON.stringify({ plain: { forward: 6, gradient: 6, [need]: size }, robust: { forward: 3, gradient: 2 } }));
    expect(await sizesOf("plain")).toEqual(chosen);
    expect(kept()["plain"]).toEqual(chosen);
  });

  // Windows lets only administrators make links.
  if (process.platform !== "win32")
    it("are never written where a link points", async () => {
      writeFileSync(file("other.json"), "[1]");
      symlinkSync(file("other.json"), file());
      expect(await sizesOf("plain")).toEqual(chosen);
      expect(readFileSync(file("other.json"), "utf8")).toBe("[1]");
      expect(kept()).toEqual({ plain: chosen });
    });
});
