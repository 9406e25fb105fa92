import { createHash } from "node:crypto";
import { closeSync, constants, promises as fs, fstatSync, lstatSync, openSync, readFileSync, type Stats, statSync } from "node:fs";
import path from "node:path";
import { asBulwarkError, BulwarkError } from "../../shared/errors.ts";
import { makeFolders } from "./makeFolders.ts";

let temporaries = 0;

/** A name beside `file` that no other writer uses; whatever is written there is renamed to `file` when it is whole. */
export const temporaryName = (file: string): string => `${file}.${process.pid}-${++temporaries}.tmp`;

/**
 * Writes a file so that readers see the old content or the new one, never half of it. Missing folders are made.
 * @throws DISK_FULL, NOT_WRITABLE; the old content is then still there.
 */
export async function writeAtomic(file: string, data: string | Uint8Array): Promise<void> {
  await replaceAtomic(file, (temporary) => fs.writeFile(temporary, data));
}

/** The same for content that is written in pieces: `write` fills the temporary file whose name it is given. It is on the disk before it is renamed, and so is the name. */
export async function replaceAtomic(file: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(file);
  try {
    await makeFoldersForGood(path.dirname(file));
    await claim(temporary);
    await write(temporary);
    await flush(temporary);
    await fs.rename(temporary, file);
    await flushFolder(path.dirname(file));
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw writeError(error, file);
  }
}

/**
 * Several files of a folder that belong together: all are on the disk before the first is renamed, so that a full disk leaves earlier ones as they
 * were. @throws DISK_FULL, NOT_WRITABLE
 */
export async function writeTogether(directory: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const staged = Object.entries(files).map(([name, data]) => ({ file: path.join(directory, name), data }));
  const named = staged.map((one) => ({ ...one, temporary: temporaryName(one.file) }));
  try {
    await makeFoldersForGood(directory);
    for (const { temporary, data } of named) {
      await claim(temporary);
      await fs.writeFile(temporary, data);
      await flush(temporary);
    }
    for (const { temporary, file } of named) await fs.rename(temporary, file);
    await flushFolder(directory);
  } catch (error) {
    for (const { temporary } of named) await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(error, directory);
  }
}

/** The file is ours: what is written next goes through no link that was waiting there. */
async function claim(temporary: string): Promise<void> {
  await fs.rm(temporary, { force: true });
  await fs.writeFile(temporary, "", { flag: "wx" });
}

/** Folders that are there after a crash of the machine as well. */
async function makeFoldersForGood(directory: string): Promise<void> {
  for (const folder of makeFolders(directory)) await flushFolder(path.dirname(folder));
}

/** A rename is only on the disk when its folder is. Some systems flush no folders; there is nothing better to do then. */
export async function flushFolder(folder: string): Promise<void> {
  try {
    const handle = await fs.open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // not on this system
  }
}

