import { promises as fs } from "node:fs";
import path from "node:path";
import { readError } from "../../io/files.ts";
import { byCodePoint } from "../locate.ts";

/** What a folder holds itself, sorted by code point; hidden things and links to nowhere are left out. */
export interface Entries {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** @throws FILE_NOT_FOUND, FILE_UNREADABLE */
export async function entriesOf(folder: string): Promise<Entries> {
  const found = await fs.readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw readError(error, folder);
  });
  const [folders, files]: [string[], string[]] = [[], []];
  for (const entry of found) {
    if (entry.name.startsWith(".") || entry.name === "__MACOSX") continue;
    const target = entry.isSymbolicLink() ? await fs.stat(path.join(folder, entry.name)).catch(() => null) : entry;
    if (target?.isDirectory()) folders.push(entry.name);
    else if (target?.isFile()) files.push(entry.name);
  }
  return { folders: folders.sort(byCodePoint), files: files.sort(byCodePoint) };
}

/** All files in and below a folder as relative names with "/", by code point. Only names are read, several folders at once. */
export async function filesBelow(root: string): Promise<string[]> {
  const files: string[] = [];
  const seen = new Set<string>();
  let level = [""];
  while (level.length > 0) {
    const deeper = await inParallel(level, async (relative) => {
      const real = await fs.realpath(path.join(root, relative));
      if (seen.has(real)) return []; // a link into its own folder
      seen.add(real);
      const { folders, files: here } = await entriesOf(path.join(root, relative));
      const inside = (name: string): string => (relative === "" ? name : `${relative}/${name}`);
      for (const name of here) files.push(inside(name));
      return folders.map(inside);
    });
    level = deeper.flat();
  }
  return files.sort(byCodePoint);
}

const together = 16; // a network drive answers many questions in the time of one

/** `work` for all items, some at a time; results in the order of the items. The first error ends it. */
export async function inParallel<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(together, items.length) }, worker));
  return results;
}
