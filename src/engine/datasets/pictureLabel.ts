import path from "node:path";
import { isCancelled } from "../../shared/errors.ts";
import type { LabelSource } from "../../shared/verdict.ts";
import { exists, isDirectory, readText } from "../io/files.ts";
import { labelFiles, labelsIn } from "./folder/labelFiles.ts";
import { listFolder } from "./locate.ts";
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
  const found = (
    await Promise.all([
      fromLabelFile(file, indexOf, classNames.length),
      fromAnnotation(file, indexOf),
      fromFolder(file, indexOf, classNames),
    ])
  ).flatMap((label) => label ?? []);
  const [first] = found;
  const other = found.find(({ index }) => index !== first?.index);
  if (!first || !other) return { label: first ?? null, notes: [] };
  const says = ({ index, source: { kind, name } }: PictureLabel): string =>
    `${kind === "folder" ? `the folder ${name}` : name} says "${classNames[index]}"`;
  return { label: null, notes: [`no label: ${says(first)}, but ${says(other)}`] };
}

type IndexOf = (name: string) => number | undefined;

/**
 * Index of a class by its name: the whole of it, one of the synonyms between its commas ("tench, Tinca tinca"), or its WordNet id. Case,
 * "_" and "-" do not matter. A name that two classes bear ("crane") is neither's.
 */
export function classIndex(classNames: readonly string[], synsets: readonly string[] | null = null): IndexOf {
  const known = new Map<string, number | null>();
  const add = (name: string, index: number): void => {
    const key = plain(name);
    const before = known.get(key);
    if (key !== "") known.set(key, before === undefined || before === index ? index : null);
  };
  for (const [index, name] of classNames.entries()) for (const one of [name, ...name.split(",")]) add(one, index);
  for (const [index, id] of (synsets ?? []).entries()) add(id, index);
  return (name) => known.get(plain(name)) ?? undefined;
}
const plain = (name: string): string =>
  name
    .normalize("NFC")
    .toLowerCase()
    .replace(/[\s_-]+/g, " ")
    .trim();

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

/** A whole number that is no class name is an index. */
async function fromLabelFile(file: string, indexOf: IndexOf, classes: number): Promise<PictureLabel | undefined> {
  const absolute = path.resolve(file);
  for (const folder of [path.dirname(absolute), path.dirname(path.dirname(absolute))]) {
    for (const name of labelFiles) {
      const list = path.join(folder, name);
      if (!(await exists(list))) continue;
      const label = (await quiet(() => labelsIn(folder, list), new Map<string, string>())).get(absolute);
      if (label === undefined) continue;
      const index = indexOf(label) ?? (isNumber(label) && Number(label) < classes ? Number(label) : undefined);
      if (index !== undefined) return { index, source: { kind: "labelFile", name } };
    }
  }
  return undefined;
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
