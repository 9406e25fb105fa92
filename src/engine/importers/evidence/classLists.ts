import path from "node:path";
import { exists, readBytes } from "../../io/files.ts";
import { decodeText } from "../../io/text.ts";
import { record } from "../topology/graph.ts";
import { type ClassList, wordsIn } from "./evidence.ts";
import { byIndex } from "./sidecars.ts";

/** Files that list class names, in the order in which they are looked for. */
const listFiles = [
  "labels.txt",
  "classes.txt",
  "class_names.txt",
  "classes.json",
  "class_names.json",
  "labels.json",
  "class_indices.json",
  "class_index.json",
  "imagenet_class_index.json",
] as const;

/** Names as a file lists them. */
export type NameList = Omit<ClassList, "source">;

export interface ListsBeside {
  readonly lists: readonly ClassList[];
  /** Files that are called like a list and were not understood, for the user to know. */
  readonly notes: readonly string[];
}

/**
 * The class lists beside a model, in the order of their names above. A `labels` file that names pictures says nothing about the model.
 * @throws MODEL_INVALID for an encoding that is not certain: two names could become one
 */
export async function classListsBeside(modelFile: string): Promise<ListsBeside> {
  const lists: ClassList[] = [];
  const notes: string[] = [];
  for (const name of listFiles) {
    const file = path.join(path.dirname(modelFile), name);
    if (!(await exists(file))) continue;
    const bytes = await readBytes(file);
    if (name.startsWith("labels.") && picture.test(Buffer.from(bytes).toString("latin1").replaceAll("\0", ""))) continue;
    const listed = namesIn(bytes, name);
    if (listed) lists.push({ ...listed, source: { kind: "metadata", text: name } });
    else notes.push(`${name} is not understood as a list of class names and is passed over`);
  }
  return { lists, notes };
}

/** Whether two lists call the same outputs the same: by WordNet id where both have them, else by name, whatever its case and further synonyms. */
export function agree(a: ClassList, b: ClassList): boolean {
  if (a.synsets && b.synsets) return a.synsets.join() === b.synsets.join();
  const plain = ({ names }: ClassList): string =>
    names
      .map((name) =>
        (name.split(",")[0] as string)
          .normalize("NFC")
          .toLowerCase()
          .replace(/[\s_-]+/g, " ")
          .trim(),
      )
      .join("\n");
  return plain(a) === plain(b);
}

/** The names in a file of any name; null where it is no list. @throws FILE_NOT_FOUND, FILE_UNREADABLE, MODEL_INVALID for an unknown encoding */
export async function readClassList(file: string): Promise<NameList | null> {
  return namesIn(await readBytes(file), path.basename(file));
}

function namesIn(bytes: Uint8Array, name: string): NameList | null {
  const content = decodeText(bytes, name, "MODEL_INVALID");
  return /\.json$/i.test(name) ? fromJson(content) : fromLines(content);
}

const picture = /\.(png|jpe?g|jfif|webp|bmp|gif|tiff?)\b/i;

/** One name to a line, all or none of them behind their number, in any order: "0 cat", "0: cat", "0,cat"; or behind a WordNet id. */
export function fromLines(content: string): NameList | null {
  const lines = content
    .split(/\r\n?|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length < 2 || lines.some((line) => picture.test(line))) return null;
  const numbered = lines.map((line) => /^(\d+)\s*[\s:,;.)\t-]\s*(\S.*)$/.exec(line)).filter((match) => match !== null);
  const named = numbered.map(([, number, name]): Numbered => [Number(number), name as string]);
  const ordered = numbered.length === lines.length ? inOrder(named) : null;
  if (ordered) return { names: ordered, synsets: null };
  const synsets = lines.map((line) => /^(n\d{8})[\s:,;]+(\S.*)$/.exec(line));
  if (synsets.every((match) => match !== null))
    return {
      names: synsets.map((match) => (match[2] as string).split(",")[0] as string),
      synsets: synsets.map((match) => match[1] as string),
    };
  return { names: lines, synsets: null };
}

/** A list, alone or under one of `listKeys`; or names, or pairs of WordNet id and name, by index; or indices by name. */
export function fromJson(content: string): NameList | null {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch {
    return null;
  }
  const list = wordsIn(json);
  if (list) return { names: list, synsets: null };
  const object = record(json);
  if (!object) return null;
  const names =
    listKeys.map((key) => wordsIn(object[key])).find((words) => words) ?? byIndex(record(object["id2label"])) ?? byIndex(object);
  if (names) return { names, synsets: null };
  const start = "0" in object ? 0 : 1;
  const entries = Object.keys(object).map((_, i) => object[String(i + start)]);
  if (entries.every((entry) => wordsIn(entry)?.length === 2)) {
    const pairs = entries as [string, string][];
    return { names: pairs.map(([, name]) => name), synsets: pairs.map(([synset]) => synset) };
  }
  return byName(object);
}

/** Where JSON files of other makers keep a list: metadata.json of Teachable Machine, config.json of timm. */
const listKeys = ["labels", "classes", "classNames", "class_names", "label_names", "categories"] as const;

/** {"cat": 0, "dog": 1}, or with the numbers as text. */
function byName(object: Readonly<Record<string, unknown>>): NameList | null {
  const numbered = Object.entries(object).map(([name, index]): Numbered => [indexOf(index), name]);
  const names = numbered.length > 1 ? inOrder(numbered) : null;
  return names && { names, synsets: null };
}

const indexOf = (value: unknown): number =>
  typeof value === "string" && /^\d+$/.test(value) ? Number(value) : typeof value === "number" ? value : Number.NaN;

type Numbered = readonly [number: number, name: string];

/** Names by numbers that run from 0 or 1 without a gap, as in the class list of a folder; null where they do not. */
function inOrder(entries: readonly Numbered[]): string[] | null {
  const sorted = [...entries].sort(([a], [b]) => a - b);
  const first = sorted[0]?.[0];
  if ((first !== 0 && first !== 1) || sorted.some(([number], i) => number !== first + i)) return null;
  return sorted.map(([, name]) => name);
}
