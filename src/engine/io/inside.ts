import path from "node:path";
import { isNameInside } from "../../shared/runs.ts";
import { readBytes } from "./files.ts";

/** A picture of a run is far smaller. */
const most = 64 * 1024 * 1024;
const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * A PNG that a file of a run folder names. Such a file may come from anybody: null where the name or a link leads out of the folder, and
 * where there is no plain file that is a PNG.
 */
export async function readPngInside(directory: string, name: string): Promise<Buffer | null> {
  if (!isNameInside(name)) return null;
  const bytes = await readBytes(path.join(directory, name), { most, inside: directory }).catch(() => null); // somebody may have deleted it
  if (bytes === null) return null;
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return png.subarray(0, pngSignature.length).equals(pngSignature) ? png : null;
}
