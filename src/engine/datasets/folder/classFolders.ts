import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { plural } from "../../../shared/format.ts";
import type { ClassList } from "./classList.ts";
import type { Found, FoundImage } from "./found.ts";
import { listed, normalName } from "./names.ts";
import { sortFiles } from "./pictureFiles.ts";
import { splitFolders } from "./splitFolders.ts";
import { type Entries, treeOf } from "./walk.ts";

export const isClassFolder = (name: string): boolean => !/^annotations$/i.test(name);

/**
 * A folder with one subfolder for each class, at any depth below it: ImageNet has `n01440764/images/x.JPEG`. A class folder without
 * images keeps its place among the classes. @throws DATASET_INVALID for one folder whose subfolders are the classes
 */
export async function classFolders(root: string, entries: Entries, list: ClassList | undefined): Promise<Found> {
  const folders = entries.folders.filter(isClassFolder);
  const tree = await treeOf(root);
  const sorted = await sortFiles(root, tree.files);
  const isHere = (file: string): boolean => !file.includes("/") || isClassFolder(firstFolder(file));
  const labels = new Map(folders.map((name) => [name, normalName(name)]));
  const [images, unlabelled, used]: [FoundImage[], string[], Set<string>] = [[], [], new Set()];
  for (const file of sorted.pictures) {
    const name = firstFolder(file);
    const label = labels.get(name);
    if (name === "") unlabelled.push(file);
    if (label === undefined) continue;
    used.add(name);
    images.push({ file: path.join(root, file), label, split: undefined });
  }
  const [only] = used;
  if (only !== undefined && used.size === 1 && !list) refuseExtraLevel(root, only, sorted.pictures);
  const empty = folders.filter((name) => !used.has(name));
  const notes =
    images.length > 0 && empty.length > 0
      ? [
          `${empty.length === 1 ? "The class folder" : "The class folders"} ${listed(empty)} ${empty.length === 1 ? "has" : "have"} no images.`,
        ]
      : [];
  if (images.length > 0 && unlabelled.length > 0)
    notes.push(
      `${plural(unlabelled.length, "picture")} beside the class folders ${unlabelled.length === 1 ? "has no label and is" : "have no label and are"} left out: ${listed(unlabelled)}.`,
    );
  return {
    images,
    folders: folders.map(normalName),
    list,
    labelFile: null,
    notes: [...notes, ...tree.notes],
    skipped: [...sorted.skipped, ...tree.skipped].filter(({ file }) => isHere(file)),
    unlabelled,
  };
}

const firstFolder = (file: string): string => file.slice(0, Math.max(0, file.indexOf("/")));

/** `data/red/1.png`, `data/green/2.png`: "data" is no class. A class may have one more folder in it, but not several and no splits. */
function refuseExtraLevel(root: string, name: string, pictures: readonly string[]): void {
  const below = pictures.filter((file) => firstFolder(file) === name).map((file) => file.slice(name.length + 1));
  if (below.some((file) => !file.includes("/"))) return;
  const folders = [...new Set(below.map(firstFolder))];
  if (folders.length < 2 && splitFolders(folders) === null) return;
  throw new BulwarkError(
    "DATASET_INVALID",
    `${root} holds the one folder ${name}, and the pictures lie in folders below it: ${listed(folders)}.`,
    `Give the folder below: ${path.join(root, name)}.`,
  );
}
