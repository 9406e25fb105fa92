import { BulwarkError } from "../../shared/errors.ts";
import { count } from "../../shared/format.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { exact, nameFinder, similarNames } from "../datasets/nameForms.ts";
import type { Dataset, Split } from "../define/index.ts";

/** The classes of a model, as far as they matter to labels. */
export interface ModelClasses {
  /** For messages. */
  readonly name: string;
  readonly classes: number;
  readonly classNames: readonly string[];
  /** WordNet ids of the classes, where they are known. */
  readonly synsets: readonly string[] | null;
}
/** Of an open model. @param name for messages */
export const classesOf = ({ classes, classNames, synsets }: Classifier, name: string): ModelClasses => ({
  name,
  classes,
  classNames,
  synsets,
});

/** Class names, where somebody gave them; null for a model or data that only count: "0", "1", … */
export const givenNames = (names: readonly string[]): readonly string[] | null =>
  names.every((name, i) => name === String(i)) ? null : names;

const listed = (names: readonly string[]): string => {
  const rest = names.length - 5;
  return `${names
    .slice(0, 5)
    .map((name) => `"${name}"`)
    .join(", ")}${rest > 0 ? ` and ${count(rest)} more` : ""}`;
};

/**
 * The data set with its labels as the model counts its classes: by name where both sides have names, else by position.
 * @throws LABEL_RANGE for classes of the data that the model does not have
 */
export function inModelClasses(dataset: Dataset, model: ModelClasses): Dataset {
  const modelNames = givenNames(model.classNames);
  const used = usedClasses(dataset);
  const names = (label: number): string => dataset.classNames[label] as string;
  const areWords = dataset.classNames.some((name) => !/^\d+$/.test(name));
  const areNumbersNames = dataset.hasNumberedFolders === true && used.every((label) => modelNames?.includes(names(label)));
  if (!modelNames || !(areWords || areNumbersNames)) return byPosition(dataset, model, used, areWords);
  const index = indexOfNames(dataset, used, model, modelNames);
  const missing = used.filter((label) => index.get(label) === undefined);
  if (missing.length > 0) throw unknownClasses(missing.map(names), used.length, model);
  return relabelled(dataset, index, model);
}

const splits: readonly Split[] = ["train", "test"];

/** Classes that have an image, ascending. */
function usedClasses(dataset: Dataset): number[] {
  const used = new Set<number>();
  for (const split of splits) for (const label of dataset.labels(split)) used.add(label);
  return [...used].sort((a, b) => a - b);
}

/** The model's class of each class of the data that it has. @throws LABEL_RANGE where two classes of the data are one of the model's */
function indexOfNames(dataset: Dataset, used: readonly number[], model: ModelClasses, modelNames: readonly string[]): Map<number, number> {
  const bySynset = (label: number): number => model.synsets?.indexOf(synsetOf(dataset, label) ?? "") ?? -1;
  const found = new Map<number, number>();
  const byName = nameFinder(modelNames);
  for (const label of used) {
    const byId = bySynset(label);
    const name = dataset.classNames[label] as string;
    const index = byId >= 0 ? byId : byName(name);
    if (index !== undefined) found.set(label, index);
  }
  const owners = new Map<number, number>();
  for (const [label, index] of found) {
    const other = owners.get(index);
    if (other !== undefined)
      throw new BulwarkError(
        "LABEL_RANGE",
        `The classes ${listed([dataset.classNames[other] as string, dataset.classNames[label] as string])} of the data set are one class of ${model.name}, "${modelNames[index]}".`,
        "Put their images into one class.",
      );
    owners.set(index, label);
  }
  return found;
}

const synsetOf = ({ synsets, classNames }: Dataset, label: number): string | undefined =>
  synsets?.[label] ?? /^n\d{8}(?![^-_. ])/.exec(classNames[label] ?? "")?.[0];

function unknownClasses(names: readonly string[], used: number, { name, classNames }: ModelClasses): BulwarkError {
  const none = names.length === used && used > 1 ? "none of the data set's classes: it lacks" : `no class${names.length === 1 ? "" : "es"}`;
  const similar = [...new Set(names.slice(0, 5).flatMap((wanted) => similarNames(wanted, classNames)))];
  const known = similar.length > 0 ? ` It has ${listed(similar)}.` : "";
  return new BulwarkError(
    "LABEL_RANGE",
    `The model ${name} has ${none} ${listed(names)}.${known}`,
    `Name the classes of the data set as the model does (${listed(classNames)}; \`bulwark inspect --json\` has all), or correct "classes" in the model's input contract.`,
  );
}

/** Which of the model's classes the few named ones are, nobody can know: counted by position nearly all would be wrong. */
const unknownPart = (classes: number, { name, classes: has }: ModelClasses): BulwarkError =>
  new BulwarkError(
    "LABEL_RANGE",
    `The data set names ${count(classes)} of the ${count(has)} classes of the model ${name}, which does not name them: it cannot be known which ones they are.`,
    `Write the names of all ${count(has)} classes, in the model's order, as "classes" into its input contract, or name the folders by the model's class numbers.`,
  );

