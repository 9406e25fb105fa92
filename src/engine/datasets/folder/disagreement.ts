import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import type { ClassList } from "./classList.ts";
import type { Found } from "./found.ts";
import { normalName } from "./names.ts";

/** "0" and "0.0" are the same label. */
export const sameLabel = (label: string): string => (label.trim() !== "" && Number.isFinite(Number(label)) ? String(Number(label)) : label);

/** Labels by absolute file name. */
export const labelsOf = ({ images }: Pick<Found, "images">): Map<string, string> =>
  new Map(images.map(({ file, label }) => [file, sameLabel(label)]));

/** @throws DATASET_INVALID for two label files of a folder that do not say the same of every image */
export function refuseDifferent(files: readonly Found[], root: string): void {
  const [first, ...others] = files;
  for (const other of others) if (first && differs(first, other)) throw disagreement(first, other, root);
}

function differs(a: Found, b: Found): boolean {
  const [of, other] = [labelsOf(a), labelsOf(b)];
  return of.size !== other.size || [...of].some(([file, label]) => other.get(file) !== label);
}

function disagreement(a: Found, b: Found, root: string): BulwarkError {
  const [of, other] = [labelsOf(a), labelsOf(b)];
  const file = [...of.keys(), ...other.keys()].find((image) => of.get(image) !== other.get(image)) as string;
  const says = (labels: Map<string, string>, from: Found): string =>
    labels.has(file) ? `${labels.get(file)} in ${from.labelFile}` : `not in ${from.labelFile}`;
  return new BulwarkError(
    "DATASET_INVALID",
    `Two label files disagree: ${path.relative(root, file)} is ${says(of, a)} and ${says(other, b)}.`,
    'Keep one of them, or choose it with the parameter "labels" of the data set.',
  );
}

/**
 * A folder that is called like a class says its pictures are of that class; what a label file says must be the same. Folders of other
 * names ("images", "batch 2") say nothing, and neither do numbers among them or beside labels that are words: those number folds or batches.
 * @throws DATASET_INVALID
 */
export function refuseOtherFolders(found: Found, list: ClassList | undefined, root: string): void {
  const classOf = classesOf(found, list);
  const folders = found.images.map(({ file }) => path.relative(root, file).split(path.sep).slice(0, -1));
  const isNumber = (text: string): boolean => /^\d+$/.test(text);
  const areNumbered = folders.every((names) => names.some(isNumber)) && found.images.every(({ label }) => isNumber(sameLabel(label)));
  for (const [i, { file, label }] of found.images.entries()) {
    const named = (folders[i] ?? []).filter((name) => classOf(name) !== undefined && (areNumbered || !isNumber(name)));
    if (named.length === 0 || named.some((name) => classOf(name) === classOf(label))) continue;
    throw new BulwarkError(
      "DATASET_INVALID",
      `${path.relative(root, file)} lies in the class folder ${named.at(-1)} and is ${label} in ${found.labelFile}.`,
      `Correct ${found.labelFile} or take it away, or choose it with the parameter "labels" of the data set.`,
    );
  }
}

/** A class by its name, its WordNet id or, where the classes are listed, its index; undefined for what is no class. */
function classesOf({ images }: Found, list: ClassList | undefined): (name: string) => string | undefined {
  const plain = (name: string): string => normalName(sameLabel(name)).toLowerCase();
  const known = new Map<string, string>();
  for (const [i, name] of (list?.names ?? []).entries())
    for (const word of [name, list?.synsets?.[i] ?? name, String(i)]) known.set(plain(word), String(i));
  for (const { label } of images) if (!known.has(plain(label))) known.set(plain(label), `"${plain(label)}"`);
  return (name) => known.get(plain(name));
}
