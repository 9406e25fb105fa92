import type { Split } from "../../define/index.ts";
import { normalName } from "./names.ts";

export interface SplitFolders {
  /** Folder names; null where there is none. */
  readonly train: string | null;
  readonly test: string | null;
  /** Other folders that are splits by their names and are not read. */
  readonly unused: readonly string[];
  /** Folders that are no splits. */
  readonly others: readonly string[];
}

const trainNames = ["train", "training", "trn"];
/** What is evaluated on, the first that is there. */
const testNames = ["test", "testing", "tst", "eval", "evaluation", "val", "valid", "validation", "dev"];

/** Which of the folders are splits, in any case; null where none is. A split is never a class. */
export function splitFolders(folders: readonly string[]): SplitFolders | null {
  const rank = (names: readonly string[], folder: string): number => names.indexOf(normalName(folder).toLowerCase());
  const ranked = (names: readonly string[]): string[] =>
    folders.filter((folder) => rank(names, folder) >= 0).sort((a, b) => rank(names, a) - rank(names, b));
  const [train = null, ...otherTrain] = ranked(trainNames);
  const [test = null, ...otherTest] = ranked(testNames);
  if (train === null && test === null) return null;
  const isSplit = new Set([train, test, ...otherTrain, ...otherTest]);
  return { train, test, unused: [...otherTrain, ...otherTest], others: folders.filter((folder) => !isSplit.has(folder)) };
}

/** The split that a path begins with, as "train/cat/1.png"; undefined where it is none. */
export function splitOfPath(relative: string, folders: SplitFolders | null): Split | undefined {
  const [first = ""] = relative.split("/");
  return first === folders?.train ? "train" : first === folders?.test ? "test" : undefined;
}
