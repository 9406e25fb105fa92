import { BulwarkError } from "../../../shared/errors.ts";
import type { Split } from "../../define/index.ts";
import type { Line } from "./fields.ts";
import { listed, normalName } from "./names.ts";
import { areBits, areProbabilities, bitOf, markedClass } from "./oneHot.ts";

/** One row of a label file. */
export interface LabelRow {
  readonly file: string;
  /** As written: a class index or a class name. */
  readonly label: string;
  readonly split: Split | undefined;
}
export interface LabelRows {
  readonly rows: readonly LabelRow[];
  /** Class names in their order, where the columns name them. */
  readonly classes?: readonly string[];
}
/** Columns that somebody chose by their headings; "" for none. */
export interface ColumnChoice {
  readonly file: string;
  readonly label: string;
}

const fileHeadings = new Set(
  (
    "file filename filenames filepath fname image images imagename imagefile imagefilename imagepath imageid img imgname imgfile imgpath " +
    "imgid picture photo path relpath name id idcode"
  ).split(" "),
);
const labelHeadings = new Set(
  (
    "label labels labelid labelname class classes classid classname classlabel classindex target targets diagnosis dx category categoryid " +
    "species breed y gt groundtruth"
  ).split(" "),
);
const splitHeadings = new Set("split set subset usage partition".split(" "));
const indexHeadings = new Set(["", "unnamed0", "index", "rowid"]);

const headingOf = (cell: string): string =>
  normalName(cell)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
const isTrain = /^(train|trn)/i;
const isSplit = /^(train(ing)?|trn|test(ing)?|tst|val(id(ation)?)?|eval(uation)?|dev|(public|private)test)$/i;
const splitOf = (cell: string | undefined): Split | undefined => (cell ? (isTrain.test(cell) ? "train" : "test") : undefined);

/** How a cell names a file of the data set: in full, without its ending, or not at all. */
export type NamesFile = (cell: string) => "whole" | "stem" | null;

/** Which column holds what. */
interface Columns {
  readonly file: number;
  readonly label: number;
  readonly split: number;
}

/**
 * Files and labels of a table, by its headings or else by what its cells are: the cells of one column name files.
 * @throws DATASET_INVALID where it is not certain which column is the label
 */
export function labelRows(lines: readonly Line[], name: string, chosen: ColumnChoice, namesFile: NamesFile): LabelRows {
  const [first, ...rest] = lines;
  if (!first) throw new BulwarkError("DATASET_INVALID", `${name} is empty.`, "Write one image and its label to a line.");
  const headings = first.cells.map(headingOf);
  const isNamed = chosen.file !== "" || chosen.label !== "";
  const isCertain = headings.some((heading) => fileHeadings.has(heading)) && headings.some((heading) => labelHeadings.has(heading));
  const isHeading = isNamed || isCertain || (headings.some(isKnown) && !first.cells.some(namesFile));
  if (isHeading && rest.length === 0)
    throw invalid(
      `${name} has headings and no rows, so that no picture has a label.`,
      "Write one image and its label to a line below them; without the file, class folders say the labels.",
    );
  if (!isHeading) return { rows: rowsOf(lines, columnsByContent(lines, name, namesFile), name) };
  const file = fileColumn(first, rest, name, chosen.file, namesFile);
  const split = headings.findIndex((heading) => splitHeadings.has(heading));
  const others = headings.flatMap((heading, i) => (i === file || i === split || indexHeadings.has(heading) ? [] : [i]));
  const label = labelColumn(first, others, name, chosen.label);
  if (label !== null) return { rows: rowsOf(rest, { file, label, split }, name) };
  return oneHot(first, rest, { file, split }, others, name);
}

const isKnown = (heading: string): boolean => fileHeadings.has(heading) || labelHeadings.has(heading) || splitHeadings.has(heading);
const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("DATASET_INVALID", message, fix);
const quoted = (cells: readonly string[]): string =>
  listed(
    cells.map((cell) => `"${cell}"`),
    12,
  );

const headingsAt = ({ cells }: Line, columns: readonly number[]): string[] => columns.map((i) => cells[i] ?? "");

/** @param candidates headings that may be meant */
function columnFix(parameter: "fileColumn" | "labelColumn", candidates: readonly string[]): string {
  const [first] = candidates;
  if (first === undefined) return `Name the column with the parameter "${parameter}" of the data set.`;
  const words = candidates.map((heading) => `"${heading}"`).join(" or ");
  return `Choose ${words} with the parameter "${parameter}" of the data set, such as --dataset-set ${parameter}=${/\s/.test(first) ? `"${first}"` : first}.`;
}

/** @throws DATASET_INVALID for a heading that no column has, or two */
function named(first: Line, wanted: string, name: string, parameter: string): number {
  const exact = first.cells.indexOf(wanted);
  if (exact >= 0 && first.cells.includes(wanted, exact + 1))
    throw invalid(`${name} has two columns "${wanted}".`, "Give each column a heading of its own.");
  const found = exact >= 0 ? exact : first.cells.findIndex((cell) => headingOf(cell) === headingOf(wanted));
  if (found >= 0) return found;
  throw invalid(`${name} has no column "${wanted}", only ${quoted(first.cells)}.`, `Correct ${parameter}.`);
}

