import { promises as fs } from "node:fs";
import path from "node:path";
import { isNameInside } from "../../shared/runs.ts";

/** A picture of a run is far smaller. */
const most = 64 * 1024 * 1024;
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * A PNG that a file of a run folder names. Such a file may come from anybody: null where the name or a link leads out of the folder, and
 * where there is no plain file that is a PNG.
 */
export async function readPngInside(directory: string, name: string): Promise<Buffer | null> {
  if (!isNameInside(name)) return null;
  try {
    const [folder, file] = await Promise.all([fs.realpath(directory), fs.realpath(path.join(directory, name))]);
    if (!file.startsWith(folder + path.sep)) return null;
    const found = await fs.stat(file);
    if (!found.isFile() || found.size > most) return null;
    const bytes = await fs.readFile(file);
    return bytes.subarray(0, pngSignature.length).equals(pngSignature) ? bytes : null;
  } catch {
    return null; // somebody deleted it
  }
}
