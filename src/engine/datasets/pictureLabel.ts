import path from "node:path";
import { BulwarkError, isCancelled } from "../../shared/errors.ts";
import type { LabelSource } from "../../shared/verdict.ts";
import { exists, isDirectory, readText } from "../io/files.ts";
import { labelFiles, labelsIn } from "./folder/labelFiles.ts";
import { listFolder } from "./locate.ts";
import { nameFinder } from "./nameForms.ts";
import { parseVoc } from "./voc.ts";

/** The true class of a picture, and who says so. */
export interface PictureLabel {
  readonly index: number;
  readonly source: LabelSource;
}
export interface FoundLabel {
  /** Null where nothing says it, or where two things say different classes. */
  readonly label: PictureLabel | null;
  /** Why a label that was found does not count, for the person. */
  readonly notes: readonly string[];
}

export interface ClassList {
  readonly classNames: readonly string[];
  /** WordNet ids such as n01440764, where they are known. */
  readonly synsets: readonly string[] | null;
}

/** Folders above a picture that may name its class: ImageNet keeps some a level deeper, as `n01440764/images/x.JPEG`. */
const levels = 2;

/**
 * What the files around a picture say of its class: a label file that lists it, a Pascal-VOC annotation of its name, or the class folder
 * it lies in. Only names of the model's own classes count; nothing is guessed from an order. Never throws for what it cannot read.
 * @param classes of the model, in index order
 */
export async function labelOfPicture(file: string, { classNames, synsets }: ClassList): Promise<FoundLabel> {
  const indexOf = classIndex(classNames, synsets);
  const notes: string[] = [];
  const found = (
    await Promise.all([
      fromLabelFile(file, indexOf, classNames.length, notes),
      fromAnnotation(file, indexOf),
      fromFolder(file, indexOf, classNames),
    ])
  ).flatMap((label) => label ?? []);
  const [first] = found;
  const other = found.find(({ index }) => index !== first?.index);
  if (!first || !other) return { label: first ?? null, notes };
  const says = ({ index, source: { kind, name } }: PictureLabel): string =>
    `${kind === "folder" ? `the folder ${name}` : name} says "${classNames[index]}"`;
  return { label: null, notes: [`no label: ${says(first)}, but ${says(other)}`, ...notes] };
}

type IndexOf = (name: string) => number | undefined;

/** Index of a class by its WordNet id or, as `nameFinder` compares, by its name. A name that two classes bear ("crane") is neither's. */
export function classIndex(classNames: readonly string[], synsets: readonly string[] | null = null): IndexOf {
  const byId = new Map((synsets ?? []).map((id, index) => [id, index]));
  const byName = nameFinder(classNames);
  return (name) => byId.get(name) ?? (name === "" ? undefined : byName(name));
}

async function fromFolder(file: string, indexOf: IndexOf, classNames: readonly string[]): Promise<PictureLabel | undefined> {
  let folder = path.dirname(path.resolve(file));
  for (let level = 0; level < levels; level++) {
    const name = path.basename(folder);
    const index = indexOf(name);
    if (index !== undefined && (!isNumber(name) || (await isNumbered(path.dirname(folder), classNames.length))))
      return { index, source: { kind: "folder", name } };
    folder = path.dirname(folder);
  }
  return undefined;
}

const isNumber = (name: string): boolean => /^\d+$/.test(name);
/** Any folder may be called "1": numbers are classes where all the folders beside are. */
async function isNumbered(folder: string, classes: number): Promise<boolean> {
  const names: string[] = [];
  for (const name of await quiet(() => listFolder(folder), [])) if (await isDirectory(path.join(folder, name))) names.push(name);
  return names.length > 1 && names.every((name) => isNumber(name) && Number(name) < classes);
}

/** A whole number that is no class name is an index. @param notes take why a label file that is there cannot be used */
async function fromLabelFile(file: string, indexOf: IndexOf, classes: number, notes: string[]): Promise<PictureLabel | undefined> {
  const absolute = path.resolve(file);
  for (const folder of [path.dirname(absolute), path.dirname(path.dirname(absolute))]) {
    for (const name of labelFiles) {
      const list = path.join(folder, name);
      if (!(await exists(list))) continue;
      const label = (await labelsOrNote(folder, list, absolute, notes)).get(absolute);
      if (label === undefined) continue;
      const index = indexOf(label) ?? (isNumber(label) && Number(label) < classes ? Number(label) : undefined);
      if (index !== undefined) return { index, source: { kind: "labelFile", name } };
    }
  }
  return undefined;
}

/** A file that cannot be used is only spoken of where it names the picture: a `labels.txt` may be a list of classes. */
async function labelsOrNote(folder: string, list: string, picture: string, notes: string[]): Promise<ReadonlyMap<string, string>> {
  try {
    return await labelsIn(folder, list);
  } catch (thrown) {
    if (isCancelled(thrown)) throw thrown;
    const namesIt = await quiet(async () => (await readText(list)).includes(path.parse(picture).name), false);
    if (namesIt && thrown instanceof BulwarkError) notes.push(`${path.basename(list)} is not used: ${thrown.message}`);
    return new Map();
  }
}

/** Annotations lie beside the picture, or in `Annotations/` beside it or beside its folder. */
async function fromAnnotation(file: string, indexOf: IndexOf): Promise<PictureLabel | undefined> {
  const folder = path.dirname(path.resolve(file));
  const name = `${path.parse(file).name}.xml`;
  const places = ["", "Annotations", "annotations", "../Annotations", "../annotations"].map((place) => path.join(folder, place, name));
  for (const place of places) {
    if (!(await exists(place))) continue;
    const boxes = await quiet(async () => parseVoc(await readText(place), name).boxes, []);
    const classes = new Set(boxes.flatMap(({ label }) => indexOf(label) ?? []));
    const [index] = classes;
    if (classes.size === 1 && index !== undefined) return { index, source: { kind: "annotation", name } };
  }
  return undefined;
}

/** What a file that cannot be read or understood says: nothing. */
async function quiet<T>(read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    if (isCancelled(thrown)) throw thrown;
    return otherwise;
  }
}
