import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { Split } from "../define/index.ts";
import { exists, isDirectory, readText } from "../io/files.ts";
import { indexLabels, parseLabelFile, readClasses } from "./labelFile.ts";
import { byCodePoint, listFolder } from "./locate.ts";
import { splitByShare } from "./split.ts";

export interface ListedImage {
  readonly file: string;
  readonly label: number;
}
export interface Listing {
  readonly classNames: readonly string[];
  readonly splits: Readonly<Record<Split, readonly ListedImage[]>>;
}
interface Found {
  readonly file: string;
  readonly label: string;
  readonly split: Split | undefined;
}

const imageName = /\.(png|jpe?g|webp|bmp|gif|tiff?)$/i;
const splitFolders: readonly (readonly [name: string, split: Split])[] = [
  ["train", "train"],
  ["training", "train"],
  ["test", "test"],
  ["val", "test"],
  ["validation", "test"],
];

/** All images of the folder with their labels. @throws FILE_NOT_FOUND, DATASET_INVALID, LABEL_RANGE */
export async function listImages(root: string, o: { readonly labels: string; readonly testShare: number }): Promise<Listing> {
  const found = await findImages(root, o.labels);
  const { labels, classNames } = indexLabels(
    found.map(({ label }) => label),
    await readClasses(root),
  );
  const images = found.map(({ file }, i) => ({ file, label: labels[i] as number }));
  const pick = (rows: readonly number[]): ListedImage[] => rows.map((row) => images[row] as ListedImage);
  if (found.some(({ split }) => split !== undefined)) {
    const rows = (wanted: Split): number[] => found.flatMap(({ split }, row) => ((split ?? "train") === wanted ? [row] : []));
    return { classNames, splits: { train: pick(rows("train")), test: pick(rows("test")) } };
  }
  const rows = splitByShare(labels, o.testShare);
  return { classNames, splits: { train: pick(rows.train), test: pick(rows.test) } };
}

async function findImages(root: string, labelFile: string): Promise<Found[]> {
  if (labelFile !== "") return fromLabelFile(path.resolve(root, labelFile), root);
  const folders: Found[] = [];
  let divided = false;
  for (const [name, split] of splitFolders) {
    const folder = path.join(root, name);
    if (!(await isDirectory(folder))) continue;
    if (split === "test" && folders.some((image) => image.split === "test")) continue; // test/ wins over val/
    divided = true;
    folders.push(...(await fromFolder(folder)).map((image) => ({ ...image, split })));
  }
  return divided ? folders : fromFolder(root);
}

async function fromFolder(folder: string): Promise<Found[]> {
  for (const name of ["labels.csv", "labels.txt"])
    if (await exists(path.join(folder, name))) return fromLabelFile(path.join(folder, name), folder);
  const found: Found[] = [];
  for (const name of await listFolder(folder)) {
    const inside = path.join(folder, name);
    if (!(await isDirectory(inside)) || /^annotations$/i.test(name)) continue;
    found.push(...(await imagesUnder(inside)).map((file) => ({ file, label: name, split: undefined })));
  }
  return found;
}

/** ImageNet keeps some images a level deeper, as `n01440764/images/x.JPEG`. */
async function imagesUnder(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const name of await listFolder(folder)) {
    const file = path.join(folder, name);
    if (imageName.test(name)) files.push(file);
    else if (!path.extname(name) && (await isDirectory(file))) files.push(...(await imagesUnder(file)));
  }
  return files.sort(byCodePoint);
}

async function fromLabelFile(labelFile: string, folder: string): Promise<Found[]> {
  const rows = parseLabelFile(await readText(labelFile), labelFile);
  for (const { file } of rows) {
    if (await exists(path.resolve(folder, file))) continue;
    throw new BulwarkError(
      "FILE_NOT_FOUND",
      `${path.basename(labelFile)} names ${file}, which is not in ${folder}.`,
      "Correct the label file.",
    );
  }
  return rows.map((row) => ({ ...row, file: path.resolve(folder, row.file) }));
}
