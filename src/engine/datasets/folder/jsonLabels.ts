import { BulwarkError } from "../../../shared/errors.ts";
import { type ColumnChoice, type LabelRows, labelRows, type NamesFile } from "./columns.ts";
import { normalName } from "./names.ts";

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const isPlain = (value: unknown): value is string | number | boolean => ["string", "number", "boolean"].includes(typeof value);

/** @throws DATASET_INVALID */
export function parseJson(content: string, name: string): unknown {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new BulwarkError("DATASET_INVALID", `${name} is not valid JSON.`, "Correct the file.", { cause });
  }
}

/** `{"file": label}`, or `[{"file": …, "label": …}]` with the headings that a table may have. @throws DATASET_INVALID */
export function jsonLabels(json: unknown, name: string, chosen: ColumnChoice, namesFile: NamesFile): LabelRows {
  if (isObject(json)) {
    const entries = Object.entries(json);
    if (entries.length > 0 && entries.every(([, label]) => isPlain(label)))
      return {
        rows: entries.map(([file, label]) => ({ file, label: normalName(String(label)), split: undefined, where: `"${file}"` })),
      };
  }
  if (Array.isArray(json) && json.length > 0 && json.every(isObject)) {
    const headings = [...new Set(json.flatMap((row: Json) => Object.keys(row)))];
    const cell = (value: unknown): string =>
      isPlain(value) ? String(value) : value === undefined || value === null ? "" : JSON.stringify(value);
    const lines = json.map((row: Json, i) => ({ cells: headings.map((heading) => cell(row[heading])), number: i + 1 }));
    return labelRows([{ cells: headings, number: 0 }, ...lines], name, chosen, namesFile);
  }
  throw new BulwarkError(
    "DATASET_INVALID",
    `${name} holds no labels.`,
    'Write {"image.png": "class", …} or [{"file": "image.png", "label": "class"}, …].',
  );
}
