import { execFileSync } from "node:child_process";
import { promises as fs } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBytes } from "../../../../src/engine/datasets/bytes.ts";
import { readMat } from "../../../../src/engine/datasets/mat.ts";
import { formatOf } from "../../../../src/engine/importers/format.ts";
import { openKeras } from "../../../../src/engine/importers/keras/index.ts";
import { weightless } from "../../../../src/engine/importers/onnx/mapped.ts";
import { chunksOf, openFile, readBytes, readBytesSync, readText, sha256, writeAtomic } from "../../../../src/engine/io/files.ts";
import { readImage } from "../../../../src/engine/io/images.ts";
import { openNpz, readNpz } from "../../../../src/engine/io/npz.ts";
import { readStrictText } from "../../../../src/engine/io/text.ts";

let folder: string;
const at = (...names: string[]): string => path.join(folder, ...names);
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-opening-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const all = async (file: string): Promise<void> => {
  for await (const _ of chunksOf(file));
};
const readers: Readonly<Record<string, (file: string) => unknown>> = {
  openFile,
  readBytes,
  readBytesSync: async (file) => readBytesSync(file),
  readText,
  readStrictText,
  chunksOf: all,
  sha256,
  openBytes,
  readMat,
  openNpz,
  readNpz,
  formatOf,
  openKeras,
  weightless: async (file) => weightless(file),
  readImage: (file) => readImage(file, { channels: 1, resize: "none" }),
};

describe("what is no regular file is refused at once", () => {
  const isUnix = process.platform !== "win32";
  for (const [name, read] of Object.entries(readers))
    it(`by ${name}`, async () => {
      const refused = (what: string) => ({ code: "FILE_UNREADABLE", message: expect.stringContaining(what) });
      await expect(read(folder)).rejects.toMatchObject(refused("is a folder"));
      if (!isUnix) return;
      const pipe = at(`${name}.pipe`);
      execFileSync("mkfifo", [pipe]);
      await expect(read(pipe)).rejects.toMatchObject(refused("is a pipe"));
      await expect(read("/dev/zero")).rejects.toMatchObject(refused("is a device"));
      await fs.symlink("/dev/zero", at(`${name}.link`));
      await expect(read(at(`${name}.link`))).rejects.toMatchObject(refused("is a device"));
    });

  it("a socket too", async () => {
    const server = net.createServer();
    const place = isUnix ? at("socket") : String.raw`\\.\pipe\bulwark-opening`;
    await new Promise<void>((resolve) => server.listen(place, resolve));
    await expect(readBytes(place)).rejects.toMatchObject({ code: "FILE_UNREADABLE" });
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("opening", () => {
  it("refuses a file that is too large before it reads any of it", async () => {
    const handle = await fs.open(at("large"), "w");
    await handle.truncate(300_000_000_000); // sparse: it takes no place
    await handle.close();
    await expect(readText(at("large"))).rejects.toMatchObject({
      code: "FILE_UNREADABLE",
      message: `${at("large")} is 300,000 MB; files of this kind may be at most 268 MB.`,
    });
  });

  it("follows a link that the user names, and none inside a folder where links may lead anywhere", async () => {
    await writeAtomic(at("theirs", "secret.txt"), "secret");
    await fs.mkdir(at("run"));
    await fs.symlink(at("theirs", "secret.txt"), at("run", "state.json"));
    await fs.symlink(at("theirs"), at("run", "model"));
    await fs.symlink(at("run"), at("named"));
    await writeAtomic(at("run", "own", "a.txt"), "own");
    expect(await readText(at("run", "state.json"))).toBe("secret");
    expect(await readText(at("named", "own", "a.txt"), { inside: at("named") })).toBe("own");
    for (const name of ["state.json", "model/secret.txt"])
      await expect(readText(at("run", name), { inside: at("run") })).rejects.toMatchObject({
        code: "FILE_UNREADABLE",
        message: expect.stringContaining("is a link"),
      });
    await expect(readText(at("run", "..", "theirs", "secret.txt"), { inside: at("run") })).rejects.toMatchObject({
      message: expect.stringContaining("is not inside"),
    });
    await expect(readText(at("run", "none"), { inside: at("run") })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("says of a name with a NUL that there is no such file", async () => {
    for (const read of [openFile, readText, sha256]) await expect(read(at("a\0b"))).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("writes through no link that waits under the name of its temporary file", async () => {
    await writeAtomic(at("victim"), "precious");
    const links = Array.from({ length: 200 }, (_, i) => at(`target.${process.pid}-${i}.tmp`));
    for (const link of links) await fs.symlink(at("victim"), link);
    await writeAtomic(at("target"), "new");
    expect(await readText(at("victim"))).toBe("precious");
    expect(await readText(at("target"))).toBe("new");
    expect((await fs.lstat(at("target"))).isFile()).toBe(true);
  });
});