function fileColumn(first: Line, rest: readonly Line[], name: string, wanted: string, namesFile: NamesFile): number {
  if (wanted !== "") return named(first, wanted, name, "fileColumn");
  const known = first.cells.flatMap((cell, i) => (fileHeadings.has(headingOf(cell)) ? [i] : []));
  const [found, another] = holdingFiles(rest, known.length > 0 ? known : [...first.cells.keys()], namesFile);
  if (found !== undefined && another === undefined) return found;
  if (found === undefined && known.length === 1) return known[0] as number;
  throw invalid(
    `It is not certain which column of ${name} names the images: it has ${quoted(first.cells)}.`,
    columnFix("fileColumn", headingsAt(first, known)),
  );
}

const looked = 5; // rows

/** Those columns whose cells name files in full; else those whose cells name them without ending. */
function holdingFiles(lines: readonly Line[], columns: readonly number[], namesFile: NamesFile): number[] {
  const holding = (kind: "whole" | "stem") =>
    columns.filter((i) => lines.slice(0, looked).some(({ cells }) => namesFile(cells[i] ?? "") === kind));
  const whole = holding("whole");
  return whole.length > 0 ? whole : holding("stem");
}

/** null where no heading is that of a label and several columns are left: they may be one-hot. */
function labelColumn(first: Line, others: readonly number[], name: string, wanted: string): number | null {
  if (wanted !== "") return named(first, wanted, name, "labelColumn");
  const known = others.filter((i) => labelHeadings.has(headingOf(first.cells[i] ?? "")));
  if (known.length === 1) return known[0] as number;
  if (known.length === 0 && others.length === 1) return others[0] as number;
  if (known.length === 0 && others.length > 1) return null;
  throw invalid(
    `It is not certain which column of ${name} is the label: it has ${quoted(first.cells)}.`,
    columnFix("labelColumn", headingsAt(first, known)),
  );
}

/** A column for each class: 1 in that of the image's class, 0 in all others. The classes are in the order of the columns. */
function oneHot(
  first: Line,
  rest: readonly Line[],
  o: { file: number; split: number },
  classes: readonly number[],
  name: string,
): LabelRows {
  const bits = rest.map(({ cells }) => classes.map((i) => bitOf(cells[i] ?? "")));
  if (!bits.every((row) => areBits(row) || areProbabilities(row)))
    throw invalid(`No column of ${name} is named like a label: it has ${quoted(first.cells)}.`, columnFix("labelColumn", []));
  const names = classes.map((i) => normalName(first.cells[i] ?? ""));
  const rows = rest.map(({ cells, place }, i): LabelRow => {
    const file = cells[o.file] ?? "";
    return { file, label: names[markedClass(bits[i] as number[], file, place, name)] as string, split: splitOf(cells[o.split]) };
  });
  return { rows, classes: names };
}

/** Without headings: the column that names files, one that divides, one that counts, and the label. */
function columnsByContent(lines: readonly Line[], name: string, namesFile: NamesFile): Columns {
  const width = lines.reduce((most, { cells }) => Math.max(most, cells.length), 0);
  const columns = Array.from({ length: width }, (_, i) => i);
  const all = (i: number, matches: (cell: string, row: number) => boolean): boolean =>
    lines.every(({ cells }, row) => matches(cells[i] ?? "", row));
  const [file = 0] = holdingFiles(lines, columns, namesFile);
  const split = width > 2 ? columns.findIndex((i) => i !== file && all(i, (cell) => cell === "" || isSplit.test(cell))) : -1;
  const left = columns.filter((i) => i !== file && i !== split);
  const index = left.length === 2 && left[0] === 0 && all(0, (cell, row) => cell === String(row)) ? 0 : -1;
  const [label, another] = left.filter((i) => i !== index);
  if (another !== undefined)
    throw invalid(
      `${name} has ${width} columns and no headings that name them; its first line is ${quoted(lines[0]?.cells ?? [])}.`,
      'Write a first line with "file" above the images and "label" above the labels.',
    );
  return { file, label: label ?? 1, split };
}

function rowsOf(lines: readonly Line[], { file, label, split }: Columns, name: string): LabelRow[] {
  return lines.map(({ cells, place }) => {
    const [image = "", written = ""] = [cells[file], cells[label]];
    if (image !== "" && written === "" && label < cells.length)
      throw invalid(`${place} of ${name} gives ${image} no label.`, "Write its class, or leave the picture out.");
    if (image === "" || written === "")
      throw invalid(`${place} of ${name} is not "file,label": ${cells.join(",").slice(0, 80)}`, "Write one image and its label to a line.");
    return { file: image, label: normalName(written), split: splitOf(cells[split]) };
  });
}
