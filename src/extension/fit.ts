import { plural } from "../shared/format.ts";
import type { FoundData } from "./data.ts";

/** Kind of the pictures of a folder that have no labels. */
export const picturesKind = "pictures";

/** What a model takes and tells apart. */
export interface ModelShape {
  /** Height, width, channels; null takes any. */
  readonly input: readonly (number | null)[];
  readonly classes: number;
  readonly classNames: readonly string[] | null;
}
/** Null where nothing is known against it, else a clause that says why not. */
export type Misfit = string | null;

const photos = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const digits = Array.from({ length: 10 }, (_, i) => String(i));
interface KnownSet {
  readonly input: readonly [number, number, number];
  readonly classes: number;
  /** Where models that were trained on it commonly keep these names. */
  readonly classNames?: readonly string[];
}
export const knownSets: Readonly<Record<string, KnownSet>> = {
  mnist: { input: [28, 28, 1], classes: 10, classNames: digits },
  fashionMnist: { input: [28, 28, 1], classes: 10 },
  cifar10: { input: [32, 32, 3], classes: 10, classNames: photos },
  cifar100: { input: [32, 32, 3], classes: 100 },
  svhn: { input: [32, 32, 3], classes: 10, classNames: digits },
};

const shape = (sizes: readonly (number | null)[]): string => sizes.map((size) => size ?? "any").join(" × ");
/** Names as people vary them: case, blanks, dashes. */
const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[\s_\-/\\:*?"<>|]+/g, " ")
    .trim();
const isNumberOrSynset = (name: string): boolean => /^(\d+|n\d{8})$/.test(name);

export function misfit(data: FoundData, model: ModelShape): Misfit {
  if (data.kind === picturesKind) return null; // any picture is fitted
  const known = knownSets[data.kind];
  return known ? ofKnown(known, model) : ofClasses(data.classes, model);
}

function ofKnown(known: KnownSet, model: ModelShape): Misfit {
  if (model.input.some((size, i) => size !== null && size !== known.input[i]))
    return `its images are ${shape(known.input)}, the model takes ${shape(model.input)}`;
  if (known.classes !== model.classes) return `it has ${plural(known.classes, "class", "classes")}, the model ${model.classes}`;
  return known.classNames ? missing(known.classNames, model.classNames) : null;
}

function ofClasses(classes: readonly string[] | null, model: ModelShape): Misfit {
  if (classes === null) return null; // only reading it tells
  if (classes.length > model.classes) return `it has ${plural(classes.length, "class", "classes")}, the model ${model.classes}`;
  if (model.classNames && !classes.every(isNumberOrSynset)) return missing(classes, model.classNames);
  return classes.length === model.classes || classes.every(isNumberOrSynset)
    ? null
    : `it has ${plural(classes.length, "class", "classes")} of ${model.classes}, and the model does not name its own`;
}

/** ImageNet's names are lists of synonyms, "tabby, tabby cat": any of them will do. */
function missing(wanted: readonly string[], names: readonly string[] | null): Misfit {
  if (names === null || names.every((name) => /^\d+$/.test(name)) || wanted.every((name) => /^\d+$/.test(name))) return null;
  const has = new Set(names.flatMap((name) => [plain(name), ...name.split(",").map(plain)]));
  const lacking = wanted.filter((name) => !isNumberOrSynset(name) && !has.has(plain(name))); // ids are matched when the data are read
  return lacking.length === 0 ? null : `the model has no class “${lacking.slice(0, 3).join("”, “")}”`;
}
