import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { plural } from "../../../shared/format.ts";
import type { SkippedFile, Split } from "../../define/index.ts";
import { splitByShare } from "../split.ts";
import { classFolders, isClassFolder } from "./classFolders.ts";
import type { FolderOptions, Found } from "./found.ts";
import { type ClassOrder, type Indexed, indexLabels } from "./indexing.ts";
import { folderLabels } from "./labelFiles.ts";
import { listed } from "./names.ts";
import { type SplitFolders, splitFolders, splitOfPath } from "./splitFolders.ts";
import { entriesOf } from "./walk.ts";

/** Why a picture is left out that nothing gives a label. */
export const noLabel = "no label";

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
    skipped: [...found.skipped, ...found.unlabelled.map((file): SkippedFile => ({ file, reason: noLabel }))],
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
    const unlabelled = found.unlabelled.map((file) => `${name}/${file}`);
    return [
      {
        ...found,
        skipped,
        unlabelled,
        images: found.images.map((image) => ({ ...image, split })),
        notes: [...found.notes, ...unlabelledNotes(found)].map((note) => `${name}/: ${note}`),
      },
    ];
  };
  const parts = [...(await one(splits.train, "train")), ...(await one(splits.test, "test"))];
  if (parts.every(({ images }) => images.length === 0)) refuseSplitAsClass(root, splits);
  const folders = parts.every((part) => part.folders !== null) ? [...new Set(parts.flatMap((part) => part.folders ?? []))] : null;
  return {
    images: parts.flatMap((part) => part.images),
    folders,
    list: list ?? parts.find((part) => part.list)?.list,
    labelFile: parts.find((part) => part.labelFile !== null)?.labelFile ?? null,
    notes: [...splitNotes(splits), ...parts.flatMap((part) => part.notes)],
    skipped: parts.flatMap((part) => part.skipped),
    unlabelled: parts.flatMap((part) => part.unlabelled),
  };
}

/** One split whose pictures lie there loose, beside another that has labels. */
const unlabelledNotes = ({ images, unlabelled }: Found): string[] =>
  images.length === 0 && unlabelled.length > 0 ? [`${plural(unlabelled.length, "picture")} without a label left out.`] : [];

/** `test/1.png` beside `cat/1.png`: whoever has a class "test" must know that it is taken for a split. @throws DATASET_INVALID */
function refuseSplitAsClass(root: string, { train, test, others }: SplitFolders): void {
  const beside = others.filter(isClassFolder);
  const names = [train, test].flatMap((name) => name ?? []);
  if (beside.length === 0 || names.length === 0) return;
  const [is, has] = names.length === 1 ? ["was taken for a split", "has"] : ["were taken for splits", "have"];
  throw new BulwarkError(
    "DATASET_INVALID",
    `${names.join(" and ")} in ${root} ${is} and ${has} no labelled pictures; ${listed(beside)} beside ${names.length === 1 ? "it" : "them"} ${beside.length === 1 ? "was" : "were"} not read.`,
    `If ${names[0]} is a class, give its folder another name, such as ${names[0]}-class.`,
  );
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
