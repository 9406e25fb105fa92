import { symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { entriesOf, treeOf } from "../../../../../src/engine/datasets/folder/walk.ts";
import { imageFolder } from "../../../../../src/engine/datasets/imageFolder.ts";
import { asBulwarkError } from "../../../../../src/shared/errors.ts";
import { load } from "../helpers.ts";
import { classes, folder, open } from "./open.ts";

describe("links", () => {
  it("to the folder itself, to one above and to one that is read anyway are not followed", async () => {
    const where = await folder(["red/1.png", "green/2.png", ".store/3.png"]);
    await symlink(where, path.join(where, "red", "self"));
    await symlink(path.dirname(where), path.join(where, "red", "above"));
    await symlink(path.join(where, "green"), path.join(where, "red", "sibling"));
    await symlink(path.join(where, ".store"), path.join(where, "blue"));
    const data = await load(imageFolder, { path: where });
    expect(await classes(data)).toEqual({ "red/1.png": "red", "green/2.png": "green", "blue/3.png": "blue" });
    expect(data.notes).toEqual(["3 links lead to folders that are read anyway and are not followed: red/above, red/self, red/sibling."]);
  });

  it("to folders elsewhere are followed once", async () => {
    const elsewhere = await folder(["1.png", "deep/2.png"]);
    await symlink(elsewhere, path.join(elsewhere, "deep", "again"));
    const where = await folder(["b/3.png"]);
    await symlink(elsewhere, path.join(where, "a"));
    await symlink(path.join(elsewhere, "deep"), path.join(where, "c"));
    expect((await treeOf(where)).files).toEqual(["a/1.png", "a/deep/2.png", "b/3.png"]);
  });

  it("to nowhere are counted where they are called like pictures", async () => {
    const where = await folder(["red/1.png", "green/2.png"]);
    await symlink(path.join(where, "gone"), path.join(where, "red", "0.png"));
    await symlink(path.join(where, "gone"), path.join(where, "red", "notes"));
    const data = await load(imageFolder, { path: where });
    expect(data.skipped).toEqual([{ file: "red/0.png", reason: "a link to nowhere" }]);
    expect(data.notes).toEqual(["1 file was skipped: red/0.png (a link to nowhere)."]);
  });
});

describe("what systems leave behind", () => {
  it("is passed over, and pictures in it are counted", async () => {
    const left = ["@eaDir/1.png", "red/@eaDir/1.png/thumb.jpg", ".ipynb_checkpoints/1.png", ".git/1.png", "__MACOSX/red/._1.png"];
    const data = await open(["red/1.png", "green/2.png", ...left], { "lost+found/x": "x", "Thumbs.db": "x" });
    expect(await classes(data)).toEqual({ "red/1.png": "red", "green/2.png": "green" });
    expect(data.classNames).toEqual(["green", "red"]);
    expect(data.notes).toEqual([
      "3 pictures in .ipynb_checkpoints, @eaDir, red/@eaDir are passed over: other programs keep their files there.",
    ]);
  });
});

describe("no permission", () => {
  const denied = (syscall: string): Error => Object.assign(new Error("denied"), { code: "EACCES", syscall, path: "photos/red" });

  it("to look into a folder is an error of reading, never of writing", () => {
    for (const syscall of ["scandir", "stat", "realpath"])
      expect(asBulwarkError(denied(syscall))).toMatchObject({
        code: "FILE_UNREADABLE",
        message: "No permission to read photos/red.",
        fix: expect.not.stringContaining("--out"),
      });
    expect(asBulwarkError(denied("mkdir"))).toMatchObject({ code: "NOT_WRITABLE" });
  });

  it("a folder that is not there is named", async () => {
    await expect(entriesOf(path.join(await folder([]), "no"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });
});
