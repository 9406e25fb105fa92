import { BulwarkError } from "../../shared/errors.ts";
import { suggestion } from "../../shared/nearest.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { classIndex, type FoundLabel, labelOfPicture } from "../datasets/pictureLabel.ts";

/**
 * Which class a person says a picture shows: by its index, or by its name as `classIndex` reads it (a number that is no name is an index);
 * null for none, where the model's own prediction is attacked. Left out, the files around the picture may say it.
 */
export type LabelChoice = number | string | null | undefined;

/** What a label is looked up in. */
type Classes = Pick<Classifier, "classes" | "classNames" | "synsets">;

/** The true class of a picture: as a person said it, else as the files around it say. @throws LABEL_RANGE */
export async function trueLabel(file: string, choice: LabelChoice, model: Classes): Promise<FoundLabel> {
  if (choice === undefined) return labelOfPicture(file, model);
  if (choice === null) return { label: null, notes: [] };
  return { label: { index: chosenClass(choice, model), source: { kind: "person", name: "" } }, notes: [] };
}

/** Index of a class that a person named. @throws LABEL_RANGE */
export function chosenClass(choice: number | string, { classes, classNames, synsets }: Classes): number {
  const named = typeof choice === "string" ? classIndex(classNames, synsets)(choice) : undefined;
  if (named !== undefined) return named;
  if (typeof choice === "number" || /^-?\d+$/.test(choice.trim())) {
    checkLabel(Number(choice), classes);
    return Number(choice);
  }
  const meant = suggestion(choice, classNames.slice(0, mostListed), classes > mostListed ? `The first ${mostListed}` : "The classes");
  throw new BulwarkError("LABEL_RANGE", `There is no class "${choice}".`, meant);
}
const mostListed = 20;

/** The words by which `chosenClass` finds a class again: its name where that is its alone, else its index. */
export function wordsOfClass(index: number, { classNames, synsets }: Pick<Classes, "classNames" | "synsets">): string {
  const name = classNames[index] ?? "";
  return classIndex(classNames, synsets)(name) === index ? name : String(index);
}

/** @throws LABEL_RANGE */
export function checkLabel(label: number, classes: number): void {
  if (Number.isInteger(label) && label >= 0 && label < classes) return;
  throw new BulwarkError("LABEL_RANGE", `The label ${label} is none of the ${classes} classes.`, `Use 0 to ${classes - 1}.`);
}
