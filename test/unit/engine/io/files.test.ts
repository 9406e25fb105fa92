import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digest, readBytes, readText, replaceAtomic, sha256, writeAtomic, writeError } from "../../../../src/engine/io/files.ts";

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-files-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

describe("files", () => {
  it("writes whole files into folders that it makes, and leaves no temporary file", async () => {
    const file = path.join(folder, "a", "b.txt");
    await writeAtomic(file, "one");
    await writeAtomic(file, "two");
    expect(await readText(file)).toBe("two");
    expect(await fs.readdir(path.dirname(file))).toEqual(["b.txt"]);
  });

  it("says of a place that is not there, as on a read-only disk, that it cannot be written", () => {
    const thrown = Object.assign(new Error("mkdir"), { code: "ENOENT", path: "ro/x" });
    expect(writeError(thrown, "ro/x")).toMatchObject({ code: "NOT_WRITABLE", message: expect.stringContaining("ro/x cannot be written") });
  });

  it("keeps the old content when writing fails half-way", async () => {
    const file = path.join(folder, "kept.txt");
    await writeAtomic(file, "old");
    const failing = replaceAtomic(file, async (temporary) => {
      await fs.writeFile(temporary, "ne");
      throw Object.assign(new Error("write"), { code: "ENOSPC", path: temporary });
    });
    await expect(failing).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(await readText(file)).toBe("old");
    expect((await fs.readdir(folder)).filter((name) => name.startsWith("kept"))).toEqual(["kept.txt"]);
  });

  it("says what is in the way", async () => {
    await fs.writeFile(path.join(folder, "file"), "");
    await expect(writeAtomic(path.join(folder, "file", "x"), "")).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    await fs.mkdir(path.join(folder, "dir"));
    await expect(writeAtomic(path.join(folder, "dir"), "")).rejects.toMatchObject({ code: "NOT_WRITABLE" });
    await expect(readBytes(path.join(folder, "nothing"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
    await expect(readBytes(folder)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
  });

  it("drops a byte-order mark and hashes", async () => {
    const file = path.join(folder, "abc");
    await fs.writeFile(file, "\uFEFFabc");
    expect(await readText(file)).toBe("abc");
    await fs.writeFile(file, "abc"); // digests of "abc": FIPS 180-2 appendix B.1, RFC 1321 appendix A.5
    expect(await sha256(file)).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(await digest(file, "md5")).toBe("900150983cd24fb0d6963f7d28e17f72");
  });
});
