import path from "node:path";
import type { SkippedFile, Split } from "../../define/index.ts";
import { splitByShare } from "../split.ts";
import { classFolders, isClassFolder } from "./classFolders.ts";
import type { FolderOptions, Found } from "./found.ts";
import { type ClassOrder, type Indexed, indexLabels } from "./indexing.ts";
import { folderLabels } from "./labelFiles.ts";
import { listed } from "./names.ts";
import { type SplitFolders, splitFolders, splitOfPath } from "./splitFolders.ts";
import { entriesOf } from "./walk.ts";

export interface ListedImage {
  /** Absolute. */
  readonly file: string;
  readonly label: number;
}
export interface Listing extends Pick<Indexed, "classNames" | "synsets" | "hasNumberedFolders"> {
  readonly splits: Readonly<Record<Split, readonly ListedImage[]>>;
  /** What was decided that the user may want to know, in sentences. */
  readonly notes: readonly string[];
  readonly skipped: readonly SkippedFile[];
  /** Files that are known to be no pictures by their names. */
  readonly passedOver: number;
}
export interface ListingOptions extends FolderOptions {
  readonly classOrder: ClassOrder;
  readonly testShare: number;
}

/**
 * All images of a folder with their labels: by its label file, else by its class folders, in `train/`, `test/` and the like where it has
 * those. @throws FILE_NOT_FOUND, FILE_UNREADABLE, DATASET_INVALID, LABEL_RANGE
 */
export async function listImages(root: string, o: ListingOptions): Promise<Listing> {
  const found = await findImages(root, o);
  const { labels, notes, ...classes } = indexLabels(found, o.classOrder);
  const images = found.images.map(({ file }, i) => ({ file, label: labels[i] as number }));
  const pick = (rows: readonly number[]): ListedImage[] => rows.map((row) => images[row] as ListedImage);
  const isDivided = found.images.some(({ split }) => split !== undefined);
  const inSplit = (wanted: Split): number[] => found.images.flatMap(({ split }, row) => ((split ?? "train") === wanted ? [row] : []));
  const rows = isDivided ? { train: inSplit("train"), test: inSplit("test") } : splitByShare(labels, o.testShare);
  return {
    ...classes,
    splits: { train: pick(rows.train), test: pick(rows.test) },
    notes: [...found.notes, ...notes, ...skippedNotes(found.skipped)],
    skipped: found.skipped,
    passedOver: found.passedOver,
  };
}

async function findImages(root: string, o: FolderOptions): Promise<Found> {
  const entries = await entriesOf(root);
  const splits = splitFolders(entries.folders);
  const { list, found } = await folderLabels(root, entries, o);
  if (found) {
    const inFolder = (file: string): string => path.relative(root, file).split(path.sep).join("/");
    const images = found.images.map((image) => ({ ...image, split: image.split ?? splitOfPath(inFolder(image.file), splits) }));
    return { ...found, images };
  }
  return splits ? divided(root, splits, list, o) : classFolders(root, entries, list);
}

/** The folders of both splits as one; classes are those of either. */
async function divided(root: string, splits: SplitFolders, list: Found["list"], o: FolderOptions): Promise<Found> {
  const one = async (name: string | null, split: Split): Promise<Found[]> => {
    if (name === null) return [];
    const folder = path.join(root, name);
    const entries = await entriesOf(folder);
    const labels = await folderLabels(folder, entries, { ...o, labels: "" });
    const found = labels.found ?? (await classFolders(folder, entries, labels.list));
    const skipped = found.skipped.map(({ file, reason }) => ({ file: `${name}/${file}`, reason }));
    return [
      {
        ...found,
        skipped,
        images: found.images.map((image) => ({ ...image, split })),
        notes: found.notes.map((note) => `${name}/: ${note}`),
      },
    ];
  };
  const parts = [...(await one(splits.train, "train")), ...(await one(splits.test, "test"))];
  const folders = parts.every((part) => part.folders !== null) ? [...new Set(parts.flatMap((part) => part.folders ?? []))] : null;
  return {
    images: parts.flatMap((part) => part.images),
    folders,
    list: list ?? parts.find((part) => part.list)?.list,
    labelFile: parts.find((part) => part.labelFile !== null)?.labelFile ?? null,
    notes: [...splitNotes(splits), ...parts.flatMap((part) => part.notes)],
    skipped: parts.flatMap((part) => part.skipped),
    passedOver: parts.reduce((sum, part) => sum + part.passedOver, 0),
  };
}

function splitNotes({ train, test, unused, others }: SplitFolders): string[] {
  const notes: string[] = [];
  const isUsual = (train === null || train === "train") && (test === null || test === "test");
  const used = [...(train === null ? [] : [`${train}/ for training`]), ...(test === null ? [] : [`${test}/ for testing`])].join(" and ");
  const rest = unused.length > 0 ? `; ${listed(unused.map((name) => `${name}/`))} ${unused.length === 1 ? "is" : "are"} not used` : "";
  if (!isUsual || rest !== "") notes.push(`Images are taken from ${used}${rest}.`);
  const beside = others.filter(isClassFolder);
  if (beside.length > 0) notes.push(`Folders beside the splits are not read: ${listed(beside)}.`);
  return notes;
}

/** Says how many files were left out, and names the first of them. */
export function skippedNotes(skipped: readonly SkippedFile[]): string[] {
  if (skipped.length === 0) return [];
  const names = listed(skipped.map(({ file, reason }) => `${file} (${reason})`));
  return [`${skipped.length === 1 ? "1 file was" : `${skipped.length} files were`} skipped: ${names}.`];
}
