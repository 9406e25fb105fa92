import { existsSync } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { Box } from "../define/index.ts";
import { isDirectory, readBytesSync } from "../io/files.ts";
import type { ReadOptions } from "../io/images.ts";
import { parseVoc, resizeBoxes } from "./voc.ts";

/** Folder of the XML files; undefined means beside each image. @throws FILE_NOT_FOUND for a folder that was named but is not there. */
export async function findAnnotations(root: string, named: string): Promise<string | undefined> {
  if (named !== "") {
    const folder = path.resolve(root, named);
    if (await isDirectory(folder)) return folder;
    throw new BulwarkError("FILE_NOT_FOUND", `There is no folder ${folder} of boxes.`, 'Correct "boxes", or leave it out.');
  }
  for (const name of ["Annotations", "annotations"]) if (await isDirectory(path.join(root, name))) return path.join(root, name);
  return undefined;
}

/**
 * Boxes of an image file, in pixels of the image as it is read; none where it has no XML. The XML's own image size says how it was
 * scaled, so that nothing has to be decoded. In the folder of boxes an XML lies at the same relative path, or flat by name.
 */
export function boxReader(root: string, folder: string | undefined, options: ReadOptions): (file: string) => readonly Box[] {
  return (file) => {
    const relative = path.relative(root, file).replace(/\.[^.]*$/, ".xml");
    const candidates = folder ? [path.join(folder, relative), path.join(folder, path.basename(relative))] : [path.join(root, relative)];
    const xml = candidates.find((candidate) => existsSync(candidate));
    if (!xml) return [];
    const content = Buffer.from(readBytesSync(xml)).toString("utf8");
    const { size, boxes } = parseVoc(content, xml);
    if (!options.size) return boxes;
    if (!size)
      throw new BulwarkError("DATASET_INVALID", `${xml} does not say the size of its image.`, "Add <size> with <width> and <height>.");
    return resizeBoxes(boxes, size, options.size, { rule: options.resize, crop: options.crop ?? 1 });
  };
}
