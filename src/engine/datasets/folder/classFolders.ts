import path from "node:path";
import type { SkippedFile } from "../../define/index.ts";
import type { ClassList } from "./classList.ts";
import type { Found, FoundImage } from "./found.ts";
import { listed, normalName } from "./names.ts";
import { sortFiles } from "./pictureFiles.ts";
import { type Entries, filesBelow, inParallel } from "./walk.ts";

export const isClassFolder = (name: string): boolean => !/^annotations$/i.test(name);

/**
 * A folder with one subfolder for each class, at any depth below it: ImageNet has `n01440764/images/x.JPEG`. A class folder without
 * images keeps its place among the classes.
 */
export async function classFolders(root: string, entries: Entries, list: ClassList | undefined): Promise<Found> {
  const folders = entries.folders.filter(isClassFolder);
  const found = await inParallel(folders, async (name) => sortFiles(path.join(root, name), await filesBelow(path.join(root, name))));
  const images = folders.flatMap((name, i): FoundImage[] =>
    (found[i]?.pictures ?? []).map((file) => ({ file: path.join(root, name, file), label: normalName(name), split: undefined })),
  );
  const skipped = folders.flatMap((name, i): SkippedFile[] =>
    (found[i]?.skipped ?? []).map(({ file, reason }) => ({ file: `${name}/${file}`, reason })),
  );
  const empty = folders.filter((_, i) => found[i]?.pictures.length === 0);
  const notes =
    images.length > 0 && empty.length > 0
      ? [
          `${empty.length === 1 ? "The class folder" : "The class folders"} ${listed(empty)} ${empty.length === 1 ? "has" : "have"} no images.`,
        ]
      : [];
  const passedOver = found.reduce((sum, one) => sum + one.passedOver, 0);
  return { images, folders: folders.map(normalName), list, labelFile: null, notes, skipped, passedOver };
}
