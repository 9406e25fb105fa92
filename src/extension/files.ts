import { constants, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { type FileHandle, lstat, open, readdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { BulwarkError } from "../shared/errors.ts";
import { gitignoreText, isNameInside, workspaceFolder, workspacePlaces } from "../shared/runs.ts";
import { type Read, readAs, type Shape } from "../shared/shapes.ts";

/** A `.bulwark` that came with a folder from elsewhere may be a link, or hold one, to any place. */
const linkedPlace = (directory: string): string | undefined =>
  workspacePlaces(directory, path.sep).find((place) => lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink());

/**
 * Makes a folder and what is missing above it; a new `.bulwark` on the way gets its `.gitignore`, as the engine's do.
 * @throws NOT_WRITABLE where that would lead through a link
 */
export function makeFolder(directory: string): void {
  const link = linkedPlace(directory);
  if (link !== undefined)
    throw new BulwarkError("NOT_WRITABLE", `${link} is a link, and nothing is written through it.`, "Replace it with a folder.");
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined) return;
  for (let folder = directory; folder.length >= first.length; folder = path.dirname(folder))
    if (path.basename(folder) === workspaceFolder) writeFileSync(path.join(folder, ".gitignore"), gitignoreText, { flag: "wx" });
}

/** A JSON file of ours is far smaller. */
const mostBytes = 512 * 1024 * 1024;

/** Opening does not wait for a writer where the file has become a pipe since it was looked at. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

export interface Opening {
  /** Whether a link is followed: not in a run folder, which may come from a stranger. */
  readonly links: boolean;
  /** Bytes; a larger file is not opened. */
  readonly most?: number;
}

/**
 * The one door through which files of a folder are opened. Only regular files come in: opening a pipe waits for ever, a device has no end.
 * @returns what `read` makes of the file; undefined where there is none that may be opened
 */
export async function openPlain<T>(
  file: string,
  { links, most = Number.POSITIVE_INFINITY }: Opening,
  read: (handle: FileHandle, size: number) => Promise<T>,
): Promise<T | undefined> {
  let handle: FileHandle | undefined;
  try {
    const found = await (links ? stat : lstat)(file);
    if (!found.isFile() || found.size > most) return undefined;
    handle = await open(file, flags);
    const opened = await handle.stat(); // it may be another file by now
    return opened.isFile() && opened.size <= most ? await read(handle, opened.size) : undefined;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}

/** Text of a file of a bearable size; undefined when there is none. */
export const readText = (file: string, o: Opening): Promise<string | undefined> =>
  openPlain(file, { most: mostBytes, ...o }, (handle) => handle.readFile("utf8"));

/** The last bytes of a long file, from the first whole line among them. */
export const readEnd = (file: string, bytes: number, o: Opening): Promise<string | undefined> =>
  openPlain(file, o, async (handle, size) => {
    const start = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(bytes, size)), 0, Math.min(bytes, size), start);
    const text = buffer.toString("utf8", 0, bytesRead);
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  });

/** A JSON file of a run folder, or what is wrong with it; undefined when it is not there. */
export async function readShaped<T>(file: string, shape: Shape<T>): Promise<Read<T> | undefined> {
  const text = await readText(file, { links: false });
  return text === undefined ? undefined : readAs(shape, text);
}

/** The same, undefined also where it is damaged. */
export async function readWhole<T>(file: string, shape: Shape<T>): Promise<T | undefined> {
  const read = await readShaped(file, shape);
  return read && "value" in read ? read.value : undefined;
}

/** A file that a file of a run folder names; null where there is none, or where the name or a link leads out of the folder. */
export async function readInside(directory: string, name: string): Promise<Buffer | null> {
  if (!isNameInside(name)) return null;
  try {
    const [folder, file] = await Promise.all([realpath(directory), realpath(path.join(directory, name))]);
    if (!isInside(folder, file)) return null;
    return (await openPlain(file, { links: false, most: mostBytes }, (handle) => handle.readFile())) ?? null;
  } catch {
    return null;
  }
}

/** A JSON file of a person's own, or undefined when it is not there or not whole. The caller checks the shape. */
export async function readJson(file: string, most?: number): Promise<unknown> {
  try {
    return JSON.parse((await readText(file, { links: true, ...(most === undefined ? {} : { most }) })) ?? "") as unknown;
  } catch {
    return undefined;
  }
}

let temporaries = 0;
/** Writes a file as a whole: readers see the old content or the new one, and a link of that name is replaced, not followed. */
export async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${process.pid}-${++temporaries}.tmp`;
  try {
    await rm(temporary, { force: true });
    await writeFile(temporary, text, { flag: "wx" });
    await rename(temporary, file);
  } catch (thrown) {
    await rm(temporary, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw thrown;
  }
}

/** A folder that is no link, in a `.bulwark` that is none either. */
export async function isOwnFolder(directory: string): Promise<boolean> {
  if (linkedPlace(directory) !== undefined) return false;
  return lstat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

export async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch {
    return false;
  }
}
/** Names in a folder; none when it cannot be read. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch {
    return [];
  }
}
/** Folders in a folder; links are none, and none lie behind a `.bulwark` that is a link. */
export async function foldersIn(directory: string): Promise<string[]> {
  if (linkedPlace(directory) !== undefined) return [];
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** True when `file` lies in `directory`. */
export const isInside = (directory: string, file: string): boolean => {
  const relative = path.relative(directory, file);
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
};
