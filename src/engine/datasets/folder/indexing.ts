import { BulwarkError } from "../../../shared/errors.ts";
import { numbered } from "../source.ts";
import type { Found, FoundImage } from "./found.ts";
import { listed, normalName, repeated } from "./names.ts";

export type ClassOrder = "number" | "text";
export interface Indexed {
  /** Class index of each image. */
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  readonly synsets?: readonly string[];
  /** The class names are numbers that are names of folders. */
  readonly hasNumberedFolders?: boolean;
  readonly notes: readonly string[];
}

/** More classes than this are no numbering of classes: such names are years, dates or other numbers. */
const mostNumbered = 10_000;
const largestLabel = 2 ** 31 - 1;

/**
 * Class indices of labels as they are written: by the class list where there is one; numbers are indices; other words are names in
 * code-point order. @throws LABEL_RANGE, DATASET_INVALID
 */
export function indexLabels(found: Found, order: ClassOrder): Indexed {
  const { images, folders, list } = found;
  const byList = list && namedBy(found, list.names, list.synsets);
  if (byList) return byList;
  if (folders && !list) return indexFolders(images, folders, order);
  if (images.every(({ label }) => isNumber(label))) return indexNumbers(found);
  if (list) throwUnlisted(found, list.names);
  refuseHalfNumbers(found);
  return byName(images, [...new Set(images.map(({ label }) => label))].sort());
}

const isNumber = (label: string): boolean => /^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$|^[+-]?\.\d+$/.test(label);
const indexOf = (names: readonly string[]): Map<string, number> => new Map(names.map((name, i) => [normalName(name), i]));

function byName(images: readonly FoundImage[], classNames: readonly string[]): Indexed {
  const index = indexOf(classNames);
  return { labels: Int32Array.from(images, ({ label }) => index.get(label) ?? -1), classNames, notes: [] };
}

/** Undefined where the list does not have every label. */
function namedBy({ images }: Found, names: readonly string[], synsets: readonly string[] | undefined): Indexed | undefined {
  const index = new Map([...indexOf(synsets ?? []), ...(synsets ? firstSynonyms(names) : indexOf(names))]);
  const labels = Int32Array.from(images, ({ label }) => index.get(label) ?? -1);
  return labels.includes(-1) ? undefined : { labels, classNames: names, ...(synsets ? { synsets } : {}), notes: [] };
}

/** "tench, Tinca tinca" by its whole name and by its first synonym, where no other class has the same. */
function firstSynonyms(names: readonly string[]): Map<string, number> {
  const all = names.flatMap((name, i) =>
    [...new Set([normalName(name), normalName(name.split(",")[0] ?? "")])].map((word) => [word, i] as const),
  );
  const times = new Map<string, number>();
  for (const [word] of all) times.set(word, (times.get(word) ?? 0) + 1);
  return new Map(all.filter(([word]) => times.get(word) === 1));
}

function throwUnlisted({ images, list }: Found, names: readonly string[]): never {
  const known = new Set([...names, ...(list?.synsets ?? [])].map(normalName));
  const missing = [...new Set(images.map(({ label }) => label))].filter((label) => !known.has(label));
  throw new BulwarkError(
    "LABEL_RANGE",
    `There is no class ${listed(missing.map((name) => `"${name}"`))} in ${list?.file}.`,
    "Add it there, or correct the label.",
  );
}

function indexFolders(images: readonly FoundImage[], folders: readonly string[], order: ClassOrder): Indexed {
  const twice = repeated(folders);
  if (twice !== undefined)
    throw new BulwarkError("DATASET_INVALID", `Two class folders have the name "${twice}".`, "Put their images into one folder.");
  const named = byName(images, [...folders].sort());
  if (!folders.every((name) => /^\d+$/.test(name))) return named;
  const asText: Indexed = { ...named, hasNumberedFolders: true };
  const numbers = folders.map(Number);
  const largest = numbers.reduce((a, b) => Math.max(a, b), 0);
  if (largest >= mostNumbered) return asText;
  if (new Set(numbers).size < numbers.length)
    throw new BulwarkError("DATASET_INVALID", "Two class folders have the same number.", "Put their images into one folder.");
  const asNumbers: Indexed = {
    labels: Int32Array.from(images, ({ label }) => Number(label)),
    classNames: numbered(largest + 1),
    hasNumberedFolders: true,
    notes: [],
  };
  if (asNumbers.labels.every((label, i) => label === asText.labels[i])) return asNumbers;
  return order === "number"
    ? { ...asNumbers, notes: [`The class folders are numbers: folder ${largest} is class ${largest}. ${otherOrder("text", folders)}`] }
    : {
        ...asText,
        notes: [`The class folders are numbers in text order (${sample(asText.classNames)}). ${otherOrder("number", folders)}`],
      };
}

const sample = (names: readonly string[]): string => `${names.slice(0, 4).join(", ")}${names.length > 4 ? " …" : ""}`;
const otherOrder = (order: ClassOrder, folders: readonly string[]): string =>
  order === "text"
    ? `With "classOrder": "text" they are sorted as Keras and torchvision do (${sample([...folders].sort())}).`
    : 'With "classOrder": "number" a folder is the class of its number.';

/** Labels that are numbers, "2.0" among them. @throws LABEL_RANGE for one that is no class index */
function indexNumbers({ images, list, labelFile }: Found): Indexed {
  const labels = images.map(({ label }) => Number(label));
  const wrong = labels.findIndex((label) => !Number.isInteger(label) || label < 0 || label > largestLabel);
  if (wrong >= 0)
    throw new BulwarkError(
      "LABEL_RANGE",
      `${labelFile ?? "Its folder"} gives ${fileName(images[wrong])} the label ${images[wrong]?.label}, which is no class index.`,
      "Number the classes from 0, or write their names.",
    );
  const largest = labels.reduce((a, b) => Math.max(a, b), -1);
  const outside = list ? labels.findIndex((label) => label >= list.names.length) : -1;
  if (list && outside >= 0)
    throw new BulwarkError(
      "LABEL_RANGE",
      `${fileName(images[outside])} has label ${labels[outside]}, outside the ${list.names.length} classes of ${list.file}.`,
      labels.includes(0) ? "Correct the labels, or name all classes." : "Number the classes from 0, or correct the class list.",
    );
  if (largest >= mostNumbered * 100)
    throw new BulwarkError(
      "LABEL_RANGE",
      `${labelFile} has the label ${largest}, which is no class index.`,
      "Number the classes from 0, or write their names.",
    );
  const { names = numbered(largest + 1), synsets } = list ?? {};
  return { labels: Int32Array.from(labels), classNames: names, ...(synsets ? { synsets } : {}), notes: [] };
}

/** Fractions and negative numbers among words are damaged numbers, no names. @throws LABEL_RANGE */
function refuseHalfNumbers({ images, labelFile }: Found): void {
  if (!images.some(({ label }) => isNumber(label) && !/^\d+$/.test(label))) return;
  const word = images.find(({ label }) => !isNumber(label));
  throw new BulwarkError(
    "LABEL_RANGE",
    `${labelFile} gives ${fileName(word)} the label "${word?.label}", and others have numbers.`,
    "Correct the label, or leave the image out.",
  );
}

const fileName = (image: FoundImage | undefined): string => image?.file.split(/[\\/]/).at(-1) ?? "an image";
