import { promises as fs } from "node:fs";
import path from "node:path";
import { count, plural } from "../../../shared/format.ts";
import type { SkippedFile } from "../../define/index.ts";
import { readError, systemCode } from "../../io/files.ts";
import { byCodePoint, isPassedOver, isSystemFolder } from "../locate.ts";
import { listed } from "./names.ts";
import { isPictureName } from "./pictureNames.ts";

/** What a folder holds itself, sorted by code point; hidden things are left out. */
export interface Entries {
  /** Links to folders among them. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Those of the folders that are links. */
  readonly links: ReadonlySet<string>;
  /** Links that lead nowhere. */
  readonly dead: readonly string[];
  /** Folders that an operating system or another program made: `@eaDir`, `lost+found` … */
  readonly system: readonly string[];
}

/** @throws FILE_NOT_FOUND, FILE_UNREADABLE */
export async function entriesOf(folder: string): Promise<Entries> {
  const found = await fs.readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw readError(error, folder);
  });
  const [folders, files, dead, system]: [string[], string[], string[], string[]] = [[], [], [], []];
  const links = new Set<string>();
  for (const entry of found) {
    const { name } = entry;
    if (isPassedOver(name)) {
      if (isSystemFolder(name) && entry.isDirectory()) system.push(name);
      continue;
    }
    const isLink = entry.isSymbolicLink();
    const target = isLink ? await targetOf(path.join(folder, name)) : entry;
    if (target === null) dead.push(name);
    else if (target.isFile()) files.push(name);
    else if (target.isDirectory()) {
      folders.push(name);
      if (isLink) links.add(name);
    }
  }
  for (const names of [folders, files, dead, system]) names.sort(byCodePoint);
  return { folders, files, links, dead, system };
}

/** What a link leads to; null for nowhere. @throws FILE_UNREADABLE */
const targetOf = (link: string) =>
  fs.stat(link).catch((error: unknown) => {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return null;
    throw readError(error, link);
  });

/** Everything in and below a folder; names are relative to it, with "/". */
export interface Tree {
  /** By code point. */
  readonly files: readonly string[];
  /** Links to nowhere that are called like pictures. */
  readonly skipped: readonly SkippedFile[];
  readonly notes: readonly string[];
}

/**
 * Reads the names in and below a folder, several folders at once. A link to a folder that is read anyway, or that holds this one, is not
 * followed: its pictures would count twice, or without end. @throws FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function treeOf(root: string): Promise<Tree> {
  const files: string[] = [];
  const [dead, system, unfollowed]: [string[], string[], string[]] = [[], [], []];
  const followed = await openLinks(root);
  let level = [""];
  while (level.length > 0) {
    const read = await inParallel(level, (relative) => entriesOf(path.join(root, relative)));
    const next: string[] = [];
    for (const [i, entries] of read.entries()) {
      const folder = level[i] === "" ? "" : `${level[i]}/`;
      for (const name of entries.files) files.push(folder + name);
      for (const name of entries.dead) dead.push(folder + name);
      for (const name of entries.system) system.push(folder + name);
      for (const name of entries.folders)
        if (!entries.links.has(name) || (await followed(folder + name))) next.push(folder + name);
        else unfollowed.push(folder + name);
    }
    level = next;
  }
  return {
    files: files.sort(byCodePoint),
    skipped: dead.filter(isPictureName).map((file) => ({ file, reason: "a link to nowhere" })),
    notes: [...linkNotes(unfollowed), ...(await systemNotes(root, system))],
  };
}

/** Whether a link is to be followed; asked once for each, in order. */
async function openLinks(root: string): Promise<(link: string) => Promise<boolean>> {
  const real = async (file: string): Promise<string> =>
    fs.realpath(file).catch((error: unknown) => {
      throw readError(error, file);
    });
  const own = await real(root);
  const seen: string[] = [];
  return async (link) => {
    const target = await real(path.join(root, link));
    const inside = isIn(target, own) ? path.relative(own, target).split(path.sep) : null;
    if (inside ? !inside.some(isPassedOver) : isIn(own, target)) return false;
    if (seen.some((other) => isIn(target, other) || isIn(other, target))) return false;
    seen.push(target);
    return true;
  };
}

/** A folder is in itself. */
const isIn = (file: string, folder: string): boolean =>
  file === folder || file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);

const linkNotes = (links: readonly string[]): string[] =>
  links.length === 0
    ? []
    : [
        `${links.length === 1 ? "A link leads to a folder that is read anyway and is" : `${count(links.length)} links lead to folders that are read anyway and are`} not followed: ${listed(links)}.`,
      ];

/** Counts the pictures in folders of the system; what cannot be read there holds none of the user's. */
async function systemNotes(root: string, folders: readonly string[]): Promise<string[]> {
  const counts = await inParallel(folders, async (folder) => {
    const found = await fs.readdir(path.join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
    return found.filter((entry) => entry.isFile() && isPictureName(entry.name) && !entry.name.startsWith(".")).length;
  });
  const sum = counts.reduce((a, b) => a + b, 0);
  if (sum === 0) return [];
  const holding = folders.filter((_, i) => counts[i] !== 0);
  return [
    `${plural(sum, "picture")} in ${listed(holding)} ${sum === 1 ? "is" : "are"} passed over: other programs keep their files there.`,
  ];
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
