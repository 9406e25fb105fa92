import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { count, plural } from "../../../shared/format.ts";
import { readStrictText } from "../../io/text.ts";
import { isClassFolder } from "./classFolders.ts";
import { type ClassList, readClassList } from "./classList.ts";
import { type LabelRows, labelRows } from "./columns.ts";
import { labelsOf, refuseDifferent, refuseOtherFolders, sameLabel } from "./disagreement.ts";
import { tableOf } from "./fields.ts";
import { type Finder, openFinder } from "./finder.ts";
import type { FolderOptions, Found, FoundImage } from "./found.ts";
import { jsonLabels, parseJson, textsIn } from "./jsonLabels.ts";
import { listed, repeated } from "./names.ts";
import { isPictureName } from "./pictureNames.ts";
import type { Entries } from "./walk.ts";

/** Files with labels that are looked for in a folder. */
export const labelFiles = ["labels.csv", "labels.tsv", "labels.txt", "labels.json", "labels.jsonl"];
const isJson = (file: string): boolean => /\.jsonl?$/i.test(file);
/** Those of them that may hold class names instead, beside class folders. */
const ambiguous = ["labels.txt", "labels.json"];

export interface FolderLabels {
  readonly list: ClassList | undefined;
  /** Images by the label files of the folder; null where it has none. */
  readonly found: Found | null;
}

/**
 * Label files and class list of a folder. A `labels.txt` or `labels.json` beside subfolders that names none of their files is a class list.
 * @throws DATASET_INVALID, FILE_NOT_FOUND for an image that is not there
 */
export async function folderLabels(root: string, entries: Entries, o: FolderOptions): Promise<FolderLabels> {
  const present = labelFiles.filter((name) => entries.files.includes(name));
  const needsFinder = o.labels !== "" || present.length > 0;
  const finder = needsFinder ? await openFinder(root) : null;
  const lists: string[] = [];
  const files: string[] = o.labels === "" ? [] : [path.resolve(root, o.labels)];
  for (const name of finder && o.labels === "" ? present : [])
    if (ambiguous.includes(name) && entries.folders.length > 0 && !(await namesFiles(path.join(root, name), finder as Finder)))
      lists.push(name);
    else files.push(path.join(root, name));
  const list = await readClassList(root, lists);
  if (!finder || files.length === 0) return { list, found: null };
  const all = await Promise.all(files.map((file) => readLabels(root, file, finder, o, list)));
  refuseDifferent(all, root);
  const [first] = all;
  if (first && o.labels === "") refuseOtherFolders(first, list, root);
  return { list, found: first ?? null };
}

const parsed = async (file: string, finder: Finder, o: FolderOptions): Promise<LabelRows> => {
  const [content, name] = [await readStrictText(file), path.basename(file)];
  const chosen = { file: o.fileColumn, label: o.labelColumn };
  return isJson(file)
    ? jsonLabels(parseJson(content, name), name, chosen, finder.namesFile)
    : labelRows(tableOf(content, name), name, chosen, finder.namesFile);
};

/** Whether the first lines of a file name files of the folder. */
async function namesFiles(file: string, finder: Finder): Promise<boolean> {
  const content = await readStrictText(file);
  const isName = (cell: string): boolean => finder.namesFile(cell) === "whole";
  if (isJson(file)) return textsIn(parseJson(content, path.basename(file))).some(isName);
  return tableOf(content, path.basename(file))
    .slice(0, 200)
    .some(({ cells }) => cells.some(isName));
}

async function readLabels(root: string, file: string, finder: Finder, o: FolderOptions, list: ClassList | undefined): Promise<Found> {
  const name = path.basename(file);
  const { rows, classes } = await parsed(file, finder, o);
  const twice = classes && repeated(classes);
  if (twice !== undefined)
    throw new BulwarkError("DATASET_INVALID", `${name} names the class "${twice}" twice.`, "Give every class a name of its own.");
  const files = rows.map((row) => finder.find(row.file));
  const missing = rows.filter((_, i) => files[i] === undefined);
  if (missing.length > 0)
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `${name} names ${missing.length === 1 ? "" : `${missing.length} files that are not in ${root}: `}${listed(missing.map((row) => row.file))}${missing.length === 1 ? `, which is not in ${root}` : ""}.`,
      missing.length === rows.length
        ? "Put the label file beside the images, or write their names relative to it."
        : "Correct the label file.",
    );
  const images = rows.map(({ label, split }, i): FoundImage => ({ file: files[i] as string, label, split }));
  const once = eachOnce(images, name);
  const repeats = images.length - once.length;
  const rowed = new Set(once.map((image) => image.file));
  const isUnlisted = (one: string): boolean =>
    isPictureName(one) && isClassFolder(one.split("/")[0] ?? "") && !rowed.has(path.resolve(root, one));
  const unlabelled = finder.tree.files.filter(isUnlisted);
  return {
    images: once,
    folders: null,
    list: list ?? (classes ? { file: name, names: classes } : undefined),
    labelFile: name,
    notes: [
      ...(repeats > 0 ? [`${name} lists ${plural(repeats, "image")} twice; each counts once.`] : []),
      ...unlistedNotes(unlabelled, once.length, name),
      ...finder.tree.notes,
    ],
    skipped: [],
    unlabelled,
  };
}

/** What a label file leaves out is no part of the data set; whoever has forgotten rows must see that. */
function unlistedNotes(files: readonly string[], rows: number, name: string): string[] {
  if (files.length === 0) return [];
  const are = files.length === 1 ? "1 picture of the folder is" : `${count(files.length)} pictures of the folder are`;
  return [`${name} lists ${plural(rows, "picture")}; ${are} in no row and left out: ${listed(files)}.`];
}

/** What a label file of a folder says of each image, by absolute name. @throws DATASET_INVALID, FILE_NOT_FOUND */
export async function labelsIn(folder: string, file: string): Promise<ReadonlyMap<string, string>> {
  const o: FolderOptions = { labels: file, fileColumn: "", labelColumn: "" };
  return labelsOf(await readLabels(folder, file, await openFinder(folder), o, undefined));
}

/** @throws DATASET_INVALID for an image with two labels, or in both splits */
function eachOnce(images: readonly FoundImage[], name: string): FoundImage[] {
  const known = new Map<string, FoundImage>();
  for (const image of images) {
    const before = known.get(image.file);
    if (before && sameLabel(before.label) !== sameLabel(image.label))
      throw new BulwarkError(
        "DATASET_INVALID",
        `${name} gives ${path.basename(image.file)} two labels, ${before.label} and ${image.label}.`,
        "Keep the right one.",
      );
    if (before && before.split !== image.split)
      throw new BulwarkError("DATASET_INVALID", `${name} puts ${path.basename(image.file)} into both splits.`, "Keep it in one of them.");
    known.set(image.file, before ?? image);
  }
  return [...known.values()];
}
