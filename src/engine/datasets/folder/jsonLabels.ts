import type { Node } from "jsonc-parser";
import { BulwarkError } from "../../../shared/errors.ts";
import { deepestJson, isTooDeep, jsonTree } from "../../../shared/jsonTree.ts";
import { type ColumnChoice, type LabelRow, type LabelRows, labelRows, type NamesFile } from "./columns.ts";
import type { Line } from "./fields.ts";
import { normalName } from "./names.ts";
import { markedClass } from "./oneHot.ts";

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const isPlain = (value: unknown): value is string | number | boolean => ["string", "number", "boolean"].includes(typeof value);
const isText = (value: unknown): value is string => typeof value === "string";
const invalid = (message: string, fix: string, cause?: unknown): BulwarkError =>
  new BulwarkError("DATASET_INVALID", message, fix, { cause });

/** One JSON document, or JSON lines: one to a line. @throws DATASET_INVALID, also where a key is there twice with different values */
export function parseJson(content: string, name: string): unknown {
  try {
    const json: unknown = JSON.parse(content);
    refuseRepeatedKeys(content, name);
    return json;
  } catch (cause) {
    if (cause instanceof BulwarkError) throw cause;
    const lines = content.split(/\r\n?|\n/).filter((line) => line.trim() !== "");
    if (lines.length > 1 && lines.every((line) => /^\s*[{[].*[}\]]\s*$/.test(line))) return lines.map((line) => lineOf(line, name));
    throw invalid(`${name} is not valid JSON.`, "Correct the file.", cause);
  }
}

function lineOf(line: string, name: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw invalid(`${name} is not valid JSON.`, "Correct the file.", cause);
  }
}

/** `JSON.parse` keeps the last of two equal keys silently. @throws DATASET_INVALID */
function refuseRepeatedKeys(content: string, name: string): void {
  const text = ({ offset, length }: Node): string => content.slice(offset, offset + length);
  const check = (node: Node): void => {
    const known = new Map<string, string>();
    for (const child of node.children ?? []) {
      const [key, value] = child.children ?? [];
      if (child.type === "property" && key && value) {
        const [before, written] = [known.get(String(key.value)), text(value)];
        if (before !== undefined && before !== written)
          throw invalid(
            `${name} has ${JSON.stringify(key.value)} twice, as ${before.slice(0, 80)} and ${written.slice(0, 80)}.`,
            "Keep the right one.",
          );
        known.set(String(key.value), written);
        check(value);
      } else if (child.children) check(child);
    }
  };
  if (isTooDeep(content)) throw invalid(`${name} has more than ${deepestJson} nested lists and objects.`, "Save the labels as a table.");
  const root = jsonTree(content);
  if (root) check(root);
}

/**
 * Labels of images in JSON: `{"file": label}`, `{"file": {"label": …}}`, `{"file": [0, 1]}`, `{"label": ["file"]}`, `[["file", label]]`, or
 * objects with the headings that a table may have. @throws DATASET_INVALID
 */
