import { writeFileSync } from "node:fs";
import path from "node:path";
import { gitignoreText, workspaceFolder } from "../../shared/runs.ts";
import { writeError } from "./files.ts";
import { makeFolders } from "./makeFolders.ts";

/**
 * Makes a folder and what is missing above it. A `.bulwark` that is made on the way gets a `.gitignore`, so that results and data never end up
 * in somebody's repository; one that was there already is left as its owner wants it.
 * @throws NOT_WRITABLE, DISK_FULL
 */
export function makeFolder(directory: string): void {
  try {
    for (const folder of makeFolders(path.resolve(directory)))
      if (path.basename(folder) === workspaceFolder) writeFileSync(path.join(folder, ".gitignore"), gitignoreText, { flag: "wx" });
  } catch (thrown) {
    throw writeError(thrown, directory);
  }
}
