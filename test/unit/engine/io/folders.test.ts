import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeFolder } from "../../../../src/engine/io/folders.ts";
import { createRun } from "../../../../src/engine/io/runStore.ts";
import { makeFolder as makeFolderInEditor } from "../../../../src/extension/files.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-folders-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const ignored = (workspace: string): string => readFileSync(path.join(folder, workspace, ".bulwark", ".gitignore"), "utf8");

describe.each([
  ["engine", makeFolder],
  ["editor", makeFolderInEditor],
])("folders made by the %s", (who, make) => {
  it("keep a new .bulwark out of repositories", () => {
    make(path.join(folder, who, ".bulwark", "data", "mnist"));
    expect(ignored(who)).toBe("*\n");
  });

  it("leave a .gitignore that is there, and none where its owner took it away", () => {
    const own = path.join(folder, `${who}-own`, ".bulwark");
    mkdirSync(own, { recursive: true });
    make(path.join(own, "runs", "one"));
    expect(() => ignored(`${who}-own`)).toThrow("ENOENT");
    writeFileSync(path.join(own, ".gitignore"), "data/\n");
    make(path.join(own, "data"));
    expect(ignored(`${who}-own`)).toBe("data/\n");
  });
});

it("folders that cannot be made are one error at once: Node's own mkdir never ends where a file system takes none, as /proc", () => {
  writeFileSync(path.join(folder, "file"), "");
  const refused = expect.objectContaining({ code: "NOT_WRITABLE", fix: "Choose another place." });
  for (const place of ["/proc/bulwark", "/proc/bulwark/runs/one"].filter(() => process.platform === "linux"))
    expect(() => makeFolder(place)).toThrow(refused);
  for (const place of ["file", "file/one", "file/one/two"]) expect(() => makeFolder(path.join(folder, place))).toThrow(refused);
});

describe("a run", () => {
  it("keeps the .bulwark that it makes out of repositories, in a folder of its own name and in a given one", async () => {
    const workspace = path.join(folder, "run");
    const store = await createRun({ workspace, kind: "attack", title: "first" });
    await store.lock.release();
    expect(ignored("run")).toBe("*\n");
    const given = path.join(folder, "given", ".bulwark", "runs", "mine");
    const other = await createRun({ workspace, directory: given, kind: "attack", title: "second" });
    await other.lock.release();
    expect(ignored("given")).toBe("*\n");
  });
});