export function jsonLabels(json: unknown, name: string, chosen: ColumnChoice, namesFile: NamesFile): LabelRows {
  const found = isObject(json)
    ? ofObject(json, name, chosen, namesFile)
    : Array.isArray(json)
      ? ofList(json, name, chosen, namesFile)
      : null;
  if (found === null || found.rows.some(({ label }) => /^[[{]/.test(label))) throw unknownShape(name);
  return found;
}

const unknownShape = (name: string): BulwarkError =>
  invalid(
    `${name} holds no labels of images in a shape that is known.`,
    'Write {"image.png": "class"}, {"class": ["image.png"]}, [["image.png", "class"]] or [{"file": "image.png", "label": "class"}].',
  );

const row = (file: string, label: unknown): LabelRow => ({ file, label: normalName(String(label)), split: undefined });

function ofObject(json: Json, name: string, chosen: ColumnChoice, namesFile: NamesFile): LabelRows | null {
  if (["images", "annotations", "categories"].every((key) => Array.isArray(json[key])))
    throw invalid(
      `${name} is a COCO file, which marks objects in pictures and gives a picture no label of its own.`,
      'Write one label for each picture, as {"image.png": "class"}.',
    );
  const entries = Object.entries(json);
  const values = entries.map(([, value]) => value);
  const nothing = entries.find(([, value]) => value === null);
  if (nothing && values.every((value) => value === null || isPlain(value)))
    throw invalid(`${name} gives ${nothing[0]} no label.`, "Write its class, or leave the picture out.");
  if (entries.length === 0) return null;
  if (values.every(isPlain)) return { rows: entries.map(([file, label]) => row(file, label)) };
  if (values.every(isObject)) {
    const records = entries.map(([file, value]) => ({ file, ...without(value as Json, "file") }));
    return ofRecords(records, name, { ...chosen, file: "file" }, namesFile);
  }
  return values.every(Array.isArray) ? ofLists(entries as [string, unknown[]][], name, namesFile) : null;
}

const without = (value: Json, key: string): Json => Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));

/** `{"class": ["1.png", …]}`, `{"1.png": [0, 1, 0]}` or `{"1.png": ["class"]}`. */
function ofLists(entries: readonly [string, unknown[]][], name: string, namesFile: NamesFile): LabelRows | null {
  const areTexts = entries.every(([, list]) => list.every(isText));
  const keysNameFiles = entries.some(([key]) => namesFile(key) === "whole");
  if (areTexts && !keysNameFiles && entries.some(([, list]) => list.some((file) => namesFile(String(file)) !== null)))
    return { rows: entries.flatMap(([label, list]) => list.map((file) => row(String(file), label))) };
  if (areTexts) {
    const several = entries.find(([, list]) => list.length !== 1);
    if (several)
      throw invalid(
        `${name} gives ${several[0]} ${several[1].length} labels, and an image has one.`,
        "Leave out images of several classes or of none.",
      );
    return { rows: entries.map(([file, [label]]) => row(file, label)) };
  }
  if (!entries.every(([, list]) => list.every((bit) => typeof bit === "number" || typeof bit === "boolean"))) return null;
  return { rows: entries.map(([file, list]) => row(file, markedClass(list.map(Number), file, "An entry", name))) };
}

function ofList(json: readonly unknown[], name: string, chosen: ColumnChoice, namesFile: NamesFile): LabelRows | null {
  if (json.length === 0) throw invalid(`${name} is an empty list.`, "Write one image and its label to an entry.");
  if (json.every(isObject)) return ofRecords(json, name, chosen, namesFile);
  if (!json.every((entry): entry is unknown[] => Array.isArray(entry) && entry.length > 1)) return null;
  return labelRows(
    json.map((cells, i): Line => ({ cells: cells.map(cellOf), place: `Entry ${i + 1}` })),
    name,
    chosen,
    namesFile,
  );
}

function ofRecords(records: readonly Json[], name: string, chosen: ColumnChoice, namesFile: NamesFile): LabelRows {
  const headings = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const lines = records.map((record, i): Line => ({ cells: headings.map((heading) => cellOf(record[heading])), place: `Entry ${i + 1}` }));
  return labelRows([{ cells: headings, place: "The keys" }, ...lines], name, chosen, namesFile);
}

const cellOf = (value: unknown): string =>
  isPlain(value) ? String(value) : value === undefined || value === null ? "" : JSON.stringify(value);

/** Every text of the first entries, wherever it stands: which of them name files tells labels from a class list. */
export function textsIn(json: unknown, depth = 3): string[] {
  if (typeof json === "string") return [json];
  if (depth === 0 || typeof json !== "object" || json === null) return [];
  const entries = Object.entries(json).slice(0, 200);
  return entries.flatMap(([key, value]) => [...(Array.isArray(json) ? [] : [key]), ...textsIn(value, depth - 1)]);
}