/** Without it, a crash of the machine may leave the new name with an empty file. */
async function flush(file: string): Promise<void> {
  const handle = await fs.open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What went wrong with writing `file`, in words that a user can act on. */
export function writeError(error: unknown, file: string): unknown {
  const code = systemCode(error);
  if (code === "ENOTDIR" || code === "EEXIST" || code === "EISDIR" || code === "ENOTEMPTY") {
    return new BulwarkError(
      "NOT_WRITABLE",
      `${file} cannot be written: a file or folder of that name is in the way.`,
      "Choose another place.",
      {
        cause: error,
      },
    );
  }
  // Making a folder on a file system that is read-only ends with "no such file" where its parent is not there either.
  if (code === "ENOENT")
    return new BulwarkError(
      "NOT_WRITABLE",
      `${file} cannot be written: there is no such place, or it is read-only.`,
      "Choose another place.",
      {
        cause: error,
      },
    );
  return asBulwarkError(error) ?? error;
}

/**
 * The one door through which files are opened for reading. Only regular files come in: to open a pipe waits for ever, a device such as /dev/zero
 * has no end, and some devices act when they are opened.
 */
export interface Opening {
  /** Largest size in bytes. A larger file is refused before anything is read. */
  readonly most?: number | undefined;
  /** A folder that may come from a stranger: the file lies in it, and no link on the way from there leads anywhere else. */
  readonly inside?: string | undefined;
}

/** Opening does not wait for a writer where the file has become a pipe since it was looked at. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** The caller closes it. @throws FILE_NOT_FOUND, FILE_UNREADABLE (also for a folder, a pipe, a device, a socket) */
export async function openFile(file: string, o: Opening = {}): Promise<fs.FileHandle> {
  let handle: fs.FileHandle | undefined;
  try {
    refuseLinks(file, o.inside);
    check(await fs.stat(file), file, o);
    handle = await fs.open(file, flags);
    check(await handle.stat(), file, o);
    return handle;
  } catch (error) {
    await handle?.close();
    throw readError(error, file);
  }
}

/** The same without waiting; a descriptor. */
export function openFileSync(file: string, o: Opening = {}): number {
  let descriptor: number | undefined;
  try {
    refuseLinks(file, o.inside);
    check(statSync(file), file, o);
    descriptor = openSync(file, flags);
    check(fstatSync(descriptor), file, o);
    return descriptor;
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    throw readError(error, file);
  }
}

/** @throws FILE_UNREADABLE */
function check(stats: Stats, file: string, { most }: Opening): void {
  if (stats.isDirectory()) throw new BulwarkError("FILE_UNREADABLE", `${file} is a folder, not a file.`, "Name a file in it.");
  if (!stats.isFile()) throw new BulwarkError("FILE_UNREADABLE", `${file} is ${specialOf(stats)}, not a file.`, "Name a regular file.");
  if (most !== undefined && stats.size > most)
    throw new BulwarkError(
      "FILE_UNREADABLE",
      `${file} is ${megabytes(stats.size)} MB; files of this kind may be at most ${megabytes(most, Math.floor)} MB.`,
      "Check that this is the right file.",
    );
}

const megabytes = (bytes: number, round = Math.ceil): string => round(bytes / 1e6).toLocaleString("en");

const specialOf = (stats: Stats): string => (stats.isFIFO() ? "a pipe" : stats.isSocket() ? "a socket" : "a device");

/** @throws FILE_UNREADABLE where a link stands between `folder` and the file, or the file is not in it */
function refuseLinks(file: string, folder: string | undefined): void {
  if (folder === undefined) return;
  const relative = path.relative(folder, file);
  let place = folder;
  for (const part of relative.split(path.sep)) {
    if (part === "..") throw new BulwarkError("FILE_UNREADABLE", `${file} is not inside ${folder}.`, "Name a file in that folder.");
    place = path.join(place, part);
    if (lstatSync(place).isSymbolicLink()) throw linked(place);
  }
}

/** About a link in a folder where none is followed. */
export const linked = (place: string): BulwarkError =>
  new BulwarkError(
    "FILE_UNREADABLE",
    `${place} is a link; links are not followed there.`,
    "Replace it with the file or folder it points to.",
  );

/** What is read whole is a picture, a text, a list: hundreds of megabytes are none of these. */
const mostWhole = 256 << 20;
/** More bytes than these are never read as one. */
export const mostAtOnce = 2 ** 31 - 1;

/** The whole file, of at most 256 MB unless `most` says otherwise. @throws FILE_NOT_FOUND, FILE_UNREADABLE (also for what is no regular file) */
export async function readBytes(file: string, o: Opening = {}): Promise<Uint8Array> {
  const handle = await openFile(file, { most: mostWhole, ...o });
  try {
    const { buffer, byteOffset, byteLength } = await handle.readFile();
    return new Uint8Array(buffer, byteOffset, byteLength); // a Buffer's slice() would share memory
  } catch (error) {
    throw readError(error, file);
  } finally {
    await handle.close();
  }
}

/** The same without waiting. */
export function readBytesSync(file: string, o: Opening = {}): Uint8Array {
  const descriptor = openFileSync(file, { most: mostWhole, ...o });
  try {
    return readFileSync(descriptor);
  } catch (error) {
    throw readError(error, file);
  } finally {
    closeSync(descriptor);
  }
}

/** The whole file as UTF-8 text, or UTF-16 where its byte-order mark says so; without the mark. */
export async function readText(file: string, o: Opening = {}): Promise<string> {
  const bytes = await readBytes(file, o);
  return new TextDecoder(markedEncoding(bytes)).decode(bytes);
}

/** What the byte-order mark says; UTF-8 without one. */
export const markedEncoding = ([first, second]: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" =>
  first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";

/** What went wrong with reading `file`, in words that a user can act on. */
export function readError(error: unknown, file: string): unknown {
  if (error instanceof BulwarkError) return error;
  const code = systemCode(error);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new BulwarkError("FILE_NOT_FOUND", `There is no file ${file}.`, "Check the path.", { cause: error });
    case "EISDIR":
      return new BulwarkError("FILE_UNREADABLE", `${file} is a folder, not a file.`, "Name a file in it.", { cause: error });
    case "EACCES":
    case "EPERM":
      return new BulwarkError("FILE_UNREADABLE", `No permission to read ${file}.`, "Change its permissions, or those of its folder.", {
        cause: error,
      });
    case undefined:
      return asBulwarkError(error) ?? error;
    default:
      return new BulwarkError("FILE_UNREADABLE", `${file} cannot be read (${code}).`, "Check its permissions.", { cause: error });
  }
}

/** `"ENOENT"` and the like, where a system call failed. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" && /^E[A-Z0-9]+$/.test(error.code)
    ? error.code
    : undefined;
}

export const exists = (file: string): Promise<boolean> =>
  fs.access(file).then(
    () => true,
    () => false,
  );

export const isDirectory = (file: string): Promise<boolean> =>
  fs.stat(file).then(
    (stats) => stats.isDirectory(),
    () => false,
  );

/** A file of any size, piece by piece. @throws FILE_NOT_FOUND, FILE_UNREADABLE */
export async function* chunksOf(file: string, o: Opening = {}): AsyncGenerator<Uint8Array> {
  const handle = await openFile(file, o);
  try {
    for await (const bytes of handle.createReadStream({ autoClose: false })) yield bytes as Uint8Array;
  } catch (error) {
    throw readError(error, file);
  } finally {
    await handle.close();
  }
}

/** Hexadecimal digest of a file, read in pieces. */
export async function digest(file: string, algorithm: "sha256" | "md5", o: Opening = {}): Promise<string> {
  const hash = createHash(algorithm);
  for await (const bytes of chunksOf(file, o)) hash.update(bytes);
  return hash.digest("hex");
}

export const sha256 = (file: string, o: Opening = {}): Promise<string> => digest(file, "sha256", o);