/** @throws LABEL_RANGE where the data have more classes than the model, or names for only a part of a model's classes without names */
function byPosition(dataset: Dataset, model: ModelClasses, used: readonly number[], areWords: boolean): Dataset {
  const largest = used.at(-1) ?? -1;
  const classes = areWords ? dataset.classNames.length : largest + 1;
  if (classes > model.classes)
    throw new BulwarkError(
      "LABEL_RANGE",
      areWords
        ? `The data set has ${classes} classes, the model ${model.name} only ${model.classes}${emptyClasses(dataset, used)}.`
        : `The data set has the label ${largest}, and the classes of the model ${model.name} are 0…${model.classes - 1}.`,
      tooManyFix(dataset, used, areWords),
    );
  const modelNames = givenNames(model.classNames);
  if (!areWords) {
    if (mayCountFromOne(used, model)) return withNote(dataset, countedFromOne(largest));
    const isPart = modelNames !== null && classes < model.classes;
    return isPart ? withNote(dataset, partByNumber(largest, modelNames)) : dataset;
  }
  if (classes !== model.classes) throw unknownPart(classes, model);
  const order = dataset.classNames.map((name, i) => `${i} = ${name}`);
  return withNote(
    dataset,
    `The model does not name its classes: labels go by position (${order.slice(0, 3).join(", ")}${order.length > 3 ? " …" : ""}). ` +
      "If it was trained with another order, accuracies are wrong: write its class names, one to a line, into labels.txt beside it.",
  );
}

const withNote = (dataset: Dataset, note: string): Dataset => ({ ...dataset, notes: [...(dataset.notes ?? []), note] });

function tooManyFix(dataset: Dataset, used: readonly number[], areWords: boolean): string {
  if (areWords || used.includes(0)) return "Choose a model of these classes, or correct the labels.";
  if (used[0] === 1) return 'If the labels count from 1, give the data set "firstLabel": 1; otherwise choose a model of these classes.';
  return dataset.hasNumberedFolders === true
    ? "Number the classes from 0, choose the other order of class folders, or choose a model of these classes."
    : "Number the classes from 0, or choose a model of these classes.";
}

/** Every class from 1 on has images and class 0 has none, of a model that has one class more. */
const mayCountFromOne = (used: readonly number[], { classes }: ModelClasses): boolean =>
  used.length >= 2 && used.length === classes - 1 && used.every((label, i) => label === i + 1);
const countedFromOne = (largest: number): string =>
  `No image is of class 0, and every class from 1 to ${largest} has some: labels are read as counting from 0. If yours count from 1, give the data set "firstLabel": 1.`;
/** Numbers of a list of somebody's own are easily taken for the model's. */
const partByNumber = (largest: number, names: readonly string[]): string =>
  largest === 0
    ? `The label 0 is taken as the number of the model's class ${names[0]}.`
    : `The labels, 0…${largest}, are taken as numbers of the model's ${count(names.length)} classes: 0 = ${names[0]}, ${largest} = ${names[largest]}.`;

/** "; no image is of "bee"": such a class may be a folder too many. */
function emptyClasses({ classNames }: Dataset, used: readonly number[]): string {
  const empty = classNames.filter((_, label) => !used.includes(label));
  return empty.length === 0 ? "" : `; no image is of ${listed(empty)}`;
}

/** The same images with other labels. @param index the model's class of each class of the data */
function relabelled(dataset: Dataset, index: ReadonlyMap<number, number>, { classNames, synsets }: ModelClasses): Dataset {
  const mapped = (labels: Int32Array): Int32Array => labels.map((label) => index.get(label) as number);
  const labels = { train: mapped(dataset.labels("train")), test: mapped(dataset.labels("test")) };
  const { synsets: _, ...rest } = dataset;
  return {
    ...rest,
    classNames,
    ...(synsets ? { synsets } : {}),
    labels: (split) => labels[split],
    read: async (split, indices) => {
      const batch = await dataset.read(split, indices);
      return { ...batch, labels: mapped(batch.labels) };
    },
  };
}

/** @throws MODEL_INVALID where two models that both name their classes have them in another order: labels would mean something else to each */
export function refuseOtherNames(a: ModelClasses, b: ModelClasses): void {
  const [names, others] = [givenNames(a.classNames), givenNames(b.classNames)];
  const place = names && others ? names.findIndex((name, i) => exact(name) !== exact(others[i] ?? "")) : -1;
  if (!names || !others || (place < 0 && names.length === others.length)) return;
  const [one, other] = [names[place], others[place]].map((name) => (name === undefined ? "nothing" : `"${name}"`));
  throw new BulwarkError(
    "MODEL_INVALID",
    `Class ${place < 0 ? names.length : place} is ${one ?? "nothing"} in ${a.name} and ${other ?? "nothing"} in ${b.name}.`,
    "Compare models that have the same classes in the same order.",
  );
}
