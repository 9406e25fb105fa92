import { mkdirSync, statSync } from "node:fs";
import path from "node:path";

/**
 * Makes a folder and what is missing above it, one after the other. Node's own recursive `mkdir` never ends on a file system that takes no
 * folders, such as /proc.
 * @returns those that were made, the uppermost first. @throws what the system says
 */
export function makeFolders(directory: string): string[] {
  try {
    return made(directory);
  } catch (error) {
    const parent = path.dirname(directory);
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || parent === directory) throw error;
    return [...makeFolders(parent), ...made(directory)];
  }
}

function made(folder: string): string[] {
  try {
    mkdirSync(folder);
    return [folder];
  } catch (error) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
    throw error;
  }
}
