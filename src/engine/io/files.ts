import { createHash } from "node:crypto";
import { createReadStream, promises as fs } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
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

/** The same for content that is written in pieces: `write` fills the temporary file whose name it is given. It is on the disk before it is renamed. */
export async function replaceAtomic(file: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = temporaryName(file);
  try {
    makeFolders(path.dirname(file));
    await write(temporary);
    await flush(temporary);
    await fs.rename(temporary, file);
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw writeError(error, file);
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

/** The whole file. @throws FILE_NOT_FOUND, FILE_UNREADABLE (also for a folder). */
export async function readBytes(file: string): Promise<Uint8Array> {
  try {
    const { buffer, byteOffset, byteLength } = await fs.readFile(file);
    return new Uint8Array(buffer, byteOffset, byteLength); // a Buffer's slice() would share memory
  } catch (error) {
    throw readError(error, file);
  }
}

/** The whole file as UTF-8 text, or UTF-16 where its byte-order mark says so; without the mark. */
export async function readText(file: string): Promise<string> {
  const bytes = await readBytes(file);
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
      return error;
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

/** Hexadecimal digest of a file, read in pieces. */
export async function digest(file: string, algorithm: "sha256" | "md5"): Promise<string> {
  const hash = createHash(algorithm);
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    throw readError(error, file);
  }
  return hash.digest("hex");
}

export const sha256 = (file: string): Promise<string> => digest(file, "sha256");
