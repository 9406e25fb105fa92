import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { exists } from "../../io/files.ts";
import { readStrictText } from "../../io/text.ts";
import { parseJson } from "./jsonLabels.ts";
import { normalName, repeated } from "./names.ts";

/** Names of classes in index order. */
export interface ClassList {
  readonly names: readonly string[];
  /** WordNet ids of the classes, where the list has them. */
  readonly synsets?: readonly string[];
  /** File that it comes from. */
  readonly file: string;
}

const synset = /^(n\d{8})[\s,:;]+(\S.*)$/;
/** "0 cat", "0: cat", "0,cat", "0) cat". */
const numberedLine = /^(\d+)\s*[\s,:;.)\t-]\s*(\S.*)$/;

/** Names of the files that hold nothing but a class list. */
const listFiles = [
  "classes.txt",
  "classes.json",
  "class_names.txt",
  "class_names.json",
  "synsets.txt",
  "synset_words.txt",
  "LOC_synset_mapping.txt",
];

/**
 * The class list of a folder; undefined where it has none. `labels.txt` and `labels.json` may be one too, which the caller tells from
 * labels of images. @throws DATASET_INVALID for a name that is there twice, and for two lists that differ
 */
export async function readClassList(folder: string, further: readonly string[]): Promise<ClassList | undefined> {
  const found: ClassList[] = [];
  for (const name of [...listFiles, ...further]) {
    const file = path.join(folder, name);
    if (!(await exists(file))) continue;
    const list = parseClassList(await readStrictText(file), name);
    if (list) found.push(list);
  }
  const [first, ...others] = found;
  const other = others.find(({ names }) => names.join("\n") !== first?.names.join("\n"));
  if (first && other)
    throw new BulwarkError("DATASET_INVALID", `${first.file} and ${other.file} name the classes differently.`, "Keep one of the two.");
  return first;
}

/**
 * One class to a line, with or without its number or its WordNet id; or JSON: a list of names, `{"0": name}` or `{name: 0}`.
 * Undefined for an empty file. @throws DATASET_INVALID
 */
export function parseClassList(content: string, file: string): ClassList | undefined {
  const list = /\.json$/i.test(file) ? fromJson(parseJson(content, file), file) : fromLines(content, file);
  if (list.names.length === 0) return undefined;
  const twice = repeated(list.synsets ?? list.names);
  if (twice !== undefined)
    throw new BulwarkError("DATASET_INVALID", `${file} names the class "${twice}" twice.`, "Give every class a name of its own.");
  return list;
}

function fromLines(content: string, file: string): ClassList {
  const lines = content
    .split(/\r\n?|\n/)
    .map(normalName)
    .filter((line) => line !== "" && !line.startsWith("#"));
  const synsets = lines.map((line) => synset.exec(line));
  if (lines.length > 0 && synsets.every((match) => match !== null))
    return { file, names: synsets.map((match) => normalName(match?.[2] ?? "")), synsets: synsets.map((match) => match?.[1] ?? "") };
  const numbers = lines.map((line) => numberedLine.exec(line));
  const ordered = numbers.every((match) => match !== null) ? inOrder(numbers.map((match) => [Number(match?.[1]), match?.[2] ?? ""])) : null;
  return { file, names: ordered ?? lines };
}

/** Names by numbers that run from 0 or 1 without a gap; null where they do not. */
function inOrder(entries: readonly (readonly [number: number, name: string])[]): string[] | null {
  const sorted = [...entries].sort(([a], [b]) => a - b);
  const first = sorted[0]?.[0] ?? 0;
  if (first > 1 || sorted.some(([number], i) => number !== first + i)) return null;
  return sorted.map(([, name]) => normalName(name));
}

function fromJson(json: unknown, file: string): ClassList {
  const isName = (value: unknown): value is string => typeof value === "string";
  if (Array.isArray(json) && json.every(isName)) return { file, names: json.map(normalName) };
  const entries = typeof json === "object" && json !== null && !Array.isArray(json) ? Object.entries(json) : [];
  const byNumber = entries.map(([key, value]): [number, unknown] => [Number(key), value]);
  const byName = entries.map(([key, value]): [number, string] => [typeof value === "number" ? value : Number.NaN, key]);
  const pairs = byNumber.map(([, value]) => (Array.isArray(value) && value.length === 2 && value.every(isName) ? value : null));
  const names = byNumber.map(([number, value], i): [number, string] => [number, pairs[i]?.[1] ?? (isName(value) ? value : "")]);
  const ordered = inOrder(names.every(([, name]) => name !== "") ? names : byName);
  if (ordered === null || ordered.length === 0)
    throw new BulwarkError("DATASET_INVALID", `${file} is not a list of class names.`, 'Write ["first class", "second class", …].');
  const synsets = pairs.every((pair) => pair !== null) ? inOrder(pairs.map((pair, i) => [byNumber[i]?.[0] ?? 0, pair?.[0] ?? ""])) : null;
  return { file, names: ordered, ...(synsets ? { synsets } : {}) };
}
