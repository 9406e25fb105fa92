import { promises as fs } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { isDirectory, readError } from "../io/files.ts";

/** Names in a folder, sorted by code point so that every machine sees the same order; hidden files and those of the system are left out. */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    const names = await fs.readdir(folder);
    return names.filter((name) => !isPassedOver(name)).sort(byCodePoint);
  } catch (error) {
    throw readError(error, folder);
  }
}

/** Folders that operating systems, network drives and notebooks make beside a person's own. */
const systemFolder = /^(__MACOSX|@eaDir|#recycle|lost\+found|\$RECYCLE\.BIN|System Volume Information|\.ipynb_checkpoints)$/i;
export const isSystemFolder = (name: string): boolean => systemFolder.test(name);
/** Hidden, or made by a system. */
export const isPassedOver = (name: string): boolean => name.startsWith(".") || isSystemFolder(name);

export const byCodePoint = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The given folder, or the first of its usual subfolders, that holds a file whose name matches. */
export async function folderWith(folder: string, subfolders: readonly string[], pattern: RegExp, kind: string): Promise<string> {
  if (!(await isDirectory(folder))) {
    throw new BulwarkError("FILE_NOT_FOUND", `There is no folder ${folder} with the ${kind} data.`, `Give the path as "${kind}:FOLDER".`);
  }
  for (const subfolder of ["", ...subfolders]) {
    const candidate = path.join(folder, subfolder);
    if ((await isDirectory(candidate)) && (await listFolder(candidate)).some((name) => pattern.test(name))) return candidate;
  }
  const names = await listFolder(folder);
  const archive = names.find((name) => /\.(tar\.gz|tgz|tar|zip)$/.test(name));
  throw new BulwarkError(
    "FILE_NOT_FOUND",
    `${folder} holds no ${kind} files${archive ? `, only the archive ${archive}` : ""}.`,
    archive ? "Unpack the archive there." : "Check the path.",
  );
}

/** Every data set but MNIST has to be told where its files are. */
export function requiredPath(kind: string, given: string): string {
  if (given !== "") return given;
  throw new BulwarkError("FILE_NOT_FOUND", `The data set ${kind} needs the path of its files.`, `Give it as "${kind}:PATH".`);
}
