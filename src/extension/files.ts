import { mkdirSync, writeFileSync } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { gitignoreText, isNameInside, workspaceFolder } from "../shared/runs.ts";
import { type Read, readAs, type Shape } from "../shared/shapes.ts";

/** Makes a folder and what is missing above it; a new `.bulwark` on the way gets its `.gitignore`, as the engine's do. */
export function makeFolder(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined) return;
  for (let folder = directory; folder.length >= first.length; folder = path.dirname(folder))
    if (path.basename(folder) === workspaceFolder) writeFileSync(path.join(folder, ".gitignore"), gitignoreText, { flag: "wx" });
}

/** A JSON file of ours is far smaller. */
const mostBytes = 512 * 1024 * 1024;

/** Text of a plain file of a bearable size; undefined when there is none. */
async function textOf(file: string): Promise<string | undefined> {
  try {
    const found = await stat(file);
    return found.isFile() && found.size <= mostBytes ? await readFile(file, "utf8") : undefined;
  } catch {
    return undefined;
  }
}

/** A JSON file of a run folder, or what is wrong with it; undefined when it is not there. */
export async function readShaped<T>(file: string, shape: Shape<T>): Promise<Read<T> | undefined> {
  const text = await textOf(file);
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
    const found = await stat(file);
    return isInside(folder, file) && found.isFile() && found.size <= mostBytes ? await readFile(file) : null;
  } catch {
    return null;
  }
}

/** Any other JSON file, or undefined when it is not there or not whole. The caller checks the shape. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse((await textOf(file)) ?? "") as unknown;
  } catch {
    return undefined;
  }
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
export async function foldersIn(directory: string): Promise<string[]> {
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
