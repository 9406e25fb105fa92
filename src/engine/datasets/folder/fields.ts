import { BulwarkError } from "../../../shared/errors.ts";

/** One line of a table. */
export interface Line {
  readonly cells: readonly string[];
  /** For messages: "Line 3". */
  readonly place: string;
}

/** Delimiters, the one that is rarest in names first. */
const delimiters = ["\t", ";", ","] as const;

/**
 * The cells of a table whose columns are divided by tabs, semicolons or commas, or by the last space of a line. Cells may be quoted as
 * RFC 4180 has it; empty lines and lines that begin with `#` are passed over. @throws DATASET_INVALID for a quote that is never closed
 */
export function tableOf(content: string, name: string): Line[] {
  const tables = delimiters.filter((delimiter) => content.includes(delimiter)).map((delimiter) => split(content, delimiter, name));
  return tables.find(isEven) ?? tables.sort((a, b) => mostCells(b) - mostCells(a))[0] ?? spaced(content);
}

const sampled = 50;
const isEven = (lines: readonly Line[]): boolean => {
  const width = lines[0]?.cells.length ?? 0;
  return width > 1 && lines.slice(0, sampled).every(({ cells }) => cells.length === width);
};
const mostCells = (lines: readonly Line[]): number => lines.slice(0, sampled).reduce((most, { cells }) => Math.max(most, cells.length), 0);

/** "n01440764/1.JPEG 0": the label is behind the last space. */
function spaced(content: string): Line[] {
  return content.split(/\r\n?|\n/).flatMap((raw, i): Line[] => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return [];
    const space = line.search(/\s\S*$/);
    return [{ cells: space < 0 ? [line] : [line.slice(0, space).trim(), line.slice(space + 1)], place: `Line ${i + 1}` }];
  });
}

/** Everything between two delimiters is a cell; what is quoted may hold delimiters and line breaks. */
function split(content: string, delimiter: string, name: string): Line[] {
  const lines: Line[] = [];
  let [at, number] = [0, 1];
  while (at < content.length) {
    const begin = number;
    const cells: string[] = [];
    if (content[at] === "#") {
      at = endOfLine(content, at);
    } else {
      for (;;) {
        const cell = cellAt(content, at, delimiter);
        if (cell === null)
          throw new BulwarkError("DATASET_INVALID", `A quote in line ${number} of ${name} is never closed.`, "Close the quote.");
        cells.push(cell.text);
        number += cell.breaks;
        at = cell.end;
        if (content[at] !== delimiter) break;
        at++;
      }
    }
    if (content[at] === "\r" && content[at + 1] === "\n") at++;
    at++;
    number++;
    if (cells.some((cell) => cell !== "")) lines.push({ cells, place: `Line ${begin}` });
  }
  return lines;
}

function endOfLine(content: string, from: number): number {
  let at = from;
  while (at < content.length && content[at] !== "\n" && content[at] !== "\r") at++;
  return at;
}

/** The cell that begins at `from`, where it ends, and the line breaks in it; null for a quote that is never closed. */
function cellAt(content: string, from: number, delimiter: string): { text: string; end: number; breaks: number } | null {
  let at = from;
  while (content[at] === " " && delimiter !== " ") at++;
  if (content[at] !== '"') {
    let end = at;
    while (end < content.length && content[end] !== delimiter && content[end] !== "\n" && content[end] !== "\r") end++;
    return { text: content.slice(at, end).trim(), end, breaks: 0 };
  }
  let text = "";
  for (at++; at < content.length; at++) {
    if (content[at] === '"' && content[at + 1] === '"') at++;
    else if (content[at] === '"') break;
    text += content[at];
  }
  if (at >= content.length) return null;
  let end = at + 1;
  while (end < content.length && content[end] !== delimiter && content[end] !== "\n" && content[end] !== "\r") end++;
  return { text: text + content.slice(at + 1, end).trimEnd(), end, breaks: text.split("\n").length - 1 };
}
