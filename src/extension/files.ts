import { mkdirSync, writeFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { gitignoreText, workspaceFolder } from "../shared/runs.ts";

/** Makes a folder and what is missing above it; a new `.bulwark` on the way gets its `.gitignore`, as the engine's do. */
export function makeFolder(directory: string): void {
  const first = mkdirSync(directory, { recursive: true });
  if (first === undefined) return;
  for (let folder = directory; folder.length >= first.length; folder = path.dirname(folder))
    if (path.basename(folder) === workspaceFolder) writeFileSync(path.join(folder, ".gitignore"), gitignoreText, { flag: "wx" });
}

/** A JSON file, or undefined when it is not there or not whole. The caller checks the shape. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as unknown;
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
