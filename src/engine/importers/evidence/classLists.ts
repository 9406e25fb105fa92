import path from "node:path";
import { exists, readText } from "../../io/files.ts";
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

/** The names in the first list beside a model; null where there is none. What a file of such a name holds otherwise, labels of pictures say, is passed over. */
export async function classListBeside(modelFile: string): Promise<ClassList | null> {
  for (const name of listFiles) {
    const file = path.join(path.dirname(modelFile), name);
    if (!(await exists(file))) continue;
    const listed = await readClassList(file);
    if (listed) return { ...listed, source: { kind: "metadata", text: name } };
  }
  return null;
}

/** The names in a file of any name; null where it is no list. @throws FILE_NOT_FOUND, FILE_UNREADABLE */
export async function readClassList(file: string): Promise<NameList | null> {
  const content = (await readText(file)).replace(/^\uFEFF/, "");
  return /\.json$/i.test(file) ? fromJson(content) : fromLines(content);
}

const picture = /\.(png|jpe?g|jfif|webp|bmp|gif|tiff?)\b/i;

/** One name to a line, all or none of them behind their number: "0 cat", "0: cat", "0,cat"; or behind a WordNet id. */
export function fromLines(content: string): NameList | null {
  const lines = content
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.length < 2 || lines.some((line) => picture.test(line))) return null;
  const numbered = lines.map((line) => /^(\d+)\s*[\s:,;)\t-]\s*(\S.*)$/.exec(line));
  const first = Number(numbered[0]?.[1]);
  const inOrder = (first === 0 || first === 1) && numbered.every((match, i) => Number(match?.[1]) === i + first);
  if (inOrder) return { names: numbered.map((match) => match?.[2] as string), synsets: null };
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
  const entries = Object.keys(object).map((_, i) => object[String(i)]);
  if (entries.every((entry) => wordsIn(entry)?.length === 2)) {
    const pairs = entries as [string, string][];
    return { names: pairs.map(([, name]) => name), synsets: pairs.map(([synset]) => synset) };
  }
  return byName(object);
}

/** Where JSON files of other makers keep a list: metadata.json of Teachable Machine, config.json of timm. */
const listKeys = ["labels", "classes", "classNames", "class_names", "label_names", "categories"] as const;

/** {"cat": 0, "dog": 1} */
function byName(object: Readonly<Record<string, unknown>>): NameList | null {
  const keys = Object.keys(object);
  const names = Array.from(keys, () => "");
  for (const key of keys) {
    const index = object[key];
    if (typeof index !== "number" || names[index] !== "") return null;
    names[index] = key;
  }
  return keys.length > 1 ? { names, synsets: null } : null;
}
