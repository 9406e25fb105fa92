import type { SkippedFile, Split } from "../../define/index.ts";
import type { ClassList } from "./classList.ts";

/** An image and its label as it is written. */
export interface FoundImage {
  /** Absolute. */
  readonly file: string;
  /** A class name or, in a label file, a class index. */
  readonly label: string;
  readonly split: Split | undefined;
}

/** What a folder holds, before labels are indices. */
export interface Found {
  readonly images: readonly FoundImage[];
  /** All class folders, empty ones too; null where a label file says the classes. */
  readonly folders: readonly string[] | null;
  /** Class names in their order, from a class list or from one-hot columns. */
  readonly list: ClassList | undefined;
  /** Label file, for messages; null for class folders. */
  readonly labelFile: string | null;
  readonly notes: readonly string[];
  readonly skipped: readonly SkippedFile[];
  /** Pictures that nothing gives a label: in no class folder, or in no row of the label file. Relative to the folder. */
  readonly unlabelled: readonly string[];
}

/** Which class list and which columns count, where somebody chose. */
export interface FolderOptions {
  readonly labels: string;
  readonly fileColumn: string;
  readonly labelColumn: string;
}
