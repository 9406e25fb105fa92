import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import type { Split } from "../define/index.ts";
import { exists, readText } from "../io/files.ts";

export interface LabelledFile {
  readonly file: string;
  /** As written: a class index or a class name. */
  readonly label: string;
  /** Third column, where there is one. */
  readonly split: Split | undefined;
}

/**
 * Lines `file,label` or `file,label,split` (comma, semicolon or tab; or one space), with or without a heading, `#` for comments.
 * @throws DATASET_INVALID for a line without a label.
 */
export function parseLabelFile(content: string, name: string): LabelledFile[] {
  const lines = content.split(/\r?\n/).map((line, i) => ({ line: line.trim(), number: i + 1 }));
  const rows: LabelledFile[] = [];
  for (const { line, number } of lines) {
    if (line === "" || line.startsWith("#")) continue;
    const [file = "", label = "", split = ""] = fields(line);
    if (rows.length === 0 && /^(file|file_?name|image|image_?id|path|name)$/i.test(file)) continue;
    if (file === "" || label === "") {
      throw new BulwarkError(
        "DATASET_INVALID",
        `Line ${number} of ${name} is not "file,label": ${line.slice(0, 80)}`,
        "Write one image to a line.",
      );
    }
    rows.push({ file, label, split: split === "" ? undefined : /^train/i.test(split) ? "train" : "test" });
  }
  return rows;
}

function fields(line: string): string[] {
  if (!/[,;\t]/.test(line)) {
    const space = line.lastIndexOf(" ");
    return space < 0 ? [line] : [line.slice(0, space).trim(), line.slice(space + 1)];
  }
  const found = [...line.matchAll(/(?:^|[,;\t])\s*(?:"((?:[^"]|"")*)"|([^,;\t]*))/g)];
  return found.map(([, quoted, plain]) => (quoted === undefined ? (plain ?? "").trim() : quoted.replaceAll('""', '"')));
}

/** Names of the classes in index order, one to a line, from `classes.txt` in the folder; undefined where there is none. */
export async function readClasses(folder: string): Promise<string[] | undefined> {
  const file = path.join(folder, "classes.txt");
  if (!(await exists(file))) return undefined;
  const names = (await readText(file))
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return names.length > 0 ? names : undefined;
}

/**
 * Class indices of labels as written. Whole numbers are indices; other words are names, indexed by `classes` or else in code-point
 * order. @throws LABEL_RANGE for a name that `classes` lacks.
 */
export function indexLabels(
  written: readonly string[],
  classes: readonly string[] | undefined,
): { labels: Int32Array; classNames: string[] } {
  if (written.every((label) => /^\d+$/.test(label)) && !written.every((label) => classes?.includes(label))) {
    const labels = Int32Array.from(written, Number);
    const count = classes?.length ?? labels.reduce((a, b) => Math.max(a, b), -1) + 1;
    return { labels, classNames: classes ? [...classes] : Array.from({ length: count }, (_, i) => String(i)) };
  }
  const classNames = classes ? [...classes] : [...new Set(written)].sort();
  const index = new Map(classNames.map((name, i) => [name, i]));
  const labels = Int32Array.from(written, (label) => index.get(label) ?? -1);
  const missing = labels.indexOf(-1);
  if (missing >= 0) {
    throw new BulwarkError("LABEL_RANGE", `There is no class "${written[missing]}" in classes.txt.`, "Add it there, or correct the label.");
  }
  return { labels, classNames };
}
