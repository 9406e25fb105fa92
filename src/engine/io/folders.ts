import { lstatSync, writeFileSync } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { gitignoreText, workspaceFolder, workspacePlaces } from "../../shared/runs.ts";
import { writeError } from "./files.ts";
import { makeFolders } from "./makeFolders.ts";

/** A `.bulwark` that came with a folder from elsewhere may be a link, or hold one, to any place. @throws NOT_WRITABLE */
function refuseLinkedWorkspace(directory: string): void {
  const link = workspacePlaces(directory, path.sep).find((place) => lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink());
  if (link === undefined) return;
  throw new BulwarkError(
    "NOT_WRITABLE",
    `${link} is a link, and nothing is written through it.`,
    "Replace it with a folder, or choose another place with --out.",
  );
}

/**
 * Makes a folder and what is missing above it. A `.bulwark` that is made on the way gets a `.gitignore`, so that results and data never end up
 * in somebody's repository; one that was there already is left as its owner wants it.
 * @throws NOT_WRITABLE, DISK_FULL
 */
export function makeFolder(directory: string): void {
  try {
    refuseLinkedWorkspace(path.resolve(directory));
    for (const folder of makeFolders(path.resolve(directory)))
      if (path.basename(folder) === workspaceFolder) writeFileSync(path.join(folder, ".gitignore"), gitignoreText, { flag: "wx" });
  } catch (thrown) {
    throw writeError(thrown, directory);
  }
}
