import type { TextTable } from "../../shared/analysisCell.ts";
import { escapeXml as quote } from "../../shared/figures/svg.ts";
import type { AnalysisTable } from "../../shared/results.ts";

/** Cells longer than this wrap. */
const long = 40;
/** A column of this name is printed under the figures of the column before it, so that wide tables fit a page. */
const underFigure = "95 % interval";

/** `isText`: for tables of figures, which columns are words, set to the left. */
export function htmlTable({ heads, rows }: TextTable, isText: readonly boolean[] = []): string {
  const columns = heads.flatMap((head, i) => (head === underFigure && i > 0 ? [] : [{ i, isWithNext: heads[i + 1] === underFigure }]));
  const isOfFigures = isText.length > 0;
  const kind = (i: number, text: string): string => {
    if (isOfFigures && text.length > long) return ' class="text long"';
    return isText[i] ? ' class="text"' : "";
  };
  const lines = (row: readonly string[], { i, isWithNext }: (typeof columns)[number]): string => {
    const under = isWithNext ? (row[i + 1] ?? "–") : "–"; // a missing figure has no interval either
    return quote(row[i] ?? "") + (under === "–" ? "" : `<br><small>${quote(under)}</small>`);
  };
  const head = columns.map((column) => `<th scope="col"${isText[column.i] ? ' class="text"' : ""}>${lines(heads, column)}</th>`).join("");
  const cells = (row: readonly string[]): string =>
    columns.map((column) => `<td${kind(column.i, row[column.i] ?? "")}>${lines(row, column)}</td>`).join("");
  const body = rows.map((row) => `<tr>${cells(row)}</tr>`).join("");
  const kinds = isOfFigures ? ' class="figures"' : "";
  return `<div class="scroll"><table${kinds}><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`;
}

export const textColumns = ({ columns }: AnalysisTable): boolean[] => columns.map(({ format }) => format === "text");
